"""What most tests need: a data folder of their own, the embedded endpoint, a small bundle, the default desk."""

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import settings as hypothesis_settings

from core.embedding.client import Embedder
from core.embedding.open import open_embedder
from core.model.bundle import Bundle
from core.model.recipe import Recipe, TaskRecipe
from core.model.train import train_bundle
from core.settings import REPOSITORY, Settings
from core.triage import TriageDesk

hypothesis_settings.register_profile("desk", deadline=None)  # a busy machine is no failure
hypothesis_settings.load_profile("desk")
STARTER = REPOSITORY / "models" / "starter"
SMALL_RECIPE = Recipe(
    tasks=("department", "acuity"),
    by_task={"acuity": TaskRecipe(scheme="esi")},
    merge_small="other",
    name="small",
    shown=("starter",),
)

MAIN = sys.modules["__main__"]


@pytest.fixture(autouse=True)
def main_module_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page under test takes the place of `__main__`, and processes that a test spawns would run the page."""
    monkeypatch.setitem(sys.modules, "__main__", MAIN)


@pytest.fixture(autouse=True)
def no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Tests see no TRIAGE_* variable of whoever runs them, and never touch that person's data folder."""
    import os

    for name in [name for name in os.environ if name.startswith("TRIAGE_") and not name.startswith("TRIAGE_TEST_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TRIAGE_DATA_DIR", str(tmp_path_factory.getbasetemp() / "data"))


@pytest.fixture(scope="session")
def site_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a site that has set nothing but its data folder."""
    return Settings(data_dir=tmp_path_factory.getbasetemp() / "data", _env_file=None)


@pytest.fixture(scope="session")
def embedded(site_settings: Settings) -> Iterator[Embedder]:
    """The embedded endpoint, started once."""
    with open_embedder(site_settings) as embedder:
        yield embedder


@pytest.fixture(scope="session")
def small_table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four departments of the starter notes in both languages, a few hundred rows."""
    notes = pd.concat([pd.read_csv(STARTER / f"notes_{language}.csv") for language in ("zh", "en")])
    chosen = notes[notes["department"].isin(["cardiology", "dermatology", "dentistry", "psychiatry"])].copy()
    chosen.loc[chosen["department"] == "dermatology", "source"] = "site"  # a source whose texts are not to be shown
    path = tmp_path_factory.mktemp("tables") / "small.csv"
    chosen.to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def small_bundle(
    small_table: Path, embedded: Embedder, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Bundle]:
    """A bundle trained on the small table, and its folder."""
    folder = tmp_path_factory.mktemp("bundles") / "small"
    return folder, train_bundle([small_table], folder, embedded, SMALL_RECIPE)


@pytest.fixture(scope="session")
def desk(site_settings: Settings, embedded: Embedder) -> Iterator[TriageDesk]:
    """The desk with the default bundle."""
    with TriageDesk.open(site_settings) as opened:
        yield opened


@pytest.fixture
def fresh_installation(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder to work in, no `.env` near it, and an installation of its own with an empty data folder."""
    monkeypatch.setenv("TRIAGE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def free_port() -> int:
    """A port of this machine on which nobody listens."""
    return unused_port()


def unused_port() -> int:
    """The same, for a fixture that outlives a test."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
