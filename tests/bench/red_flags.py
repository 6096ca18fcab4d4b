"""The rules on the text: notes a second on one core, what half of the rules would cost, one very long note, loading."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from core.safety.red_flags import RULES, RedFlags
from core.safety.rule_files import read_rules
from tests.bench.notes import unique_texts

NOTES = 4000
ROUNDS = 5
MEGABYTE = 1 << 20


def red_flags(folder: Path, scale: float) -> dict[str, Any]:
    """Processor seconds of one thread, so that what else runs on the machine counts little."""
    book = read_rules(RULES)
    every, half = RedFlags(book), RedFlags(replace(book, rules=book.rules[::2]))
    texts = unique_texts(max(200, int(NOTES * scale)))
    for flags in (every, half):
        flags.find_many(texts[:200])  # RE2 builds its automata as it goes
    rounds = [[_seconds(lambda flags=flags: flags.find_many(texts)) for flags in (every, half)] for _ in range(ROUNDS)]
    all_rules, half_rules = (median(seconds) for seconds in zip(*rounds, strict=True))
    long_note = " ".join(texts * (MEGABYTE // sum(map(len, texts)) + 1)).encode()[:MEGABYTE].decode(errors="ignore")
    return {
        "bench": "red_flags",
        "notes_a_second": round(len(texts) / all_rules),
        "wanted": "notes_a_second >= 2000, ratio < 2, megabyte_s < 1",
        "ratio": round(all_rules / half_rules, 2),
        "rules": len(every.rules),
        "half_of_the_rules": len(half.rules),
        "microseconds_a_note": round(1e6 * all_rules / len(texts)),
        "microseconds_a_note_half": round(1e6 * half_rules / len(texts)),
        "characters_a_note": round(sum(map(len, texts)) / len(texts)),
        "share_with_a_hit": round(sum(map(bool, every.find_many(texts))) / len(texts), 3),
        "megabyte_s": round(median(_seconds(lambda: every.find(long_note)) for _ in range(3)), 2),
        "load_s": round(median(_seconds(RedFlags.load) for _ in range(3)), 2),
    }


def _seconds(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin
