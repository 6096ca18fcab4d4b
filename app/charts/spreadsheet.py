"""Figures and tables of the Spreadsheet page: what a classified table holds, and how it agrees with a reference."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from app.charts.style import ACCENT, INK, PALETTE, calm, level_colour
from app.text import Voice
from core.bulk.agreement import Agreement
from core.bulk.summary import BINS, NO_LEVEL, Summary
from core.model.scheme import LEVELS

BAR, FRAME = 26, 96  # pixels: a row of a figure, and what stands around the rows
MOST_ROWS = 25  # labels in a figure; its table has them all
NAME = 22  # characters of a label beside a figure
# Pale enough that dark numbers can be read on all of it, on a light and on a dark page.
SCALE = ((0.0, "#f3f7f9"), (1.0, "#6fb0d8"))


def label_name(task: str, label: str, say: Voice) -> str:
    """A label's name; a sentence where a row has none."""
    return say.wording.label(task, label) if label else say("no answer")


def level_counts(summary: Summary) -> dict[str, int]:
    """Rows of each level 1 to 5, then those without one if there are any."""
    found = {str(level): summary.by_level.get(str(level), 0) for level in LEVELS}
    return found | ({NO_LEVEL: rest} if (rest := summary.by_level.get(NO_LEVEL, 0)) else {})


def acuity_by_department(summary: Summary, say: Voice) -> go.Figure:
    """Rows by department and acuity level as a heat map, the most frequent department on top."""
    departments = list(summary.levels)[:MOST_ROWS]
    levels = list(level_counts(summary))
    counts = np.array([[summary.levels[name].get(level, 0) for level in levels] for name in departments])
    names = _names("department", departments, say)
    figure = _counts_map(counts, [level or "–" for level in levels], names, say)
    return _sized(calm(figure, x=say("Acuity level (1 is the most urgent)"), y="", height=_height(len(departments))))


def acuity_by_department_table(summary: Summary, say: Voice) -> pd.DataFrame:
    """The heat map's numbers, all departments."""
    levels = level_counts(summary)
    columns = {say.wording.task("department"): [label_name("department", name, say) for name in summary.levels]}
    return pd.DataFrame(
        columns
        | {
            label_name("acuity", level, say): [counts.get(level, 0) for counts in summary.levels.values()]
            for level in levels
        }
    )


def volume_by_level(summary: Summary, say: Voice) -> go.Figure:
    """Rows by acuity level."""
    counts = level_counts(summary)
    names = [label_name("acuity", level, say) for level in counts]
    colours = [level_colour(level) for level in counts]
    figure = _bars(list(counts.values()), names, colours, [f"{rows:,}" for rows in counts.values()])
    return _sized(calm(figure, x=say("Rows"), height=_height(len(counts))))


def volume_by_department(summary: Summary, say: Voice) -> go.Figure:
    """Rows by department, the most frequent on top."""
    counts = dict(list(summary.departments.items())[:MOST_ROWS])
    names = _names("department", list(counts), say)
    figure = _bars(list(counts.values()), names, [ACCENT] * len(counts), [f"{rows:,}" for rows in counts.values()])
    return _sized(calm(figure, x=say("Rows"), height=_height(len(counts))))


def volume_table(summary: Summary, task: str, say: Voice) -> pd.DataFrame:
    """Rows, their share, and how many of them a person must decide, by label of `department` or `acuity`."""
    counts = level_counts(summary) if task == "acuity" else summary.departments
    review = summary.review_by_level if task == "acuity" else summary.review_by_department
    whole = max(1, sum(counts.values()))
    return pd.DataFrame(
        {
            say.wording.task(task): [label_name(task, label, say) for label in counts],
            say("Rows"): list(counts.values()),
            say("Share"): [f"{rows / whole:.1%}" for rows in counts.values()],
            say("A person must decide"): [review.get(label, 0) for label in counts],
            say("Share of these"): [
                f"{review.get(label, 0) / rows:.0%}" if rows else "–" for label, rows in counts.items()
            ],
        }
    )


def review_share(summary: Summary, say: Voice) -> go.Figure:
    """The share of rows that a person must decide, by department."""
    counts = dict(list(summary.departments.items())[:MOST_ROWS])
    shares = [summary.review_by_department.get(name, 0) / rows for name, rows in counts.items()]
    words = [
        say("{share} of {rows}", share=f"{share:.0%}", rows=f"{rows:,}")
        for share, rows in zip(shares, counts.values(), strict=True)
    ]
    figure = _bars(shares, _names("department", list(counts), say), [PALETTE[0]] * len(counts), words)
    calm(figure, x=say("Share for a person to decide"), height=_height(len(counts)))
    figure.update_xaxes(tickformat=".0%", tickvals=[0, 0.25, 0.5, 0.75, 1], range=[0, 1.35])
    return _sized(figure)


def review_reasons_table(summary: Summary, say: Voice) -> pd.DataFrame:
    """Why a person must decide, the most frequent reason first."""
    return pd.DataFrame(
        {
            say("Reason"): [say.wording.reason(reason) for reason in summary.reasons],
            say("Rows"): list(summary.reasons.values()),
            say("Share of all rows"): [f"{rows / max(1, summary.rows):.0%}" for rows in summary.reasons.values()],
        }
    )


