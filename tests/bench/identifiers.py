"""Masking: how many planted identifiers it finds, how many clinical numbers it takes for one, and notes a second."""

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from core.safety.identifiers import find_identifiers, mask
from tests.bench.notes import unique_texts
from tests.core.safety.planted import clinical_texts, planted_lines, recall, share_masked

NOTES = 4000
ROUNDS = 5
MEGABYTE = 1 << 20


def identifiers(folder: Path, scale: float) -> dict[str, Any]:
    """Processor seconds of one thread, so that what else runs on the machine counts little."""
    lines, clinical = planted_lines(), clinical_texts()
    texts = unique_texts(max(200, int(NOTES * scale)))
    planted = [line.text for line in lines]
    long_note = " ".join(texts * (MEGABYTE // sum(map(len, texts)) + 1)).encode()[:MEGABYTE].decode(errors="ignore")
    return {
        "bench": "identifiers",
        "recall": round(recall(lines), 4),
        "wanted": "recall >= 0.99, share_of_clinical_numbers_masked <= 0.01, megabyte_s < 1",
        "share_of_clinical_numbers_masked": round(share_masked(clinical), 4),
        "planted": sum(len(line.promised) for line in lines),
        "lines": len(lines),
        "clinical_lines": len(clinical),
        "notes_a_second": _rate(texts),
        "notes_with_identifiers_a_second": _rate(planted),
        "share_of_plain_notes_masked": round(sum(mask(text) != text for text in texts) / len(texts), 4),
        "megabyte_s": round(median(_seconds(lambda: find_identifiers(long_note)) for _ in range(3)), 2),
    }


def _rate(texts: list[str]) -> int:
    return round(len(texts) / median(_seconds(lambda: [mask(text) for text in texts]) for _ in range(ROUNDS)))


def _seconds(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin
