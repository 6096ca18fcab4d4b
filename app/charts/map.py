"""The map of notes: points in two or three dimensions, and what a selection is made of."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go

from app.charts.map_colours import Colouring, PointGroup
from app.charts.style import ACCENT, MUTED, PALETTE, calm
from app.text import Voice
from core.explore.points import Coordinates, MapData
from core.explore.selection import MixRow

Drag = Literal["lasso", "select", "pan"]
HEIGHT = 560
MOST_POINTS = 100_000
BARS = 10
# Under so many points they are drawn larger.
FEW, SOME = 3_000, 20_000


def map_figure(
    data: MapData,
    colouring: Colouring,
    say: Voice,
    *,
    backdrop: Coordinates | None = None,
    mark: Coordinates | None = None,
    drag: Drag = "lasso",
) -> go.Figure:
    """The notes as points, by WebGL; a selected point is known by its id in `customdata`.

    Args:
        data: where the notes lie, in two or three dimensions.
        colouring: of the same notes.
        say: the reader's language.
        backdrop: further points drawn pale behind them, with the same number of dimensions; they can't be selected.
        mark: one place to point out, shape (dimensions,).
        drag: what dragging does; Streamlit lets points be clicked only with `pan`.
    """
    figure = go.Figure()
    if backdrop is not None:
        figure.add_trace(_trace(backdrop, _quiet(say("Reference notes of the model"), len(data.ids))))
    for group in colouring.groups:
        figure.add_trace(_group_trace(data, group, colouring))
    if mark is not None:
        star = {"color": "#000000", "size": 14, "symbol": "cross" if len(mark) == 3 else "star"}
        look = {"name": say("Your note"), "marker": star, "hovertemplate": say("Your note") + "<extra></extra>"}
        figure.add_trace(_trace(mark[None], look))
    titles = [axis_title(number, share, say) for number, share in enumerate(data.explained, start=1)]
    return _three_axes(figure, titles) if len(titles) == 3 else _two_axes(figure, titles, drag)


def axis_title(number: int, share: float, say: Voice) -> str:
    """The title of an axis, with the share of all variance that it shows."""
    return say("Axis {number} ({share} of the spread)", number=number, share=f"{share:.1%}")


def synthetic_map(points: int = MOST_POINTS, seed: int = 0) -> tuple[MapData, Colouring]:
    """A map of made-up points in eight clouds, for measuring how fast a figure is drawn."""
    random = np.random.default_rng(seed)
    clouds = random.integers(0, len(PALETTE), points)
    centres = random.normal(0, 1, (len(PALETTE), 2))
    placed = (centres[clouds] + random.normal(0, 0.25, (points, 2))).astype(np.float32)
    ids = np.arange(1, points + 1, dtype=np.int64)
    groups = (
        PointGroup(f"{cloud + 1}", colour, "circle", np.flatnonzero(clouds == cloud))
        for cloud, colour in enumerate(PALETTE)
    )
    return MapData(ids, placed, (), (0.5, 0.25)), Colouring("", tuple(groups))


def mix_figure(rows: Sequence[MixRow], names: Sequence[str], title: str, say: Voice) -> go.Figure:
    """Bars of each value's share in the selection, and a mark at its share in the rest."""
    kept = list(zip(rows, names, strict=True))[:BARS][::-1]
    labels = [name for _, name in kept]
    bars = go.Bar(
        x=[row.share_selected for row, _ in kept], y=labels, orientation="h", name=say("Selected"), marker_color=ACCENT
    )
    rest = go.Scatter(
        x=[row.share_rest for row, _ in kept],
        y=labels,
        mode="markers",
        name=say("All others"),
        marker={"color": PALETTE[3], "symbol": "diamond", "size": 10, "line": {"color": "#ffffff", "width": 1}},
    )
    figure = calm(go.Figure([bars, rest]), x=say("Share of notes"), y=title, height=110 + 26 * max(2, len(kept)))
    figure.update_traces(hovertemplate="%{y}: %{x:.1%}<extra>%{fullData.name}</extra>")
    return figure.update_xaxes(tickformat=".0%", rangemode="tozero").update_yaxes(type="category", title_standoff=16)


def _group_trace(data: MapData, group: PointGroup, colouring: Colouring) -> go.Scattergl | go.Scatter3d:
    size = 7 if len(data.ids) <= FEW else 5 if len(data.ids) <= SOME else 3
    marker: dict[str, Any] = {"size": size if data.coordinates.shape[1] == 2 else max(2, size - 3)}
    marker |= {"symbol": group.symbol, "opacity": 0.75}
    hover = "%{fullData.name}<br>%{customdata}<extra></extra>"
    if colouring.amounts is None:
        marker["color"] = group.colour
    else:
        amounts = colouring.amounts[group.places].astype(np.float32)
        bar = {"tickformat": ".0%", "thickness": 12, "title": {"text": colouring.title, "side": "right"}}
        marker |= {"color": amounts, "colorscale": "Cividis", "cmin": 0, "cmax": 1, "colorbar": bar}
        hover = "%{marker.color:.0%}<br>%{customdata}<extra></extra>"
    look: dict[str, Any] = {
        "name": group.name,
        "marker": marker,
        "customdata": data.ids[group.places],
        "hovertemplate": hover,
    }
    look["showlegend"] = colouring.amounts is None
    return _trace(data.coordinates[group.places], look)


def _quiet(name: str, points: int) -> dict[str, Any]:
    size = 5 if points <= SOME else 3
    return {"name": name, "marker": {"color": MUTED, "size": size, "opacity": 0.25}, "hoverinfo": "skip"}


def _trace(placed: Coordinates, look: dict[str, Any]) -> go.Scattergl | go.Scatter3d:
    if placed.shape[1] == 3:
        return go.Scatter3d(x=placed[:, 0], y=placed[:, 1], z=placed[:, 2], mode="markers", **look)
    unselected = {"marker": {"opacity": 0.12}}
    return go.Scattergl(x=placed[:, 0], y=placed[:, 1], mode="markers", unselected=unselected, **look)


def _two_axes(figure: go.Figure, titles: Sequence[str], drag: Drag) -> go.Figure:
    calm(figure, x=titles[0], y=titles[1], height=HEIGHT)
    figure.update_yaxes(scaleanchor="x", scaleratio=1, zeroline=False).update_xaxes(zeroline=False)
    return figure.update_layout(dragmode=drag, legend=_legend())


def _three_axes(figure: go.Figure, titles: Sequence[str]) -> go.Figure:
    font = {"size": 11}  # a title stands along its axis and is cut where the box ends
    scene: dict[str, Any] = {
        f"{axis}axis": {"title": {"text": title, "font": font}, "tickfont": font, "nticks": 5}
        for axis, title in zip("xyz", titles, strict=True)
    }
    scene["camera"] = {"eye": {"x": 1.5, "y": 1.5, "z": 1.1}, "center": {"x": 0, "y": 0, "z": -0.1}}
    calm(figure, height=HEIGHT)
    return figure.update_layout(scene=scene | {"aspectmode": "cube"}, legend=_legend())


def _legend() -> dict[str, Any]:
    """Below the points, scrolled inside where there are many values."""
    return {
        "orientation": "h",
        "yanchor": "top",
        "y": -0.12,
        "maxheight": 0.3,
        "font": {"size": 11},
        "itemsizing": "constant",
        "title": {"text": ""},
    }
