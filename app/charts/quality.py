"""The figures of the Quality page: the evaluation report's, in the reader's words; and two bundles compared."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import escape
from textwrap import wrap

import plotly.graph_objects as go

from app.charts.style import PALETTE
from app.text import Voice
from core.model import figures
from core.model.held_out import Difference
from core.model.metrics import TaskScores

WIDEST_NAME = 17  # characters of a label before it is broken, so that a telephone has room for the bars
MANY = 8  # labels, from which on columns are numbered
ENOUGH = 20  # notes, under which a share says little
BLUE, ORANGE, GREY = PALETTE[5], PALETTE[1], PALETTE[7]  # pale enough that an interval is seen on the bar


def named(scores: TaskScores, say: Voice) -> TaskScores:
    """The scores with labels as the reader calls them."""
    names = {label: say.wording.label(scores.task, label) for label in (*scores.per_label, *scores.confusion)}
    if len(set(names.values())) < len(names):
        return scores  # two labels with one name would be added up
    return replace(
        scores,
        per_label={names[label]: each for label, each in scores.per_label.items()},
        confusion={
            names[truth]: {names.get(decided, decided): count for decided, count in row.items()}
            for truth, row in scores.confusion.items()
        },
    )


def reliability_chart(scores: TaskScores, say: Voice) -> go.Figure:
    """How often the first answer is right, by the probability that was shown; below, how many notes that is."""
    figure = figures.reliability_figure(scores)
    ideal, model, counts = figure.data
    ideal.name = say("shown = right")
    model.name = say("this model")
    model.marker.symbol = [
        "circle" if each.count >= ENOUGH else "circle-open" for each in scores.reliability if each.count
    ]
    model.hovertemplate = say("shown: {x}<br>right: {y}", x="%{x:.0f} %", y="%{y:.0f} %") + "<extra></extra>"
    counts.hovertemplate = say("{count} notes", count="%{y:,}") + "<extra></extra>"
    figure.update_xaxes(title_text=say("Probability shown (%)"), row=2, col=1)
    figure.update_yaxes(title_text=say("Right (%)"), row=1, col=1)
    figure.update_yaxes(title_text=say("Notes"), row=2, col=1)
    return _on_page(figure)


def confusion_chart(scores: TaskScores, say: Voice) -> go.Figure:
    """Notes by right answer (line) and given answer (column): the count, shaded by its share of the line.

    Where there are many labels, the columns have numbers instead of names: those that stand before the lines' names.
    """
    figure = figures.confusion_figure(named(scores, say))
    heat = figure.data[0]
    heat.textfont.size = None  # chosen by the browser, so that it fits into the cell
    heat.showscale = False
    heat.hovertemplate = (
        say("right: {y}<br>given: {x}<br>{count} notes, {share}",
            x="%{x}", y="%{y}", count="%{text}", share="%{z:.0f} %") + "<extra></extra>"
    )  # fmt: skip
    names, numbers = list(heat.y), [str(place) for place in range(1, len(heat.y) + 1)]
    many = len(names) > MANY
    lines = [f"{name} {number}" for name, number in zip(names, numbers, strict=True)] if many else names
    figure.update_xaxes(
        title_text=say("Answer given"),
        tickvals=names,
        ticktext=numbers if many else _broken(names),
        tickangle=-90 if many else 0,
        tickfont={"size": 9 if many else 12},
    )
    figure.update_yaxes(title_text=say("Right answer"), tickvals=names, ticktext=_broken(lines))
    return _on_page(figure)


def label_chart(scores: TaskScores, say: Voice) -> go.Figure:
    """For each label two bars with 95 % intervals: of its notes the share found, and how often it is right if given."""
    worded = named(scores, say)
    figure = figures.per_label_figure(worded)
    labels = [each for each in worded.per_label.values() if each.support]
    found = figure.data[0]
    found.update(name=say("found"), marker={"color": BLUE}, hovertemplate="%{x:.0f} %<extra></extra>")
    found.error_x.color = GREY
    right = [each.precision for each in labels]
    ends = [each.intervals.get("precision", (each.precision or 0.0,) * 2) for each in labels]
    trusted = go.Bar(
        x=[None if value is None else 100 * value for value in right],
        y=found.y,
        orientation="h",
        name=say("right when given"),
        marker={"color": ORANGE, "pattern": {"shape": "/"}},
        error_x={
            "array": [100 * (high - (value or 0)) for value, (_, high) in zip(right, ends, strict=True)],
            "arrayminus": [100 * ((value or 0) - low) for value, (low, _) in zip(right, ends, strict=True)],
            "color": GREY,
            "thickness": 1.2,
            "width": 3,
        },
        hovertemplate="%{x:.0f} %<extra></extra>",
    )
    figure = go.Figure([found, trusted], layout=figure.layout)
    figure.update_layout(barmode="group", height=140 + 40 * len(labels), legend={"traceorder": "normal"})
    return _bars(figure, x=say("Share of notes (%)"), y=say("Label (notes)"))


def coverage_chart(scores: TaskScores, stated: float | None, say: Voice) -> go.Figure:
    """How often each label is among the possible answers when it is the right one, beside the share promised."""
    figure = figures.coverage_figure(named(scores, say), stated)
    figure.data[0].hovertemplate = "%{x:.0f} %<extra></extra>"
    for line in figure.layout.shapes:
        line.line.color = GREY
    for note in figure.layout.annotations:
        note.text = say("promised {share} %", share=f"{100 * (stated or 0):g}")
    return _bars(figure, x=say("Right answer among the possible ones (%)"), y=say("Label (notes)"))


def set_size_chart(scores: TaskScores, say: Voice) -> go.Figure:
    """Notes by how many answers stay possible."""
    figure = figures.set_size_figure(scores)
    figure.data[0].hovertemplate = (
        say("{count} possible: {share} of notes", count="%{x}", share="%{y:.1f} %") + "<extra></extra>"
    )
    figure.update_xaxes(title_text=say("Answers that stay possible"))
    figure.update_yaxes(title_text=say("Share of notes (%)"))
    return _on_page(figure)


def distance_chart(scores: TaskScores, say: Voice) -> go.Figure | None:
    """Notes judged too urgent (left) and not urgent enough (right), by levels; none for another task than acuity."""
    if scores.acuity is None:
        return None
    figure = figures.distance_figure(scores.acuity, scores.rows)
    for bars, name in zip(figure.data, (say("judged too urgent"), say("judged not urgent enough")), strict=True):
        bars.name = name
        bars.hovertemplate = say("{levels} levels: {share} of notes", levels="%{x:+d}", share="%{y:.1f} %")
    figure.update_xaxes(title_text=say("Levels off (− too urgent, + not urgent enough)"))
    figure.update_yaxes(title_text=say("Share of notes (%)"))
    return _on_page(figure)


def comparison_chart(
    differences: Sequence[Difference], bundles: tuple[str, str], titles: Mapping[str, str], say: Voice
) -> go.Figure:
    """The shares that both bundles have, as two marks a line with their 95 % intervals.

    Args:
        differences: the figures compared.
        bundles: names of the first and the second.
        titles: names on screen of the figures that are shares; others are left out.
        say: the reader's language.
    """
    shares = [each for each in differences if each.figure in titles and each.this_interval and each.other_interval]
    names = ["<br>".join(wrap(titles[each.figure], WIDEST_NAME)) for each in shares]
    figure = go.Figure()
    marks = (("circle", PALETTE[0]), ("diamond", PALETTE[3]))
    for place, (symbol, colour) in enumerate(marks):
        values = [
            (each.this, each.this_interval) if place == 0 else (each.other, each.other_interval) for each in shares
        ]
        points = [(100 * value, 100 * low, 100 * high) for value, (low, high) in _complete(values)]
        figure.add_scatter(
            x=[value for value, _, _ in points],
            y=names,
            mode="markers",
            name=escape(bundles[place]),
            orientation="h",
            offsetgroup=str(place),
            marker={"symbol": symbol, "size": 10, "color": colour},
            error_x={
                "array": [high - value for value, _, high in points],
                "arrayminus": [value - low for value, low, _ in points],
                "color": colour,
                "thickness": 2,
                "width": 4,
            },
            hovertemplate="%{x:.1f} %<extra>" + escape(bundles[place]) + "</extra>",
        )
    figure.update_layout(
        scattermode="group",
        height=150 + 56 * len(names),
        margin={"l": 8, "r": 16, "t": 56, "b": 8},
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "xanchor": "left"},
        dragmode=False,
    )
    figure.update_xaxes(range=[0, 101], fixedrange=True, title_text=say("Share of notes (%)"), automargin=True)
    figure.update_yaxes(
        type="category", autorange="reversed", fixedrange=True, title_text=say("Figure"), automargin=True
    )
    return _on_page(figure)


def _complete(
    values: Sequence[tuple[float | None, tuple[float, float] | None]],
) -> list[tuple[float, tuple[float, float]]]:
    return [(value, interval) for value, interval in values if value is not None and interval is not None]


def _bars(figure: go.Figure, *, x: str, y: str) -> go.Figure:
    """Axis titles in the reader's words, and long names on the left in several lines."""
    names = figure.data[0].y
    figure.update_xaxes(title_text=x)
    figure.update_yaxes(title_text=y, tickvals=names, ticktext=_broken(names))
    return _on_page(figure)


def _broken(names: Sequence[str]) -> list[str]:
    return ["<br>".join(wrap(name, WIDEST_NAME)) if len(name) > WIDEST_NAME else name for name in names]


def _on_page(figure: go.Figure) -> go.Figure:
    """The figure without colours of paper and ink: the page's theme, light or dark, gives them."""
    figure.update_layout(paper_bgcolor=None, plot_bgcolor=None, font={"color": None, "family": None})
    figure.update_xaxes(gridcolor=None)
    figure.update_yaxes(gridcolor=None)
    return figure
