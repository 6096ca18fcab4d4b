"""An evaluation as one HTML file that needs nothing from elsewhere: figures, and a table beside each."""

import os
import tempfile
from collections.abc import Iterable
from html import escape
from pathlib import Path

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from core.errors import TableError
from core.model.acuity_metrics import AcuityScores
from core.model.evaluation import Evaluation
from core.model.evaluation_text import SUMMARY, as_text
from core.model.figures import (
    confusion_figure,
    coverage_figure,
    distance_figure,
    per_label_figure,
    reliability_figure,
    set_size_figure,
)
from core.model.metrics import TaskScores
from core.model.report_tables import (
    confusion_table,
    coverage_table,
    distance_table,
    figure_in_words,
    label_table,
    reliability_table,
    set_size_table,
    table,
)

__all__ = ["as_text", "report_html", "write_report"]

REPORT = "report.html"
STYLE = Path(__file__).with_name("report.css")
# The browser itself then refuses to fetch anything from anywhere.
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
# What a subgroup must not hide stands first: a narrow screen shows the first columns.
GROUP_FIGURES = ("top1", "emergency_recall", "under_triage", "top3", "coverage", "ece")
SHORT = {
    "top1": "Top-1",
    "top3": "Top-3",
    "ece": "ECE",
    "coverage": "Coverage",
    "emergency_recall": "Emergencies found",
    "under_triage": "Under-triage",
}


def write_report(evaluation: Evaluation, folder: Path) -> Path:
    """Write `report.html` into `folder`, which is made if it is not there; the file's path.

    Raises:
        TableError: the folder can't be written.
    """
    draft: str | None = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(prefix=".report-", dir=folder)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(report_html(evaluation))
        os.chmod(draft, 0o644)
        os.replace(draft, folder / REPORT)
    except OSError as error:
        if draft:
            Path(draft).unlink(missing_ok=True)
        raise TableError(
            f"The report can't be written into {folder} ({error.strerror}). Name another folder."
        ) from None
    return folder / REPORT


def report_html(evaluation: Evaluation) -> str:
    """The whole page. It holds figures, labels and names of columns, and no note's text."""
    model, whole = evaluation.model, evaluation.whole
    scored = [scores for scores in whole.tasks.values() if scores.rows]
    targets = [(scores.task, scores.task) for scores in scored] + [
        (f"by-{name}", f"by {name}") for name in evaluation.by
    ]
    links = (f'<a href="#{_anchor(target)}">{escape(words)}</a>' for target, words in targets)
    sections = [_task_section(scores, evaluation.coverage.get(scores.task)) for scores in scored]
    sections += [_group_section(name, evaluation) for name in evaluation.by]
    unlabelled = [scores.task for scores in whole.tasks.values() if not scores.rows]
    title = f"Evaluation of {model.bundle}"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<link rel="icon" href="data:,">
