"""What the map says beside its points: the selected notes, what sets them apart, and the nearest notes."""

from collections.abc import Callable, Sequence
from typing import Literal

import streamlit as st

from app.charts.map import BARS, mix_figure
from app.desk import note_of, person
from app.edge import calm
from app.figure import draw
from app.hidden import hide_switch, hider, is_hiding
from app.map_state import PASTED, PastedNote, clear_selection, pasted
from app.map_words import column_title, value_name
from app.text import Voice
from core.bulk.masked import masked_cells
from core.embedding.space import Vectors
from core.explore.neighbours import nearest
from core.explore.points import Column, NoteSet
from core.explore.selection import MixRow, csv_of, mix_of
from core.notes import Note
from core.records.acts import Act
from core.triage import TriageDesk, composed

NEIGHBOURS = 10
ROWS_SHOWN = 8  # of the selected notes, before their table scrolls
HIDING = "map_hide"  # the switch for identifiers


def show_mix(say: Voice, notes: NoteSet, ids: frozenset[int], column: Column) -> None:
    """How many are selected, and the values of the column among them against the rest."""
    if not ids:
        hint = say(
            "Draw around points to see what they have in common. Or click a point to see the notes most like it."
        )
        st.info(hint, icon=":material/lasso_select:")
        return
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        count = say("{count} of {total} notes selected", count=f"{len(ids):,}", total=f"{len(notes):,}")
        st.markdown(f"**{count}**", width="content")
        st.button(say("Clear"), on_click=clear_selection, icon=":material/deselect:", key="map_clear")
    if len(ids) == 1:
        return  # its neighbours say more than its share
    mix = mix_of(column, notes.places(ids))
    if not any(row.selected for row in mix.rows):
        st.caption(say("None of the selected notes has a known value here. Colour by something else."))
        return
    names = [value_name(column, row.value, say) for row in mix.rows]
    title = column_title(column, say)
    draw(
        mix_figure(mix.rows, names, title, say),
        say("{column}: shares among the selected notes and among all others", column=title),
        "map_mix",
    )
    if len(mix.rows) > BARS:
        st.caption(say("The {count} most frequent values are drawn; the table has all.", count=BARS))
    if mix.unknown_selected or mix.unknown_rest:
        st.caption(
            say(
                "Left out because not known: {selected} selected notes, {rest} others.",
                selected=f"{mix.unknown_selected:,}",
                rest=f"{mix.unknown_rest:,}",
            )
        )
    with st.expander(say("As a table"), icon=":material/table:"):
        _mix_table(say, mix.rows, names, title)


def _mix_table(say: Voice, rows: Sequence[MixRow], names: Sequence[str], title: str) -> None:
    selected, others, times = say("Selected"), say("All others"), say("Times as frequent")
    share_selected, share_others = say("Share of selected"), say("Share of all others")
    table = {
        title: names,
        selected: [row.selected for row in rows],
        share_selected: [row.share_selected for row in rows],
        others: [row.rest for row in rows],
        share_others: [row.share_rest for row in rows],
        times: [row.lift for row in rows],
    }
    shares = {name: st.column_config.NumberColumn(format="percent") for name in (share_selected, share_others)}
    config = shares | {times: st.column_config.NumberColumn(format="%.1f")}
    st.dataframe(table, hide_index=True, column_config=config, alt=title)


