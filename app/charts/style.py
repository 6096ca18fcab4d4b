"""What all figures share: colours that colour-blind readers tell apart, and a calm layout."""

import plotly.graph_objects as go

from core.model.scheme import scheme_in_use

# Okabe and Ito (2008), "Color Universal Design"; without yellow, which is too pale on white, and black.
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#8C6D1F", "#666666")
# Each at least 3 to 1 against the light and the dark ground (WCAG 1.4.11).
ACCENT, MUTED = "#14708f", "#7f909a"
INK, INK_ON_DARK = "#0f1a20", "#eef3f5"  # textColor of .streamlit/config.toml; figures take a paler one by themselves


def level_colour(label: str) -> str:
    """The scheme's colour of an acuity level, grey for any other label. Number and name stand beside it, always."""
    level = scheme_in_use().level(label)
    return level.colour if level else MUTED


def calm(figure: go.Figure, *, x: str = "", y: str = "", height: int = 320) -> go.Figure:
    """The figure with axis titles, small margins and no tool bar clutter. Height in pixels."""
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 24, "b": 8},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0},
        hoverlabel={"align": "left"},
    )
    figure.update_xaxes(title_text=x or None, automargin=True)
    figure.update_yaxes(title_text=y or None, automargin=True)
    return figure


def inked(figure: go.Figure, *, is_dark: bool) -> go.Figure:
    """The figure with its words in the colour of the page's; the theme's own for figures is too pale."""
    ink = INK_ON_DARK if is_dark else INK
    figure.update_layout(font={"color": ink}, legend={"font": {"color": ink}})
    figure.update_traces(textfont={"color": ink}, selector={"type": "bar"})
    for update in (figure.update_xaxes, figure.update_yaxes):
        update(tickfont={"color": ink}, title_font={"color": ink})
    return figure
