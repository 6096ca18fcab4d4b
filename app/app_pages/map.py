"""The map of notes, for a researcher: what is alike lies close together."""

from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from app.charts.map import Drag, map_figure
from app.charts.map_colours import colouring_by
from app.charts.style import inked
from app.desk import open_desk
from app.edge import calm, plain, said_of_error
from app.figure import is_dark
from app.map_panels import show_clicked, show_mix, show_pasted, show_selected
from app.map_state import pasted, selected_ids, upload
from app.map_upload import upload_panel
from app.map_words import column_title
from app.sign_in.admission import admit
from app.text import Voice, voice
from core.errors import TriageError
from core.explore.points import Column, NoteSet, reference_notes
from core.explore.projection import LEAST_NOTES, Axes, draw_map, fit_axes
from core.notes import ModelIdentity
from core.triage import TriageDesk

admit("map")

REFERENCE, TABLE = "reference", "table"
WITHOUT_LANGUAGE = "map_without_language"
CHART_CONFIG = {"displaylogo": False, "scrollZoom": True, "modeBarButtonsToRemove": ["autoScale2d", "toImage"]}


@st.cache_resource(show_spinner=False, max_entries=4)
def reference_of(identity: ModelIdentity, without: bool, _desk: TriageDesk) -> tuple[NoteSet, Axes] | None:
    """The reference notes of the model with their axes; they hold no text, so all readers share them."""
    if _desk.bundle.reference is None or len(_desk.bundle.reference.vectors) < LEAST_NOTES:
        return None
    notes = reference_notes(_desk.bundle.reference)
    return notes, fit_axes(notes.vectors, apart_from=languages_of(notes) if without else None)


def languages_of(notes: NoteSet) -> NDArray[np.str_] | None:
    """The language of each note; none where they are all of one."""
    found = next((column.values for column in notes.columns if column.role == "language"), None)
    return found.astype(str) if found is not None and len(np.unique(found)) > 1 else None


def show_page(say: Voice, desk: TriageDesk) -> None:
    """The whole page."""
    without = bool(st.session_state.get(WITHOUT_LANGUAGE))
    reference = reference_of(desk.bundle.identity, without, desk)
    if reference is None:
        st.info(
            say(
                "A model that keeps reference notes shows them here: their vectors and labels, never their text. "
                "Train the model again without the option --no-reference to get them. Meanwhile "
                "notes from a table can be shown."
            ),
            title=say("The model in use has no reference notes"),
            icon=":material/scatter_plot:",
        )
    controls = st.container(horizontal=True, vertical_alignment="top")
    with controls:
        shown = TABLE if reference is None else choose_shown(say)
    notes, name = (reference[0], REFERENCE) if reference and shown == REFERENCE else table_notes(say, desk)
    if notes is None:
        return
    with controls:
        view = choose_view(say, notes, name, reference)
    show_map(say, desk, notes, view, reference)


def choose_shown(say: Voice) -> str:
    """Which notes are shown."""
    names = {REFERENCE: say("Reference notes of the model"), TABLE: say("Notes from a table")}
    shown: str = st.segmented_control(
        say("Show"), list(names), default=REFERENCE, required=True, format_func=names.__getitem__, key="map_shown",
        persist_state="session",
    )  # fmt: skip
    return shown


def table_notes(say: Voice, desk: TriageDesk) -> tuple[NoteSet | None, str]:
    """The notes of the reader's table, once they are there, and their name."""
    ready = upload_panel(say, desk)
    current = upload()
    if ready is None or current is None:
        return None, ""
    if not len(ready.notes):
        st.info(say("No row of this table could be placed on the map."))
        return None, ""
    return ready.notes, f"{TABLE}{current.number}"


@dataclass(frozen=True, slots=True)
class View:
    """How the notes are shown.

    Attributes:
        name: of the set of notes.
        column: the column that they are coloured by.
        dimensions: two or three.
        fitted_on: whose axes.
        without_language: whether what parts the languages is left out of the axes.
        behind: whether the reference notes are drawn behind them.
        drag: how notes are selected.
    """

    name: str
    column: Column
    dimensions: int
    fitted_on: str
    without_language: bool
    behind: bool
    drag: Drag

    def chart(self, *more: object) -> str:
        """Names the figure: another one has another name, so that Streamlit asks it anew what is selected."""
        parts = ("map", self.name, self.column.key, self.dimensions, self.fitted_on, self.without_language, self.behind)
        return ":".join(map(str, (*parts, self.drag, *more)))


