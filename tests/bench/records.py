"""What an acknowledged answer costs in the records: the whole `add`, and the part that the audit log takes of it."""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from core.notes import Assessment, ModelIdentity, RankedLabel, TaskAnswer
from core.records.acts import Act
from core.records.chain import Chain, Head, audit_key
from core.records.database import DatabaseRecords
from core.records.engine import SYNCHRONOUS, open_engine
from tests.bench.rates import timed

ROWS_BEFORE = 1000  # so that the tables are not empty


class _NoChain(Chain):
    """A chain that writes nothing and holds nothing: what is left is the answer alone."""

    def hold(self, connection: object) -> Head:
        return Head(0, 0, datetime.now(UTC), "")

    def add(self, connection: object, head: Head, entries: object, **named: object) -> Head:
        return head


def audit_write(folder: Path, scale: float) -> dict[str, Any]:
    """Median milliseconds of `add`, of the same without its audit row, and of an audit row alone, interleaved.

    On SQLite, with each of the two pragmas that can be meant: FULL waits for the disk at each commit, NORMAL does not.
    """
    rounds = max(50, int(1000 * scale))
    figures = {name.lower(): _figures(folder / f"records-{name}", name, rounds) for name in ("FULL", "NORMAL")}
    return {
        "bench": "audit_write",
        "audit_write_ms": figures[SYNCHRONOUS.lower()]["note_ms"],
        "wanted": "audit_write_ms <= 1",
        "synchronous": SYNCHRONOUS,
        **figures,
        "writes": rounds,
    }


def _figures(folder: Path, synchronous: str, rounds: int) -> dict[str, float]:
    answer, whole, bare, alone = _answer(), [], [], []
    with _opened(folder, synchronous) as records:
        without = _without_log(records)
        for _ in range(ROWS_BEFORE):
            records.add(answer, person="nurse1", note_hash="ab" * 32)
        for place in range(rounds):
            name = f"{place:064x}"
            whole.append(timed(lambda name=name: records.add(answer, person="nurse1", note_hash=name)))
            bare.append(timed(lambda name=name: without.add(answer, person="nurse1", note_hash=name)))
            alone.append(timed(lambda: records.note(Act.EXPORT, "nurse1", {"rows": 1})))
    return {
        "add_ms": _ms(median(whole)),
        "add_ms_95": _ms(quantiles(whole, n=20)[-1]),
        "audit_part_ms": _ms(median(a - b for a, b in zip(whole, bare, strict=True))),
        "note_ms": _ms(median(alone)),
    }


@contextlib.contextmanager
def _opened(folder: Path, synchronous: str) -> Iterator[DatabaseRecords]:
    folder.mkdir(parents=True, exist_ok=True)
    engine = open_engine(f"sqlite:///{folder / 'records.sqlite'}", synchronous=synchronous)
    records = DatabaseRecords(engine, key=lambda: audit_key(folder))
    try:
        records.tidy()
        yield records
    finally:
        records.close()


def _without_log(records: DatabaseRecords) -> DatabaseRecords:
    """The same database and connections, with a chain that writes nothing."""
    bare = DatabaseRecords(records._engine, key=records._key)
    bare._chain = _NoChain(records._key())
    return bare


def _answer() -> Assessment:
    """An answer of the usual size."""
    tasks = {
        name: TaskAnswer(name, label, (RankedLabel(label, 0.7),), (label,))
        for name, label in (("department", "cardiology"), ("acuity", "2"), ("condition", "circulatory"))
    }
    reasons = ("acuity: an emergency can't be ruled out", "department: the likeliest three may all be wrong")
    return Assessment(tasks, (), True, reasons, (), "zh", ModelIdentity("default", "2026.03", "multilingual-e5-small"))


def _ms(seconds: float) -> float:
    return round(1000 * seconds, 3)
