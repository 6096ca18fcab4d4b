"""Which labels stand beside a task as buttons, which reasons a person can give, and the keys of both.

Rows of the keyboard are rows of the page: digits are levels, the row under them departments, the next one conditions,
the last one reasons. No key has two meanings, so one that comes too early does nothing.
"""

from core.notes import TaskAnswer
from core.records.reasons import REASONS
from core.wording import SHOWN

LABEL_KEYS = {"department": "QWE", "condition": "ASD"}
REASON_KEYS = "ZXVBM"  # C and R belong to Streamlit, N to the next note
ACCEPT_KEY, NEXT_KEY, CANCEL_KEY, SEND_KEYS = "Y", "N", "Esc", "Ctrl+Enter"
LEVELS = ("1", "2", "3", "4", "5")
# Reasons that make sense only for some overrides.
MORE, LESS, DEPARTMENT = "more_urgent_signs", "less_urgent_signs", "wrong_department"


def choices(answer: TaskAnswer) -> list[str]:
    """Labels with a button: for acuity every level in order, else the decided label and the likeliest others."""
    if answer.task == "acuity":
        return [level for level in LEVELS if any(ranked.label == level for ranked in answer.ranked)]
    others = [ranked.label for ranked in answer.ranked if ranked.label != answer.label]
    return [answer.label, *others][:SHOWN]


def more_choices(answer: TaskAnswer) -> list[str]:
    """Labels without a button, likeliest first."""
    shown = choices(answer)
    return [ranked.label for ranked in answer.ranked if ranked.label not in shown]


def key_of(task: str, label: str, place: int) -> str | None:
    """The key of a label's button; a site's own task has none."""
    if task == "acuity":
        return label
    keys = LABEL_KEYS.get(task, "")
    return keys[place] if place < len(keys) else None


def reasons_for(task: str, given: str, chosen: str) -> list[str]:
    """Codes of the reasons that fit an override of `given` by `chosen`."""
    unfit = {MORE, LESS, DEPARTMENT}
    if task == "acuity":
        unfit.discard(MORE if chosen < given else LESS)
    if task == "department":
        unfit.discard(DEPARTMENT)
    return [reason for reason in REASONS if reason not in unfit]


def reason_key(place: int) -> str | None:
    """The key of the reason at a place of the list."""
    return REASON_KEYS[place] if place < len(REASON_KEYS) else None
