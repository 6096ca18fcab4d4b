"""Unique short notes for measurements, so that no cache answers."""

import csv
import itertools
import secrets
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

STARTER = Path(__file__).resolve().parents[2] / "models" / "starter"
_run = secrets.token_hex(3)  # a kept cache holds the notes of earlier runs
_serial = itertools.count()
ROW_GROUP = 1 << 16


def starter_tables() -> list[Path]:
    """The starter notes that the project ships."""
    return sorted(STARTER.glob("notes_*.csv"))


def starter_texts() -> list[str]:
    """Their texts."""
    found: list[str] = []
    for path in starter_tables():
        with path.open(encoding="utf-8-sig", newline="") as file:
            found += [row["text"] for row in csv.DictReader(file)]
    return found


def unique_texts(count: int) -> list[str]:
    """Texts like the starter notes, none of them ever given before."""
    return [f"{text} {_run} {next(_serial)}" for text in itertools.islice(itertools.cycle(starter_texts()), count)]


def write_table(path: Path, texts: list[str]) -> Path:
    """A csv table of notes with an id; no age or sex, which would make the texts longer than the bare loop's."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text"])
        writer.writerows(enumerate(texts))
    return path


def write_large_table(path: Path, rows: int) -> Path:
    """A csv table of `rows` short notes, written without holding them."""
    words = itertools.cycle(starter_texts())

    def lines() -> Iterator[tuple[int, str]]:
        return ((number, f"{next(words)[:40]} {number}") for number in range(rows))

    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text"])
        writer.writerows(lines())
    return path


def write_large_parquet(path: Path, rows: int) -> Path:
    """A parquet table of `rows` notes of 5 to 20 characters, all different, written without holding them."""
    words = itertools.cycle([text[:10] for text in starter_texts()])
    schema = pa.schema([("id", pa.int64()), ("text", pa.string())])
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, rows, ROW_GROUP):
            numbers = range(start, min(start + ROW_GROUP, rows))
            columns = [pa.array(numbers), pa.array([f"{next(words)} {number}" for number in numbers])]
            writer.write_batch(pa.record_batch(columns, schema=schema))
    return path
