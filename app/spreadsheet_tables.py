"""The Spreadsheet page's first part: upload a table, or take up one that was uploaded before."""

import json
import logging
import math
import secrets
from datetime import tzinfo
from zoneinfo import ZoneInfo

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from app.desk import note, note_of, person, take
from app.edge import plain
from app.sentences import said_of_file
from app.text import Voice
from core.bulk.job_run import State, delete, delete_expired, state_of
from core.bulk.jobs import KEPT_DAYS, UPLOAD_LIMIT, Job, Jobs
from core.errors import NotAdmitted, TriageError
from core.records.acts import Act
from core.records.schema import THE_DESK
from core.settings import load_settings

JOB = "spreadsheet_job"  # the id of the table on the page; no copy of a table is held in the session
REFUSED, ROUND, SWEPT = "spreadsheet_refused", "spreadsheet_round", "spreadsheet_swept"
ICONS: dict[State, str] = {
    "new": ":material/draft:",
    "running": ":material/progress_activity:",
    "stopped": ":material/pause_circle:",
    "failed": ":material/error:",
    "interrupted": ":material/pause_circle:",
    "done": ":material/check_circle:",
}
log = logging.getLogger(__name__)


def own_jobs() -> Jobs:
    """The tables of whoever sits at this page."""
    return Jobs(load_settings().data_dir, person())


def job_on_page(jobs: Jobs) -> Job | None:
    """The table that is worked on: the one opened, else one that is being classified (after a reload)."""
    if JOB not in st.session_state:
        running = next((job for job in jobs.all() if state_of(job) == "running"), None)
        st.session_state[JOB] = running.id if running else None
    return jobs.find(st.session_state[JOB])


def show_upload(jobs: Jobs, say: Voice) -> None:
    """The place to drop a table, and what was refused of the last one."""
    _sweep()
    st.write(say("Upload a table with one note a row. Every row comes back, in order, with its answers beside it."))
    round_ = st.session_state.setdefault(ROUND, 0)
    _word_uploader(say)
    upload = st.file_uploader(
        say("Table: csv, Excel or parquet, at most {limit} MB", limit=UPLOAD_LIMIT),
        key=f"spreadsheet_upload_{round_}",
        max_upload_size=UPLOAD_LIMIT,
    )
    if upload is not None:
        with st.spinner(say("Reading the table …")):
            _keep(jobs, upload)
        st.rerun()
    if refused := st.session_state.get(REFUSED):
        st.error(plain(_refusal(refused, say)), title=say("This file can't be taken."), icon=":material/block:")
    st.caption(
        say(
            "The table is kept on this desk's own computer, for you alone, and deleted {days} days after its last use. "
            "You can delete it at any time.",
            days=KEPT_DAYS,
        )
    )


