"""How the answers of a classified table compare with a column of reference labels, however that column writes them."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.model.acuity_metrics import AcuityScores, score_levels
from core.model.catalogue import label_names
from core.model.evaluation_table import as_label
from core.model.intervals import Interval, share_interval
from core.model.metrics import SEED
from core.model.scheme import LEVELS, scheme_in_use

MOST_LABELS = 60  # a column of more different values is no column of labels
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "ⅰ": 1, "ⅱ": 2, "ⅲ": 3, "ⅳ": 4, "ⅴ": 5}
_HAN = dict(zip("一二三四五", LEVELS, strict=True))
_LEVEL = re.compile(r"(?:level|esi|acuity|triage)?[\s:-]*([1-5]|[ivⅰⅱⅲⅳⅴ]{1,3}|[一二三四五])(?![a-z0-9])")


@dataclass(frozen=True, slots=True)
class Agreement:
    """How one task's answers compare with the reference.

    Attributes:
        task: which.
        rows: rows that have both.
        agreed: rows in which both are the same.
        interval: 95 % interval of their share.
        confusion: rows by reference label, then by decided label; the most frequent first.
        foreign: reference labels that the model does not know, with their rows; they count as not agreed.
        left_out: rows without a reference or without an answer.
        acuity: under-triage and over-triage, for the task `acuity`.
        is_labels: whether the column is one of labels at all; false where it has too many different values.
    """

    task: str
    rows: int
    agreed: int
    interval: Interval | None
    confusion: Mapping[str, Mapping[str, int]]
    foreign: Mapping[str, int]
    left_out: int
    acuity: AcuityScores | None
    is_labels: bool = True

    @property
    def share(self) -> float | None:
        """Share of rows in which both are the same."""
        return self.agreed / self.rows if self.rows else None


def agreement(task: str, references: Sequence[object], decided: Sequence[object]) -> Agreement:
    """Compare a column of reference labels with the decided ones, row by row.

    A reference may be written as the label's code or as its name in Chinese or English; a level of acuity also as
    `2级`, `Ⅱ`, `level 2` or its scheme's name.
    """
    read = _reader(task)
    known = {cell: read(cell) for cell in set(map(as_label, references))}
    pairs = [
        (known[as_label(reference)], as_label(answer)) for reference, answer in zip(references, decided, strict=True)
    ]
    both = [pair for pair in pairs if pair[0] and pair[1]]
    left_out = len(pairs) - len(both)
    if len(set(known.values())) > MOST_LABELS:
        return Agreement(task, len(both), 0, None, {}, {}, left_out, None, is_labels=False)
    counts, totals = Counter(both), Counter(reference for reference, _ in both)
    answers = Counter(answer for _, answer in both)
    hits = np.array([reference == answer for reference, answer in both], dtype=np.bool_)
    confusion = {
        reference: {answer: counts[reference, answer] for answer, _ in answers.most_common()}
        for reference in _in_order(task, totals)
    }
    names = _names(task)
    foreign = {label: rows for label, rows in totals.most_common() if label not in answers and label not in names}
    return Agreement(
        task,
        len(both),
        int(hits.sum()),
        share_interval(hits, SEED),
        confusion,
        foreign,
        left_out,
        _levels(counts, len(both)) if task == "acuity" and both else None,
    )


def _in_order(task: str, totals: Counter[str]) -> list[str]:
    return sorted(totals) if task == "acuity" else [label for label, _ in totals.most_common()]


def _levels(counts: Counter[tuple[str, str]], rows: int) -> AcuityScores:
    table = np.array([[counts[str(true), str(given)] for given in LEVELS] for true in LEVELS], dtype=np.int64)
    return score_levels(table, rows, SEED)


def _names(task: str) -> dict[str, str]:
    """Codes by every way in which a label may be written, the code itself included, in small letters."""
    if task == "acuity":
        scheme = scheme_in_use()
        pairs = [
            (name.casefold(), str(level))
            for names in scheme.names.values()
            for level, name in zip(LEVELS, names, strict=True)
        ]
        pairs += [(level.code.casefold(), str(level.level)) for level in scheme.levels]
        return {**dict(pairs), **{str(level): str(level) for level in LEVELS}}
    found: dict[str, str] = {}
    for label in label_names(None):
        if label.task == task:
            found |= {name.casefold(): label.label for name in (label.zh, label.en, label.label)}
    return found


def _reader(task: str) -> Callable[[str], str]:
    """Reads one reference label; one that has no known name stays as it is written."""
    names = _names(task)

    def read(cell: str) -> str:
        known = names.get(cell.strip().casefold())
        if known is None and task == "acuity" and (found := _LEVEL.match(cell.strip().casefold())):
            sign = found[1]
            level = int(sign) if sign.isdecimal() else _HAN.get(sign, _ROMAN.get(sign))
            known = str(level) if level else None
        return known or cell.strip()

    return read
