"""On the real SGLang, with a tiny model: `triage classify` against a bare loop, and a note beside a run."""

from pathlib import Path
from typing import Any

import pandas as pd

from core.settings import Settings, load_settings
from tests.bench.bulk import note_beside
from tests.bench.notes import starter_tables
from tests.bench.rates import compare
from tests.bench.servers import with_bundle
from tests.contract.servers import MAX_TOKENS, MODEL_NAME, NOT_SET_UP, PRIORITY, SET_UP, SGLang

SWEEP = {"lists": (8, 32, 128, 256), "concurrencies": (1, 2, 8)}
# Measured notes are the starter notes with other numbers at their ends: the server would know most of each.
FRESH = "--disable-radix-cache"


def classify(folder: Path, scale: float) -> dict[str, Any]:
    """Classify against the best bare loop."""
    name = "classify_vs_bare_sglang"
    if not SET_UP:
        return {"bench": name, "left_out": NOT_SET_UP}
    with SGLang(FRESH) as server:
        return compare(_settings(folder, server), folder, max(64, int(3072 * scale)), SWEEP, name)


def note_beside_a_run(folder: Path, scale: float) -> dict[str, Any]:
    """The time of a pasted note, sent with priority, during a bulk run against an idle desk's."""
    name = "note_beside_a_run_vs_idle_sglang"
    if not SET_UP:
        return {"bench": name, "left_out": NOT_SET_UP}
    with SGLang(FRESH, *PRIORITY) as server:
        settings = _settings(folder, server).model_copy(update={"embedding_priority": 10})
        found = note_beside(settings, folder, max(10, int(60 * scale)))
    return {"bench": name, "wanted": "ratio <= 2, p95_ratio <= 4", **found}


def _settings(folder: Path, server: SGLang) -> Settings:
    """Settings for a desk at the server, without an instruction, which the bare loop does not send."""
    settings = load_settings(
        embedding_url=server.url,
        embedding_model=MODEL_NAME,
        embedding_instruction="",
        embedding_max_tokens=MAX_TOKENS,
        embedding_timeout=120,
        data_dir=folder / "sglang",
    )
    return with_bundle(settings, folder / "sglang-bundle", [_few_notes(folder)])


def _few_notes(folder: Path) -> Path:
    """A table of some 400 starter notes, which are enough for a bundle whose vectors mean nothing."""
    table = pd.concat([pd.read_csv(path) for path in starter_tables()])[::15]
    path = folder / "few_notes.csv"
    table.to_csv(path, index=False)
    return path
