"""Figures of one answer."""

from functools import lru_cache
from textwrap import wrap

import plotly.graph_objects as go

from app.charts.style import ACCENT, INK, INK_ON_DARK, MUTED, PALETTE
from app.text import Voice
from core.notes import TaskAnswer
from core.wording import SHOWN, percent

HEIGHT = 144  # pixels: three bars of two lines each, and an axis
LINE, LINES = 16, 2  # characters and lines of a label beside its bar


def shown_bars(answer: TaskAnswer) -> list[tuple[str, float]]:
    """The decided label, then the likeliest others, each with its probability: three in all."""
    others = [(ranked.label, ranked.probability) for ranked in answer.ranked if ranked.label != answer.label]
    return [(answer.label, answer.probability), *others][:SHOWN]


@lru_cache(maxsize=64)  # a page is run again at every click, and making the figure takes most of that time
def probability_bars(answer: TaskAnswer, say: Voice, *, is_dark: bool = False) -> go.Figure:
    """Horizontal bars of the likeliest labels, the decided one on top in a colour of its own and in bold.

    Args:
        answer: one task's answer.
        say: the reader's language.
        is_dark: whether the page's ground is dark.
    """
    ink, accent = (INK_ON_DARK, PALETTE[5]) if is_dark else (INK, ACCENT)
    rows = shown_bars(answer)
    names = [_short(say.wording.label(answer.task, label)) for label, _ in rows]
    names[0] = f"<b>{names[0]}</b>"
    shares = [100 * probability for _, probability in rows]
    bars = {
        "type": "bar",
        "x": shares,
        "y": list(range(len(rows))),
        "orientation": "h",
        "marker": {"color": [accent, *[MUTED] * (len(rows) - 1)]},
        "text": [percent(probability) for _, probability in rows],
        "textposition": "outside",
        "textfont": {"color": ink},
        "cliponaxis": False,
        "customdata": names,
        "hovertemplate": "%{customdata}: %{text}<extra></extra>",
    }
    # All at once: plotly takes six times as long to update a figure that is there already.
    layout = {
        "height": HEIGHT,
        "margin": {"l": 4, "r": 34, "t": 4, "b": 4},
        "hoverlabel": {"align": "left"},
        "bargap": 0.3,
        "showlegend": False,
        "dragmode": False,
        "minreducedwidth": 30,
        "xaxis": {
            "title": {"text": say("Probability (%)"), "standoff": 2, "font": {"color": ink, "size": 12}},
            "automargin": True,
            "range": [0, 100],
            "tickvals": [0, 50, 100],
            "tickangle": 0,
            "fixedrange": True,
            "tickfont": {"color": ink},
        },
        "yaxis": {
            "automargin": True,
            "tickvals": list(range(len(rows))),
            "ticktext": names,
            "range": [len(rows) - 0.5, -0.5],
            "fixedrange": True,
            "showgrid": False,
            "tickfont": {"color": ink, "size": 12},
        },
    }
    return go.Figure([bars], layout)


def _short(name: str) -> str:
    return "<br>".join(wrap(name, LINE, max_lines=LINES, placeholder="…"))
