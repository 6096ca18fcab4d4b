"""Unique short notes for measurements, so that no cache answers."""

import csv
import itertools
import secrets
from collections.abc import Iterator
from pathlib import Path

STARTER = Path(__file__).resolve().parents[2] / "models" / "starter"
_run = secrets.token_hex(3)  # a kept cache holds the notes of earlier runs
_serial = itertools.count()


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
