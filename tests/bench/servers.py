"""Endpoints to measure against, each in a process of its own, and desks for them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from core.embedding.open import open_embedder
from core.errors import BundleError
from core.model.recipe import Recipe, TaskRecipe
from core.model.registry import Registry
from core.settings import Settings, load_settings
from core.triage import TriageDesk
from tests.bench.notes import starter_tables, unique_texts

ROOT = Path(__file__).resolve().parents[2]
MODEL = "fault-model"


@contextmanager
def stand_in(delay: float = 0.0, slots: int = 1_000_000, trouble: float = 0.0) -> Iterator[str]:
    """A server that needs `delay` seconds a request, serves `slots` at once, and fails a share; gives its URL."""
    command = [sys.executable, "-m", "tests.fault_server", "--delay", str(delay), "--slots", str(slots)]
    command += ["--trouble", str(trouble)]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        yield child.stdout.readline().strip()
    finally:
        child.kill()
        child.communicate()


def stand_in_settings(folder: Path, url: str) -> Settings:
    """Settings for a desk at a stand-in, with a bundle of its space under `folder` (trained once)."""
    settings = load_settings(
        embedding_url=url, embedding_model=MODEL, data_dir=folder / "stand-in", embedding_concurrency=16
    )
    return with_bundle(settings, folder / "stand-in-bundle")


def embedded_settings(folder: Path) -> Settings:
    """Settings for a desk at the embedded endpoint: the bundle shipped, else one trained here from starter notes."""
    settings = load_settings(embedding_url=None, data_dir=folder / "embedded")
    try:
        Registry(settings.data_dir).resolve(settings)
    except BundleError:
        return with_bundle(settings, folder / "embedded-bundle")
    return settings


def with_bundle(settings: Settings, bundle: Path, tables: Sequence[Path] | None = None) -> Settings:
    """The settings with a bundle in that folder; where there is none, one is trained on the tables or starter notes."""
    if not bundle.exists():
        from core.model.train import train_bundle

        recipe = Recipe(
            tasks=("department", "acuity", "condition"),
            by_task={"acuity": TaskRecipe(scheme="esi")},
            merge_small="other",
            reference=0,
            name="bench",
        )
        with open_embedder(settings) as embedder:
            train_bundle(tables or starter_tables(), bundle, embedder, recipe)
    return settings.model_copy(update={"model": bundle})


def address_of(desk: TriageDesk, settings: Settings) -> tuple[str, str]:
    """Base URL and model of the endpoint that an open desk uses."""
    if settings.embedding_url:
        return settings.embedding_url, MODEL
    desk.assess(unique_texts(1)[0])  # not from the cache: this starts the embedded endpoint
    note = json.loads((settings.data_dir / "endpoint.json").read_text())
    return str(note["url"]), desk.embedder.space.model


def environment(settings: Settings) -> dict[str, str]:
    """The environment under which a child process uses the same settings."""
    priority = settings.embedding_priority
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "TRIAGE_EMBEDDING_URL": settings.embedding_url or "",
        "TRIAGE_EMBEDDING_MODEL": settings.embedding_model or "",
        "TRIAGE_EMBEDDING_CONCURRENCY": str(settings.embedding_concurrency),
        "TRIAGE_CACHE_URL": settings.cache_url or "",
        "TRIAGE_DATA_DIR": str(settings.data_dir),
        "TRIAGE_MODEL": str(settings.model or ""),
        **({} if priority is None else {"TRIAGE_EMBEDDING_PRIORITY": str(priority)}),
    }
