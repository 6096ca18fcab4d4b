"""An evaluation as text for a terminal: each task laid out as scikit-learn's `classification_report` does."""

import unicodedata
from collections.abc import Iterable, Mapping

from core.model.evaluation import Evaluation
from core.model.intervals import Interval
from core.model.metrics import LabelScores, TaskScores

HEADERS = ("precision", "recall", "f1-score", "support", "coverage")
COLUMN = 9
# Figure, words, whether it is a share of the rows.
SUMMARY = (
    ("top1", "right answer first (top-1)", True),
    ("top3", "right answer among the first three (top-3)", True),
    ("macro_f1", "macro F1", False),
    ("coverage", "right answer in the prediction set (coverage)", True),
    ("mean_set_size", "answers in a prediction set, mean", False),
    ("ece", "calibration error (ECE, 0 is best)", False),
    ("classwise_ece", "calibration error by class (0 is best)", False),
    ("brier", "Brier score (0 is best, 2 is worst)", False),
    ("log_loss", "log loss (nats)", False),
    ("emergency_recall", "emergencies (1-2) judged 1-2", True),
    ("under_triage", "under-triage (judged less urgent)", True),
    ("over_triage", "over-triage (judged more urgent)", True),
    ("band_accuracy", "right band (1-2, 3, 4-5)", True),
    ("kappa_quadratic", "quadratic weighted kappa", False),
)


def as_text(evaluation: Evaluation) -> str:
    """All scores, the subgroups' main ones, and the share of notes that a person must decide; no note text."""
    model, whole = evaluation.model, evaluation.whole
    parts = [f"{model.bundle} {model.version}, vectors {model.embedding}: {whole.rows} rows"]
    if evaluation.not_assessed:
        parts.append(f"{evaluation.not_assessed} rows got no answer and are in no score.")
    parts += [_task(scores) for scores in whole.tasks.values()]
    parts += [_by(column, evaluation) for column in evaluation.by]
    if whole.review_rate is not None:
        parts.append(f"A person must decide {_share(whole.review_rate)} of the notes.")
    return "\n\n".join(parts) + "\n"


def _task(scores: TaskScores) -> str:
    if not scores.rows:
        return f"{scores.task}: no row has a label"
    lines = [f"{scores.task}: {scores.rows} labelled rows", "", report(scores), ""]
    for name, words, is_share in SUMMARY:
        value = scores.figures.get(name)
        if value is not None:
            interval = scores.intervals.get(name)
            lines.append(f"  {words:<46}{_figure(value, is_share):>8}{_range(interval, is_share)}")
    if scores.acuity:
        lines += [
            _distances("judged less urgent", scores.acuity.under_by_distance),
            _distances("judged more urgent", scores.acuity.over_by_distance),
        ]
    return "\n".join(line.rstrip() for line in lines)


def report(scores: TaskScores) -> str:
    """Precision, recall, F1, support and coverage of each label, then accuracy and the averages."""
    labels = scores.per_label
    width = max(*(_width(label) for label in labels), len("weighted avg"))
    rows = [_row(label, width, *_cells(each)) for label, each in labels.items()]
    support = sum(each.support for each in labels.values())
    averages = [
        _row("accuracy", width, "", "", _two(scores.figures["top1"]), str(support), _two(scores.figures["coverage"])),
        _average("macro avg", width, labels.values(), [1.0] * len(labels)),
        _average("weighted avg", width, labels.values(), [float(each.support) for each in labels.values()]),
    ]
    head = " " * width + " " + "".join(f" {name:>{COLUMN}}" for name in HEADERS)
    return "\n".join(line.rstrip() for line in (head, "", *rows, "", *averages))


def _cells(scores: LabelScores) -> tuple[str, ...]:
    shares = (_two(scores.precision), _two(scores.recall), _two(scores.f1))
    return (*shares, str(scores.support), _two(scores.coverage))


def _average(name: str, width: int, labels: Iterable[LabelScores], weights: list[float]) -> str:
    """A line of means; a figure that is not defined counts as 0, as in scikit-learn."""
    labels = list(labels)
    total = sum(weights)
    means = (
        sum(weight * (value or 0.0) for weight, value in zip(weights, column, strict=True)) / total
        for column in zip(*((each.precision, each.recall, each.f1) for each in labels), strict=True)
    )
    return _row(name, width, *(_two(mean) for mean in means), str(sum(each.support for each in labels)))


def _row(name: str, width: int, *cells: str) -> str:
    return " " * (width - _width(name)) + name + " " + "".join(f" {cell:>{COLUMN}}" for cell in cells)


def _by(column: str, evaluation: Evaluation) -> str:
    """One line a value and task: rows and the figures that matter most."""
    lines = [f"by {column}"]
    values = evaluation.by[column]
    width = max((_width(value) for value in values), default=0)
    for value, group in values.items():
        for scores in group.tasks.values():
            if scores.rows:
                padded = value + " " * (width - _width(value))
                lines.append(f"  {padded}  {scores.task:<12}{scores.rows:>7} rows  {_main_figures(scores)}")
    return "\n".join(lines)


def _main_figures(scores: TaskScores) -> str:
    shown = ("top1", "top3", "coverage", "under_triage", "emergency_recall")
    names = {"top1": "top-1", "top3": "top-3", "under_triage": "under-triage", "emergency_recall": "emergencies found"}
    pairs = ((names.get(name, name), scores.figures.get(name), scores.intervals.get(name)) for name in shown)
    return "  ".join(
        f"{name} {_share(value)}{_range(interval)}" for name, value, interval in pairs if value is not None
    )


def _distances(words: str, counts: Mapping[int, int]) -> str:
    return f"  {words + ', by levels':<46}" + "  ".join(f"{k}: {n}" for k, n in counts.items())


def _figure(value: float, is_share: bool) -> str:
    return _share(value) if is_share else f"{value:.3f}"


def _range(interval: Interval | None, is_share: bool = True) -> str:
    if interval is None:
        return ""
    low, high = (f"{100 * end:.1f}" if is_share else f"{end:.3f}" for end in interval)
    return f" ({low} to {high})"


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"


def _two(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _width(text: str) -> int:
    """Columns that a text takes on a terminal: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
