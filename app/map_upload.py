"""The map's way from a table to notes: choose it, say what its columns are, embed it, stop and go on."""

import math
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from app.desk import take
from app.edge import calm, plain, said_of_error
from app.map_state import UPLOAD, Upload, upload
from app.text import Voice
from core.bulk.patient import AGE_NAMES, SEX_NAMES
from core.bulk.tables import SUFFIXES, guess_text_column, named_column, open_table
from core.errors import TableError, TriageError
from core.explore.upload import (
    MOST_ROWS,
    TableChoice,
    UploadedNotes,
    embed_part,
    joined,
    read_rows,
    refuse_too_many,
    uploaded_notes,
)
from core.triage import TriageDesk

MOST_MEGABYTES = 50
MOST_OTHERS = 5
NUMBER, OPENED = "map_upload_number", "map_opened"


@dataclass(frozen=True, slots=True)
class Opened:
    """What is known of a chosen file: its columns and rows, the text column guessed, what its reader should know."""

    file: str
    columns: tuple[str, ...]
    rows: int
    text: str | None
    notices: tuple[str, ...]


def upload_panel(say: Voice, desk: TriageDesk) -> UploadedNotes | None:
    """Whatever has to be done next to have a table's notes; the notes, once they are there."""
    current = upload()
    if current is None or current.model != desk.bundle.identity:  # vectors of another model say nothing here
        with st.empty().container():  # so that nothing of it stays on screen while notes are embedded
            _choose(say, desk)
        return None
    if current.ready is None:
        with st.empty().container():
            _embed(say, desk, current)
        return None
    _show_ready(say, current, current.ready)
    return current.ready


def _choose(say: Voice, desk: TriageDesk) -> None:
    number = st.session_state.get(NUMBER, 0)
    file = st.file_uploader(
        say("A table of notes (csv, xlsx or parquet; at most {rows} rows)", rows=f"{MOST_ROWS:,}"),
        type=[suffix.removeprefix(".") for suffix in SUFFIXES],
        max_upload_size=MOST_MEGABYTES,
        key=f"map_file_{number}",
    )
    if file is None:
        st.caption(say("The notes stay in the memory of this session and are not kept."))
        return
    with calm(say, say("This table can't be used.")):
        _open(file)
    opened: Opened | None = st.session_state.get(OPENED)
    if opened is None or opened.file != file.file_id:
        return
    for notice in opened.notices:
        st.info(plain(say(notice)), icon=":material/info:")
    choice = _columns(say, desk, opened)
    label = say("Place {rows} notes on the map", rows=f"{opened.rows:,}")
    if (
        st.button(label, type="primary", disabled=choice is None, icon=":material/scatter_plot:", key="map_start")
        and choice
    ):
        _start(say, desk, file, choice, number)


def _open(file: UploadedFile) -> None:
    """Remember the file's facts; it is read once.

    Raises:
        TableError: it can't be read, or has too many rows.
    """
    known: Opened | None = st.session_state.get(OPENED)
    if known is not None and known.file == file.file_id:
        return
    with tempfile.TemporaryDirectory(prefix="triage-map-") as folder:
        table = open_table(_written(file, folder))
        rows = table.rows or 0
        refuse_too_many(file.name, rows)
        try:
            guessed = guess_text_column(table)
        except TableError:
            guessed = None  # the reader is asked
    st.session_state[OPENED] = Opened(file.file_id, table.columns, rows, guessed, table.notices)


def _written(file: UploadedFile, folder: str) -> Path:
    path = Path(folder) / Path(file.name.replace("\\", "/")).name
    path.write_bytes(file.getbuffer())
    return path


def _columns(say: Voice, desk: TriageDesk, opened: Opened) -> TableChoice | None:
    """Which columns hold what, as the reader says; none without a text column."""
    columns, none = list(opened.columns), say("None")
    at = columns.index(opened.text) if opened.text else None
    text = st.selectbox(say("Column of the notes"), columns, index=at, key=f"map_text_{opened.file}")

    def pick(label: str, names: tuple[str, ...], key: str) -> str | None:
        found = named_column(opened.columns, names)
        place = 0 if found is None else columns.index(found) + 1
        options = [None, *columns]
        shown: str | None = st.selectbox(
            label,
            options,
            index=place,
            format_func=lambda name: name or none,
            key=f"map_{key}_{opened.file}",
            width=220,
        )
        return shown

    with st.container(horizontal=True):
        age, sex = pick(say("Age"), AGE_NAMES, "age"), pick(say("Sex"), SEX_NAMES, "sex")
        labels = {
            task: pick(say("{task}: right label", task=say.wording.task(task)), (task, say.wording.task(task)), task)
            for task in desk.bundle.heads
        }
    others = st.multiselect(
        say("More columns to colour by"),
        [name for name in columns if name != text],
        max_selections=MOST_OTHERS,
        placeholder=say("Choose columns"),
        key=f"map_others_{opened.file}",
    )
    given = {task: name for task, name in labels.items() if name}
    return TableChoice(text, age, sex, given, tuple(others)) if text else None


def _start(say: Voice, desk: TriageDesk, file: UploadedFile, choice: TableChoice, number: int) -> None:
    """Read the chosen columns, let go of the file, and begin."""
    if refusal := take("jobs"):
        minutes = math.ceil((refusal.retry_after or 3600) / 60)
        st.warning(
            say(
                "You have uploaded as many tables as one person may in an hour. Upload this one in {minutes} minutes.",
                minutes=minutes,
            ),
            icon=":material/hourglass_top:",
        )
        return
    with calm(say, say("This table can't be used.")), st.spinner(say("Reading the table …")):
        with tempfile.TemporaryDirectory(prefix="triage-map-") as folder:
            rows = read_rows(_written(file, folder), choice)
        st.session_state[UPLOAD] = Upload(number, file.name, desk.bundle.identity, rows)
        st.session_state[NUMBER] = number + 1  # a new uploader: the old one's file is let go
        st.session_state.pop(OPENED, None)
        st.rerun()


def _embed(say: Voice, desk: TriageDesk, current: Upload) -> None:
    """Embed part by part while `running`; what is done stays when the reader stops, leaves or loses the endpoint."""
    total = len(current.rows)
    bar = st.progress(current.done / total, text=_progress(say, current.done, total, None))
    with st.container(horizontal=True):
        if current.running:
            st.button(say("Stop"), on_click=_pause, args=(current,), icon=":material/stop:", key="map_stop")
        else:
            st.button(say("Go on"), on_click=_go_on, args=(current,), icon=":material/play_arrow:", key="map_go_on")
            if current.parts and st.button(say("Show these"), icon=":material/scatter_plot:", key="map_show"):
                _finish(say, desk, current)
        st.button(say("Another table"), on_click=_forget, icon=":material/close:", key="map_forget")
    if not current.running:
        return
    started, before = time.monotonic(), current.done
    try:
        while current.done < total:
            told = current.done

            def tell(more: int) -> None:
                nonlocal told
                told += more
                left = (time.monotonic() - started) / max(1, told - before) * (total - told)
                bar.progress(min(1.0, told / total), text=_progress(say, told, total, left))

            current.parts.append(embed_part(desk, current.rows, current.done, tell))
    except TriageError as error:
        current.running = False
        title = say("Stopped after {done} notes; they are kept.", done=f"{current.done:,}")
        st.error(plain(said_of_error(error, say)), title=title, icon=":material/error:")
        st.button(say("Go on"), on_click=_go_on, args=(current,), icon=":material/play_arrow:", key="map_again")
        return
    _finish(say, desk, current)


def _finish(say: Voice, desk: TriageDesk, current: Upload) -> None:
    with st.spinner(say("Asking the model …")):
        current.ready = uploaded_notes(desk, current.rows, joined(current.parts))
    st.rerun()


def _progress(say: Voice, done: int, total: int, left: float | None) -> str:
    text = say("{done} of {total} notes", done=f"{done:,}", total=f"{total:,}")
    if left is None or done == total:
        return text
    minutes = math.ceil(left / 60)
    return f"{text} · " + (
        say("about {minutes} min left", minutes=minutes) if left > 60 else say("under a minute left")
    )


def _show_ready(say: Voice, current: Upload, ready: UploadedNotes) -> None:
    facts = say("{name}: {count} notes on the map.", name=current.name, count=f"{len(ready.notes):,}")
    if current.done < len(current.rows):
        facts += " " + say("{count} rows were not embedded.", count=f"{len(current.rows) - current.done:,}")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(facts, width="content")
        st.button(say("Another table"), on_click=_forget, icon=":material/close:", key="map_forget")
    if ready.left_out:
        with st.expander(say("Rows that are not on the map: {count}", count=f"{len(ready.left_out):,}")):
            table = {
                say("Row of the sheet"): list(ready.left_out),
                say("Why"): [say(why) for why in ready.left_out.values()],
            }
            st.dataframe(table, hide_index=True, alt=say("Rows that are not on the map, and why"))


def _pause(current: Upload) -> None:
    current.running = False


def _go_on(current: Upload) -> None:
    current.running = True


def _forget() -> None:
    st.session_state.pop(UPLOAD, None)
