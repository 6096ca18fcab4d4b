"""What all figures share: colours that colour-blind readers tell apart, and a calm layout."""

import plotly.graph_objects as go

# Okabe and Ito (2008), "Color Universal Design"; without yellow, which is too pale on white, and black.
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#8C6D1F", "#666666")
ACCENT, MUTED = "#0b5c7a", "#8a9aa3"
# Levels 1 to 5, most urgent first; the level's number and name stand beside the colour, always.
ACUITY = ("#b3261e", "#c2570c", "#8a6d00", "#1f7a4d", "#2b5fa8")


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
