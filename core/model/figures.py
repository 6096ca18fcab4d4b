"""Plotly figures of a task's scores: pure functions, each with axes that name their units.

The colours are Okabe and Ito's, which people with any kind of colour vision can tell apart; what a colour says also
stands in words or numbers.
"""

from collections.abc import Mapping, Sequence
from html import escape

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.model.acuity_metrics import AcuityScores
from core.model.intervals import Interval
from core.model.metrics import LabelScores, TaskScores

BLUE, ORANGE, GREEN, GREY, INK = "#0072b2", "#d55e00", "#009e73", "#8a94a0", "#1f2933"
GRID = "#e4e8ec"
FONT = "system-ui, 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif"
BAR_HEIGHT = 30
SHORTEST = 300
LONG_NAME = 16


def reliability_figure(scores: TaskScores) -> go.Figure:
    """How often the likeliest answer is right, by the probability it was given; below, how many rows that is."""
    bins = [each for each in scores.reliability if each.count]
    confidence = [100 * each.confidence for each in bins if each.confidence is not None]
    accuracy = [100 * each.accuracy for each in bins if each.accuracy is not None]
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.72, 0.28], vertical_spacing=0.06)
    figure.add_scatter(
        x=[0, 100], y=[0, 100], mode="lines", line={"color": GREY, "dash": "dash"}, name="perfect", hoverinfo="skip"
    )
    figure.add_scatter(
        x=confidence,
        y=accuracy,
        mode="lines+markers",
        line={"color": BLUE, "width": 2},
        marker={"size": 8},
        name="this model",
        hovertemplate="stated %{x:.0f} %<br>right %{y:.0f} %<extra></extra>",
    )
    figure.add_bar(
        x=[50 * (each.low + each.high) for each in bins],
        y=[each.count for each in bins],
        width=[90 * (each.high - each.low) for each in bins],
        marker_color=GREY,
        showlegend=False,
        hovertemplate="%{y:,} rows<extra></extra>",
        row=2,
        col=1,
    )
    figure.update_xaxes(range=[0, 100], tickvals=[0, 25, 50, 75, 100])
    figure.update_xaxes(title="Probability stated (%)", row=2, col=1)
    figure.update_yaxes(title="Right (%)", range=[0, 102], tickvals=[0, 25, 50, 75, 100], row=1, col=1)
    figure.update_yaxes(title="Rows", nticks=4, rangemode="tozero", row=2, col=1)
    return _styled(figure, 400)


def confusion_figure(scores: TaskScores) -> go.Figure:
    """Rows by reference label and decided label, each line as shares of its reference label; counts in the cells."""
    labels = list(scores.per_label)
    counts = [[scores.confusion.get(truth, {}).get(decided, 0) for decided in labels] for truth in labels]
    shares = [[100 * count / max(1, sum(row)) for count in row] for row in counts]
    names = [escape(label) for label in labels]
    figure = go.Figure(
        go.Heatmap(
            z=shares,
            x=names,
            y=names,
            zmin=0,
            zmax=100,
            colorscale="Blues",
            text=[[f"{count:,}" if count else "" for count in row] for row in counts],
            texttemplate="%{text}",
            textfont={"size": 11},
            xgap=1,
            ygap=1,
            colorbar={"title": {"text": "% of reference", "side": "right"}, "thickness": 10, "outlinewidth": 0},
            hovertemplate="reference %{y}<br>decided %{x}<br>%{text} rows, %{z:.0f} %<extra></extra>",
        )
    )
    # Labels like 1 to 5 are names here, not places on a scale.
    figure.update_xaxes(title="Decided", type="category", tickangle=-60 if len(labels) > 6 else 0, showgrid=False)
    figure.update_yaxes(title="Reference", type="category", autorange="reversed", showgrid=False)
    return _styled(figure, max(360, 180 + BAR_HEIGHT * len(labels)))


def per_label_figure(scores: TaskScores) -> go.Figure:
    """Recall of each label as a bar with its 95 % interval, precision as a diamond; its rows behind its name."""
    labels = {label: each for label, each in scores.per_label.items() if each.support}
    names = [_bar_name(label, each.support) for label, each in labels.items()]
    recall = [100 * (each.recall or 0) for each in labels.values()]
    above, below = _error_bars([each.recall for each in labels.values()], _intervals(labels, "recall"))
    figure = go.Figure(
        go.Bar(
            x=recall,
            y=names,
            orientation="h",
            marker_color=BLUE,
            name="recall, 95 % interval",
            error_x={"array": above, "arrayminus": below, "color": INK, "thickness": 1.2, "width": 3},
            hovertemplate="recall %{x:.0f} %<extra></extra>",
        )
    )
    figure.add_scatter(
        x=[None if each.precision is None else 100 * each.precision for each in labels.values()],
        y=names,
        mode="markers",
        marker={"symbol": "diamond", "size": 9, "color": ORANGE, "line": {"color": "white", "width": 1}},
        name="precision",
        hovertemplate="precision %{x:.0f} %<extra></extra>",
    )
    figure.update_xaxes(title="Share (%)", range=[0, 102])
    figure.update_yaxes(title="Label (rows)", type="category", autorange="reversed", showgrid=False)
    return _styled(figure, max(SHORTEST, 130 + BAR_HEIGHT * len(names)))