def probabilities(summary: Summary, task: str, say: Voice) -> go.Figure:
    """How sure the answers of one task are: rows by probability of the decided label."""
    counts = summary.histograms[task]
    starts = [place / BINS for place in range(BINS)]
    figure = go.Figure(
        go.Bar(
            x=[start + 0.5 / BINS for start in starts],
            y=list(counts),
            width=0.92 / BINS,
            marker_color=ACCENT,
            customdata=[f"{start:.0%} – {start + 1 / BINS:.0%}" for start in starts],
            hovertemplate="%{customdata}: %{y}<extra></extra>",
        )
    )
    calm(figure, x=say("Probability of the answer"), y=say("Rows"), height=300)
    figure.update_xaxes(tickformat=".0%", range=[0, 1])
    figure.update_yaxes(tickformat=",d", rangemode="tozero")
    return figure


def probabilities_table(summary: Summary, task: str, say: Voice) -> pd.DataFrame:
    """The histogram's numbers."""
    return pd.DataFrame(
        {
            say("Probability of the answer"): [
                f"{place / BINS:.0%} – {(place + 1) / BINS:.0%}" for place in range(BINS)
            ],
            say("Rows"): list(summary.histograms[task]),
        }
    )


def confusion(found: Agreement, say: Voice, most: int = MOST_ROWS) -> go.Figure:
    """Rows by reference label and by the desk's answer, the most frequent labels."""
    rows, columns = _axes(found, most)
    counts = np.array([[found.confusion[true].get(given, 0) for given in columns] for true in rows])
    if found.task == "acuity":
        names, across = [_short(label_name("acuity", true, say)) for true in rows], list(columns)
    else:
        names, across = _names(found.task, rows, say), _names(found.task, columns, say)
    figure = _counts_map(counts, across, names, say)
    height = _height(len(rows)) + (0 if found.task == "acuity" else 130)
    calm(figure, x=say("Answer of the desk"), y=say("Reference"), height=height)
    return _sized(figure)


def confusion_table(found: Agreement, say: Voice) -> pd.DataFrame:
    """The matrix as a table, every label."""
    answers = list(next(iter(found.confusion.values()), {}))
    if found.task == "acuity":
        answers.sort()
    columns: dict[str, Sequence[object]] = {
        say("Reference"): [label_name(found.task, true, say) for true in found.confusion]
    }
    for given in answers:
        columns[label_name(found.task, given, say)] = [row.get(given, 0) for row in found.confusion.values()]
    return pd.DataFrame(columns)


def _axes(found: Agreement, most: int) -> tuple[list[str], list[str]]:
    """Labels down and across; the same ones first on both sides, so that agreement is the diagonal."""
    rows, columns = list(found.confusion), list(next(iter(found.confusion.values()), {}))
    if found.task == "acuity":
        return rows[:most], sorted(columns)[:most]
    shared = [label for label in rows if label in columns]
    return (
        (shared + [label for label in rows if label not in shared])[:most],
        (shared + [label for label in columns if label not in shared])[:most],
    )


def _counts_map(counts: np.ndarray, across: list[str], down: list[str], say: Voice) -> go.Figure:
    words = np.where(counts == 0, "", counts.astype(str))
    figure = go.Figure(
        go.Heatmap(
            z=counts,
            x=across,
            y=down,
            text=words,
            texttemplate="%{text}",
            textfont={"color": INK},
            colorscale=SCALE,
            zmin=0,
            showscale=False,
            xgap=1,
            ygap=1,
            hovertemplate="%{y} / %{x}: %{z}<extra></extra>",
        )
    )
    figure.update_xaxes(type="category", tickangle=0 if max(map(len, across), default=0) < 4 else -90)
    figure.update_yaxes(type="category", autorange="reversed")
    return figure


def _bars(values: Sequence[float], names: list[str], colours: list[str], words: list[str]) -> go.Figure:
    figure = go.Figure(
        go.Bar(
            x=list(values),
            y=names,
            orientation="h",
            marker_color=colours,
            text=words,
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{text}<extra></extra>",
        )
    )
    figure.update_yaxes(type="category", autorange="reversed")
    figure.update_xaxes(range=[0, max([*values, 1]) * 1.2], tickformat=",d", nticks=5)
    return figure


def _names(task: str, labels: Sequence[str], say: Voice) -> list[str]:
    """Names short enough to stand beside a figure, all of them different."""
    names = [_short(label_name(task, label, say)) for label in labels]
    seen: dict[str, int] = {}
    for place, name in enumerate(names):
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            names[place] = f"{name} {seen[name]}"
    return names


def _short(name: str) -> str:
    return name if len(name) <= NAME else name[: NAME - 1] + "…"


def _height(rows: int) -> int:
    return FRAME + BAR * max(rows, 3)


def _sized(figure: go.Figure) -> go.Figure:
    figure.update_layout(showlegend=False)
    return figure
