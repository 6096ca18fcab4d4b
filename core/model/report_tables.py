"""The tables of an evaluation's report, as HTML, and how figures are written in it."""

from collections.abc import Iterable, Sequence
from html import escape

from core.model.acuity_metrics import BANDS, AcuityScores
from core.model.evaluation_text import SUMMARY
from core.model.intervals import Interval
from core.model.metrics import TaskScores

SHARES = {name for name, _, is_share in SUMMARY if is_share}
MOST_CONFUSIONS = 15
DASH = "–"
NBSP = "\N{NO-BREAK SPACE}"


def reliability_table(scores: TaskScores) -> str:
    """How often the likeliest answer is right, by the probability stated."""
    rows = [
        (
            f"{100 * each.low:.0f} to {100 * each.high:.0f} %",
            f"{each.count:,}",
            percent(each.confidence),
            percent(each.accuracy),
        )
        for each in scores.reliability
        if each.count
    ]
    return table("Probability of the likeliest answer", ("Stated", "Rows", "Mean stated", "Right"), rows)


def label_table(scores: TaskScores) -> str:
    """Precision, recall, F1 and rows of each label."""
    rows = [
        (label, percent(each.precision), percent(each.recall) + _range(each.intervals.get("recall")),
         DASH if each.f1 is None else f"{each.f1:.2f}", f"{each.support:,}")
        for label, each in scores.per_label.items()
    ]  # fmt: skip
    return table("Labels in the reference or decided", ("Label", "Precision", "Recall", "F1", "Rows"), rows)


def confusion_table(scores: TaskScores) -> str:
    """The most frequent wrong decisions."""
    rows = [
        (truth, decided, f"{count:,}", percent(count / sum(row.values())))
        for truth, row in scores.confusion.items()
        for decided, count in row.items()
        if decided != truth
    ]
    rows.sort(key=lambda row: -int(row[2].replace(",", "")))
    return table(
        "Wrong decisions, most frequent first", ("Reference", "Decided", "Rows", "Of reference"), rows[:MOST_CONFUSIONS]
    )


def coverage_table(scores: TaskScores, stated: float | None) -> str:
    """Coverage of each label and of all rows."""
    rows = [
        (label, percent(each.coverage), f"{each.support:,}") for label, each in scores.per_label.items() if each.support
    ]
    rows.append(("all", percent(scores.figures["coverage"]), f"{scores.rows:,}"))
    caption = "Right answer in the set" + (f"; stated: {100 * stated:g} %" if stated is not None else "")
    return table(caption, ("Label", "Coverage", "Rows"), rows)


def set_size_table(scores: TaskScores) -> str:
    """Rows by the number of answers in their set."""
    rows = [(str(size), f"{count:,}", percent(count / scores.rows)) for size, count in scores.set_sizes.items()]
    return table("Rows by answers in the set", ("Answers", "Rows", "Share"), rows)


def table(caption: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in a frame of its own that scrolls, and that a keyboard can reach."""
    rows = [[*row] for row in rows]
    # A column of words stands on the left, one of numbers on the right.
    kinds = [not any(character.isdigit() for row in rows for character in row[place]) for place in range(len(header))]
    marks = [' class="words"' if kind else "" for kind in kinds]
    head = "".join(f'<th scope="col"{mark}>{escape(cell)}</th>' for mark, cell in zip(marks, header, strict=True))
    body = "".join(_table_row(row, marks) for row in rows)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _table_row(cells: Sequence[str], marks: Sequence[str]) -> str:
    first, *others = (escape(cell).replace("_", "_<wbr>") for cell in cells)
    rest = "".join(f"<td{mark}>{cell}</td>" for mark, cell in zip(marks[1:], others, strict=True))
    return f'<tr><th scope="row">{first}</th>{rest}</tr>'


def distance_table(acuity: AcuityScores, rows: int) -> str:
    """Rows by how many levels they are off, then by band."""
    distances = [
        (f"{-k:+d} (more urgent)", f"{acuity.over_by_distance[k]:,}", percent(acuity.over_by_distance[k] / rows))
        for k in range(4, 0, -1)
    ]
    distances += [
        (f"{k:+d} (less urgent)", f"{acuity.under_by_distance[k]:,}", percent(acuity.under_by_distance[k] / rows))
        for k in range(1, 5)
    ]
    bands = [(truth, *(f"{acuity.band_confusion[truth][judged]:,}" for judged in BANDS)) for truth in BANDS]
    by_distance = table("Rows by distance from the reference", ("Levels", "Rows", "Share"), distances)
    by_band = table("Rows by band: reference, judged", ("Reference", *BANDS), bands)
    return by_distance + by_band


def figure_in_words(scores: TaskScores, name: str) -> tuple[str, str]:
    """A figure and its interval, in words."""
    value, interval = scores.figures.get(name), scores.intervals.get(name)
    if value is None:
        return DASH, ""
    if name in SHARES:
        return percent(value), _range(interval).strip()
    return f"{value:.3f}", f"({interval[0]:.3f} to {interval[1]:.3f})" if interval else ""


def percent(share: float | None) -> str:
    """A share in percent, a dash for none."""
    return DASH if share is None else f"{100 * share:.1f}\N{NO-BREAK SPACE}%"


def _range(interval: Interval | None) -> str:
    return f" ({100 * interval[0]:.1f}{NBSP}to{NBSP}{100 * interval[1]:.1f})" if interval else ""