def coverage_figure(scores: TaskScores, stated: float | None) -> go.Figure:
    """How often each label is in the prediction set when it is the right one, beside the coverage stated."""
    supported = {label: each for label, each in scores.per_label.items() if each.support}
    labels = {_bar_name(label, each.support): each.coverage for label, each in supported.items()}
    figure = go.Figure(
        go.Bar(
            x=[100 * (share or 0) for share in labels.values()],
            y=list(labels),
            orientation="h",
            marker_color=GREEN,
            name="in the set",
            hovertemplate="%{x:.0f} %<extra></extra>",
        )
    )
    if stated is not None:
        figure.add_vline(x=100 * stated, line={"color": INK, "dash": "dash", "width": 1.5})
        figure.add_annotation(
            x=100 * stated,
            y=1,
            yref="paper",
            yanchor="bottom",
            xanchor="right",
            showarrow=False,
            text=f"stated {100 * stated:g} %",
        )
    figure.update_xaxes(title="In the set (%)", range=[0, 102])
    figure.update_yaxes(title="Label (rows)", type="category", autorange="reversed", showgrid=False)
    return _styled(figure, max(SHORTEST, 120 + BAR_HEIGHT * len(labels)))


def set_size_figure(scores: TaskScores) -> go.Figure:
    """Rows by the number of answers in their prediction set."""
    sizes = [str(size) for size in scores.set_sizes]
    shares = [100 * count / scores.rows for count in scores.set_sizes.values()]
    figure = go.Figure(
        go.Bar(x=sizes, y=shares, marker_color=BLUE, hovertemplate="%{x} answers: %{y:.1f} % of rows<extra></extra>")
    )
    figure.update_xaxes(title="Answers in the prediction set", type="category")
    figure.update_yaxes(title="Share of rows (%)", rangemode="tozero")
    return _styled(figure, SHORTEST)


def distance_figure(acuity: AcuityScores, rows: int) -> go.Figure:
    """Rows judged too urgent (left) and not urgent enough (right), by how many levels."""
    figure = go.Figure()
    for name, counts, sign, colour in (
        ("over-triage", acuity.over_by_distance, -1, BLUE),
        ("under-triage", acuity.under_by_distance, 1, ORANGE),
    ):
        figure.add_bar(
            x=[sign * k for k in counts],
            y=[100 * count / rows for count in counts.values()],
            name=name,
            marker={"color": colour, "pattern": {"shape": "/" if sign > 0 else ""}},
            text=[f"{count:,}" for count in counts.values()],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{x:+d} levels: %{y:.1f} % of rows<extra>" + name + "</extra>",
        )
    places = [k for k in range(-4, 5) if k]
    figure.update_xaxes(
        title="Levels off (− more urgent, + less)",
        tickvals=places,
        ticktext=[f"−{-k}" if k < 0 else f"+{k}" for k in places],
    )
    figure.update_yaxes(title="Share of rows (%)", rangemode="tozero")
    return _styled(figure, 340)


def _bar_name(label: str, support: int) -> str:
    """A label and its rows; a long one is broken at its underscores, so that a telephone has room for the bars."""
    return f"{escape(label).replace('_', '_<br>') if len(label) > LONG_NAME else escape(label)} ({support:,})"


def _intervals(labels: Mapping[str, LabelScores], name: str) -> list[Interval | None]:
    return [each.intervals.get(name) for each in labels.values()]


def _error_bars(
    values: Sequence[float | None], intervals: Sequence[Interval | None]
) -> tuple[list[float], list[float]]:
    """How far each interval reaches above and below its value, in percent points."""
    pairs = [(value or 0.0, interval or (value or 0.0,) * 2) for value, interval in zip(values, intervals, strict=True)]
    return [100 * max(0.0, high - v) for v, (_, high) in pairs], [100 * max(0.0, v - low) for v, (low, _) in pairs]


def _styled(figure: go.Figure, height: int) -> go.Figure:
    """One look for all: white, thin grid, no title (the page has it), a legend above."""
    figure.update_layout(
        height=height,
        autosize=True,
        margin={"l": 8, "r": 16, "t": 36, "b": 8},
        font={"family": FONT, "size": 13, "color": INK},
        paper_bgcolor="white",
        plot_bgcolor="white",
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "xanchor": "left"},
        hoverlabel={"font": {"family": FONT}},
        bargap=0.3,
        dragmode=False,  # a finger on the figure scrolls the page
    )
    figure.update_xaxes(
        gridcolor=GRID, zeroline=False, fixedrange=True, automargin=True, title_standoff=10, title_font_size=13
    )
    figure.update_yaxes(
        gridcolor=GRID, zeroline=False, fixedrange=True, automargin=True, title_standoff=10, title_font_size=13
    )
    return figure