def show_earlier(jobs: Jobs, say: Voice) -> None:
    """This person's tables, the newest first; each can be opened or deleted."""
    found = jobs.all()
    if not found:
        return
    st.subheader(say("Your tables"))
    names = state_names(say)
    for job in found:
        state = state_of(job)
        with st.container(border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            with st.container(width="content", gap=None):
                st.markdown(f"**{plain(job.name)}**")
                st.caption(
                    f"{ICONS[state]} {names[state]} · {job.created.astimezone(zone_of_reader()):%Y-%m-%d %H:%M} · "
                    f"{size_in_words(job.size)}"
                )
            with st.container(horizontal=True, width="content"):
                st.button(
                    say("Open table"),
                    key=f"open_{job.id}",
                    icon=":material/folder_open:",
                    on_click=open_job,
                    args=(job.id,),
                    help=plain(job.name),
                )
                show_delete(job, say)


def show_delete(job: Job, say: Voice) -> None:
    """A button that asks once more before everything of a table is deleted."""
    with st.popover(say("Delete"), icon=":material/delete:", key=f"ask_delete_{job.id}"):
        st.write(say("Delete {name} and its answers for good?", name=plain(job.name)))
        st.button(
            say("Delete for good"),
            key=f"delete_{job.id}",
            type="primary",
            icon=":material/delete_forever:",
            on_click=_delete,
            args=(job,),
        )


def show_head(job: Job, say: Voice) -> None:
    """The name of the table on the page, and the way to others."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader(plain(job.name), width="content", anchor=False)
        with st.container(horizontal=True, width="content"):
            st.button(
                say("Other tables"), icon=":material/arrow_back:", key="other_tables", on_click=open_job, args=(None,)
            )
            show_delete(job, say)


def open_job(id_: str | None) -> None:
    """Put another table, or the list of tables, on the page."""
    st.session_state[JOB] = id_
    st.session_state.pop(REFUSED, None)


def state_names(say: Voice) -> dict[State, str]:
    """What each state is called."""
    return {
        "new": say("not classified yet"),
        "running": say("being classified"),
        "stopped": say("stopped"),
        "failed": say("stopped by an error"),
        "interrupted": say("interrupted"),
        "done": say("classified"),
    }


def zone_of_reader() -> tzinfo | None:
    """The browser's time zone; none for the server's."""
    try:
        return ZoneInfo(st.context.timezone) if st.context.timezone else None
    except (KeyError, ValueError, OSError):
        return None


def size_in_words(size: int) -> str:
    """Bytes in round units."""
    return f"{size / (1 << 20):.1f} MB" if size >= 1 << 20 else f"{max(1, size >> 10)} KB"


def _word_uploader(say: Voice) -> None:
    """Put the reader's words on Streamlit's uploader, which has English ones only; its label names the limit."""
    invitation = say("Choose a file or drop it here")
    refusal = say(
        "This file was not taken: it is larger than {limit} MB, or the connection broke. Upload it in parts, or try "
        "again.",
        limit=UPLOAD_LIMIT,
    )
    zone = "[data-testid=stFileUploaderDropzone]"
    st.html(
        "<style>[data-testid=stFileUploaderDropzoneInstructions]{display:none}"
        f"{zone} [data-testid=stBaseButton-secondary] p{{font-size:0}}"
        f"{zone} [data-testid=stBaseButton-secondary] p::after{{content:{_quoted(invitation)};font-size:1rem}}"
        f"[data-testid=stFileUploader]:has([data-testid=stFileChip][aria-invalid=true])::after"
        f"{{content:{_quoted(refusal)};display:block;margin-top:.5rem;font-weight:600}}</style>"
    )


def _quoted(words: str) -> str:
    """The words as a CSS string."""
    return json.dumps(words, ensure_ascii=False).replace("<", "\\3c ")


def _keep(jobs: Jobs, upload: UploadedFile) -> None:
    """Put the upload on the disk and let go of it; then the uploader starts anew, so that it is never kept twice."""
    try:
        if refusal := take("jobs"):
            st.session_state[REFUSED] = ("limit", str(math.ceil((refusal.retry_after or 3600) / 60)))
            return
        st.session_state[JOB] = jobs.create(upload.name, upload).id
        st.session_state.pop(REFUSED, None)
    except TriageError as error:
        st.session_state[REFUSED] = ("file", str(error))
    except Exception as error:  # the edge of the page
        number = secrets.token_hex(3)
        log.error("spreadsheet upload %s: %s", number, type(error).__name__)
        st.session_state[REFUSED] = ("number", number)
    finally:
        _let_go(upload)
        st.session_state[ROUND] += 1


def _let_go(upload: UploadedFile) -> None:
    """Take the upload out of the server's memory, where Streamlit would hold it until the session ends."""
    context = get_script_run_ctx()
    remove = getattr(context.uploaded_file_mgr, "remove_file", None) if context else None
    if context and remove:
        remove(session_id=context.session_id, file_id=upload.file_id)


def _refusal(refused: tuple[str, str], say: Voice) -> str:
    kind, words = refused
    if kind == "file":
        return said_of_file(words, say)
    if kind == "limit":
        return say(
            "You have uploaded as many tables as one person may in an hour. Upload this one in {minutes} minutes.",
            minutes=words,
        )
    return say("Something unexpected happened. Nothing was changed. Tell who runs this desk the number {number}.",
               number=words)  # fmt: skip


def _sweep() -> None:
    """Delete what nobody used for a week, once a session."""
    if not st.session_state.get(SWEPT):
        st.session_state[SWEPT] = True
        if count := delete_expired(load_settings().data_dir):
            note_of(THE_DESK, Act.RUN_DELETED, {"unused": count})


def _delete(job: Job) -> None:
    try:
        if job.owner != person():
            return
    except NotAdmitted:  # a click can come after a sign-in has ended
        return
    delete(job)
    note(Act.RUN_DELETED, {"job": job.id})
    if st.session_state.get(JOB) == job.id:
        open_job(None)