def show_selected(say: Voice, notes: NoteSet, ids: frozenset[int]) -> None:
    """The selected notes as a table, and as a file."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.subheader(say("Selected notes"))
        if notes.texts is not None:
            hide_switch(say, HIDING)
    table = note_table(say, notes, notes.places(ids).tolist())
    height: int | Literal["auto"] = "auto" if len(ids) < ROWS_SHOWN else 320
    st.dataframe(table, hide_index=True, height=height, alt=say("The selected notes"), key="map_selected_table")
    if notes.texts is None:
        st.caption(say("The model keeps no text of its reference notes: only vectors and labels."))
    st.download_button(
        say("Download as csv"),
        _noted_csv(table, has_texts=notes.texts is not None),
        file_name="map_selection.csv",
        mime="text/csv",
        on_click="ignore",
        icon=":material/download:",
        key="map_download",
    )


def _noted_csv(table: dict[str, list[object]], *, has_texts: bool) -> Callable[[], bytes]:
    """The table as csv, made when it is asked for, which the audit log then has."""
    who, facts = person(), {"what": "map", "format": "csv", "rows": len(next(iter(table.values()))), "texts": has_texts}
    facts["masked"] = is_hiding(HIDING)

    def made() -> bytes:
        note_of(who, Act.EXPORT, facts)
        return csv_of(table)

    return made


def note_table(say: Voice, notes: NoteSet, places: Sequence[int]) -> dict[str, list[object]]:
    """The notes at these positions with all that is known of them, a list a column."""
    first = say("Note") if notes.texts is None else say("Row of the sheet")
    table: dict[str, list[object]] = {first: [int(notes.ids[place]) for place in places]}
    if notes.texts is not None:
        table[say("Text")] = list(map(hider(notes.texts, HIDING), places))
    for column in notes.columns:
        values = [column.values[place] for place in places]
        known: list[object] = (
            [round(float(value), 4) for value in values]
            if column.is_amount
            else ["" if value == "" else value_name(column, str(value), say) for value in values]
        )
        if column.role == "other" and is_hiding(HIDING):
            known = masked_cells(column.name, known, is_text=False)
        table[_free(column_title(column, say), table)] = known
    return table


def _free(title: str, table: dict[str, list[object]]) -> str:
    """The title, or with a number where the table has a column of it already."""
    number = 2
    free = title
    while free in table:
        free, number = f"{title} {number}", number + 1
    return free


def show_clicked(say: Voice, notes: NoteSet, clicked: int, pools: dict[str, NoteSet]) -> None:
    """The notes nearest to one note of the map."""
    at = int(notes.places(frozenset({clicked}))[0])
    st.subheader(say("Most like note {id}", id=clicked))
    if notes.texts is not None:
        with st.container(border=True):
            st.text(hider(notes.texts, HIDING)(at))
    pool = _pool(say, pools, "map_pool_clicked")
    _neighbour_table(say, notes.vectors[at], pool, but=clicked if pool is notes else None)


def show_pasted(say: Voice, desk: TriageDesk, pools: dict[str, NoteSet]) -> None:
    """A box for one note, and the notes nearest to it."""
    st.subheader(say("Find notes like yours"))
    with st.form("map_paste", border=False):
        text = st.text_area(say("Your note"), height=120, key="map_note", persist_state="session")
        sent = st.form_submit_button(say("Find the nearest notes"), icon=":material/search:")
    if sent and text:
        _embed_pasted(say, desk, text)
    elif sent:
        st.info(say("Write or paste a note first."))
    found = pasted()
    if found and found.model == desk.bundle.identity:
        pool = _pool(say, pools, "map_pool_pasted")
        _neighbour_table(say, found.vector, pool)


def _embed_pasted(say: Voice, desk: TriageDesk, text: str) -> None:
    """Remember the vector of a note, so that the map can show where it lies."""
    with calm(say, say("No neighbours were found. Your note is kept; try again.")), st.spinner(say("Looking …")):
        embeddings = desk.embedder.embed(composed([Note(text)])[0])
        if embeddings.errors:
            raise embeddings.errors[0]
        before = pasted()
        number = before.number + 1 if before else 1
        st.session_state[PASTED] = PastedNote(number, desk.bundle.identity, embeddings.vectors[0])
        st.rerun()


def _pool(say: Voice, pools: dict[str, NoteSet], key: str) -> NoteSet:
    """Where to look for neighbours; asked only where there is a choice."""
    names = list(pools)
    if len(names) == 1:
        return pools[names[0]]
    chosen: str = st.segmented_control(
        say("Look among"),
        names,
        default=names[0],
        required=True,
        key=key,
        format_func=lambda name: _pool_name(say, name),
    )
    return pools[chosen]


def _pool_name(say: Voice, name: str) -> str:
    return say("Reference notes") if name == "reference" else say("Notes of the table")


def _neighbour_table(say: Voice, vector: Vectors, pool: NoteSet, but: int | None = None) -> None:
    found = nearest(vector, pool, NEIGHBOURS, but=but)
    similarity = say("Similarity")
    table = {similarity: [each.similarity for each in found]} | note_table(say, pool, [each.place for each in found])
    config = {
        similarity: st.column_config.NumberColumn(format="%.3f", help=say("1 is the same; cosine of the vectors."))
    }
    st.dataframe(table, hide_index=True, column_config=config, alt=say("The nearest notes, the most similar first"))