def choose_view(say: Voice, notes: NoteSet, name: str, reference: tuple[NoteSet, Axes] | None) -> View:
    """How the notes are shown, as the reader says."""
    own = name != REFERENCE
    titles = {column.key: column_title(column, say) for column in notes.columns}
    wanted = st.selectbox(
        say("Colour by"), list(titles), format_func=titles.__getitem__, key=f"map_colour_{name}", width=260,
        persist_state="session",
    )  # fmt: skip
    dimensions: int = st.segmented_control(
        say("Dimensions"), [2, 3], default=2, required=True, key="map_dimensions", persist_state="session",
        format_func=lambda count: say("{count}-D", count=count),
    )  # fmt: skip
    ways: dict[Drag, str] = {"lasso": say("Draw around"), "select": say("Draw a box"), "pan": say("Click points")}
    drag: Drag = st.segmented_control(
        say("Select notes"), list(ways), default="lasso", required=True, format_func=ways.__getitem__, key="map_drag",
        disabled=dimensions == 3, persist_state="session",
    )  # fmt: skip
    fitted_on = choose_axes(say, notes, reference) if own else REFERENCE
    behind = own and reference is not None
    if behind:
        behind = st.toggle(say("Reference notes behind"), value=True, key="map_behind", persist_state="session")
    without = False
    fitted = reference[0] if reference and fitted_on == REFERENCE else notes
    if languages_of(fitted) is not None:
        without = st.toggle(
            say("Without the language"), key=WITHOUT_LANGUAGE, persist_state="session",
            help=say("Leaves out of the axes what only tells Chinese notes from English ones."),
        )  # fmt: skip
    return View(name, notes.column(wanted), dimensions, fitted_on, without, behind, drag)


def show_map(say: Voice, desk: TriageDesk, notes: NoteSet, view: View, reference: tuple[NoteSet, Axes] | None) -> None:
    """The figure, and what is said of a selection."""
    axes = reference[1] if reference and view.fitted_on == REFERENCE else own_axes(say, notes, view)
    if axes is None:
        return
    left, right = st.columns([3, 2], gap="medium")
    with left:
        ids = show_figure(say, desk, notes, view, axes, reference[0] if reference else None)
    pools = {REFERENCE: reference[0]} if reference else {}
    if view.name != REFERENCE:
        pools[TABLE] = notes
    with right:
        show_mix(say, notes, ids, view.column)
        if len(ids) == 1:
            show_clicked(say, notes, next(iter(ids)), pools)
        show_pasted(say, desk, pools)
    if ids:
        show_selected(say, notes, ids)


def show_figure(
    say: Voice, desk: TriageDesk, notes: NoteSet, view: View, axes: Axes, reference: NoteSet | None
) -> frozenset[int]:
    """The map itself; the ids of the notes selected in it."""
    data = draw_map(notes, axes, view.dimensions)
    backdrop = axes.place(reference.vectors)[:, : view.dimensions] if view.behind and reference else None
    note = pasted()
    mark = axes.place(note.vector)[: view.dimensions] if note and note.model == desk.bundle.identity else None
    figure = map_figure(data, colouring_by(view.column, say), say, backdrop=backdrop, mark=mark, drag=view.drag)
    figure = inked(figure, is_dark=is_dark())
    chart = view.chart(note and note.number, say.language, st.session_state.get("map_round", 0))
    title = column_title(view.column, say)
    alt = say("Map of {count} notes, coloured by: {column}", count=f"{len(notes):,}", column=title)
    event = None
    if view.dimensions == 2:
        event = st.plotly_chart(
            figure,
            key=chart,
            on_select="rerun",
            selection_mode=("points", "box", "lasso"),
            config=CHART_CONFIG,
            alt=alt,
        )
    else:
        st.plotly_chart(figure, key=chart, config=CHART_CONFIG, alt=alt)
        st.caption(say("Drag to turn the map. Notes are selected in 2-D."))
    st.caption(
        say(
            "These axes show {share} of how the notes differ. Notes that lie together here can be far apart in "
            "what is not shown: trust the list of nearest notes, not the distance on the map.",
            share=f"{sum(data.explained):.0%}",
        )
    )
    return selected_ids(event, chart, view.name)


def choose_axes(say: Voice, notes: NoteSet, reference: tuple[NoteSet, Axes] | None) -> str:
    """What the axes are fitted on; asked only where there is a choice."""
    if reference is None or len(notes) < LEAST_NOTES:
        return TABLE if reference is None else REFERENCE
    names = {REFERENCE: say("Reference notes"), TABLE: say("Notes of the table")}
    fitted_on: str = st.segmented_control(
        say("Axes fitted on"), list(names), default=REFERENCE, required=True, format_func=names.__getitem__,
        key="map_axes", persist_state="session",
    )  # fmt: skip
    return fitted_on


def own_axes(say: Voice, notes: NoteSet, view: View) -> Axes | None:
    """Axes fitted on the table's notes, kept for this session; none for too few notes."""
    if len(notes) < LEAST_NOTES:
        st.info(say("A map of their own needs at least {count} notes.", count=LEAST_NOTES))
        return None
    kept: tuple[str, bool, int, Axes] | None = st.session_state.get("map_own_axes")
    if kept is None or kept[:3] != (view.name, view.without_language, len(notes)):
        axes = fit_axes(notes.vectors, apart_from=languages_of(notes) if view.without_language else None)
        kept = view.name, view.without_language, len(notes), axes
        st.session_state["map_own_axes"] = kept
    return kept[3]


def opened_desk(say: Voice) -> TriageDesk | None:
    """The desk; none where it can't be opened now, which is said."""
    try:
        with st.spinner(say("Opening the map …")):
            return open_desk()
    except TriageError as error:
        why = plain(said_of_error(error, say))
        st.error(why, title=say("The map can't be shown now."), icon=":material/error:")
        st.button(say("Try again"), icon=":material/refresh:")
    return None


say = voice()
with calm(say, say("The map can't be shown now.")):
    if desk := opened_desk(say):
        show_page(say, desk)