<title>{escape(title)}</title>
<style>{STYLE.read_text(encoding="utf-8")}</style>
<script>{get_plotlyjs()}</script>
</head>
<body>
<header><div>
<h1>{escape(title)}</h1>
<p>Version {escape(model.version)}, embedding space {escape(model.embedding)}</p>
</div></header>
<nav aria-label="Sections"><div>{"".join(links)}</div></nav>
<main>
<h2>In short</h2>
{_facts(_overview(evaluation))}
{f"<p>No row has a label for: {escape(', '.join(unlabelled))}.</p>" if unlabelled else ""}
{"".join(sections)}
</main>
<footer><p>Intervals are 95 % bootstrap intervals. The desk advises; a person decides.</p></footer>
</body>
</html>
"""


def _overview(evaluation: Evaluation) -> list[tuple[str, str, str]]:
    """What a reader wants first: name, figure, remark."""
    whole = evaluation.whole
    facts = [
        ("Rows", f"{whole.rows:,}", f"{evaluation.not_assessed:,} got no answer" if evaluation.not_assessed else "")
    ]
    for scores in whole.tasks.values():
        if scores.rows:
            facts.append((f"{scores.task}: right first", *figure_in_words(scores, "top1")))
    if whole.review_rate is not None:
        facts.append(("A person must decide", f"{100 * whole.review_rate:.1f} %", "of the notes"))
    return facts


def _task_section(scores: TaskScores, stated: float | None) -> str:
    task = scores.task
    facts = [
        (words, *figure_in_words(scores, name)) for name, words, _ in SUMMARY if scores.figures.get(name) is not None
    ]
    articles = [
        _article(
            "Does a stated probability come true?",
            "Points under the dashed line: the model is too sure. Points above it: it is too careful.",
            reliability_figure(scores),
            reliability_table(scores),
            f"{task}-reliability",
        ),
        _article(
            "Label by label",
            "Recall: the share found of the rows with the label. Precision: the share right of those decided for it.",
            per_label_figure(scores),
            label_table(scores),
            f"{task}-labels",
        ),
        _article(
            "Which labels are taken for which",
            "Each line is one reference label; the darker a cell, the larger its share of the line. Cells show rows.",
            confusion_figure(scores),
            confusion_table(scores),
            f"{task}-confusion",
            wide=len(scores.per_label) > 6,
        ),
        _article(
            "Is the right answer in the prediction set?",
            "Labels far left of the stated coverage are missed more often than promised.",
            coverage_figure(scores, stated),
            coverage_table(scores, stated),
            f"{task}-coverage",
        ),
        _article(
            "How many answers a prediction set holds",
            "One answer: the model is sure. More, or none: a person must decide.",
            set_size_figure(scores),
            set_size_table(scores),
            f"{task}-sets",
        ),
    ]
    if scores.acuity:
        articles.insert(0, _acuity_article(scores.acuity, scores.rows))
    return f'<section id="{_anchor(task)}"><h2>{escape(task)}</h2>{_facts(facts)}{"".join(articles)}</section>'


def _acuity_article(acuity: AcuityScores, rows: int) -> str:
    return _article(
        "How far the judged level is from the reference",
        "To the right, hatched, are patients judged less urgent than they were: the dangerous side.",
        distance_figure(acuity, rows),
        distance_table(acuity, rows),
        "acuity-distance",
    )


def _group_section(column: str, evaluation: Evaluation) -> str:
    every = [scores for group in evaluation.by[column].values() for scores in group.tasks.values()]
    names = [name for name in GROUP_FIGURES if any(scores.figures.get(name) is not None for scores in every)]
    rows = [
        (value, scores.task, f"{scores.rows:,}", *(" ".join(figure_in_words(scores, name)).strip() for name in names))
        for value, group in evaluation.by[column].items()
        for scores in group.tasks.values()
        if scores.rows
    ]
    header = (column, "Task", "Rows", *(SHORT[name] for name in names))
    scores_table = table(f"Scores by {column}, 95 % intervals in brackets", header, rows)
    heading = f"<h2>By {escape(column)}</h2>"
    return f'<section id="{_anchor(f"by-{column}")}">{heading}<article>{scores_table}</article></section>'


def _article(title: str, words: str, figure: go.Figure, tables: str, name: str, *, wide: bool = False) -> str:
    """A figure with its table; `wide` puts the table below instead of beside."""
    plot = figure.to_html(
        include_plotlyjs=False,
        full_html=False,
        div_id=_anchor(f"figure-{name}"),
        config={"responsive": True, "displayModeBar": False},
        default_width="100%",
        default_height=f"{figure.layout.height}px",
    )
    return (
        f"<article{' class=wide' if wide else ''}><h3>{escape(title)}</h3><p>{escape(words)}</p>"
        f'<div class="pair"><figure role="img" aria-label="{escape(title)} {escape(words)} The table has the numbers.">'
        f"{plot}</figure><div>{tables}</div></div></article>"
    )


def _facts(facts: Iterable[tuple[str, str, str]]) -> str:
    cells = []
    for name, value, remark in facts:
        small = f"<small>{escape(remark)}</small>" if remark else ""
        cells.append(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}{small}</dd></div>")
    return f'<dl class="facts">{"".join(cells)}</dl>'


def _anchor(name: str) -> str:
    """A name that can stand in an id and in a link, the same for the same name."""
    return "".join(character if character.isalnum() else "-" for character in name)
