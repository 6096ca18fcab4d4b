"""The Spreadsheet page's third part: a run on its way, and one that has ended before its last row."""

import streamlit as st

from app.edge import plain
from app.sentences import said_of_file, said_of_rows_kept, said_of_time, said_of_trouble
from app.text import Voice
from core.bulk.job_run import Progress, State, progress_of, rows_kept, start, start_over, state_of, stop
from core.bulk.jobs import Job
from core.errors import TriageError

EVERY = 2.0  # seconds; each look takes a little from a run on the same machine
REFUSED_START = "spreadsheet_refused_start"


def show_progress(job: Job, say: Voice) -> None:
    """Progress, rate, time left and the way to stop, kept up to date until the run ends."""

    @st.fragment(run_every=EVERY)
    def watched() -> None:
        if state_of(job) != "running":
            st.rerun()
        _draw(progress_of(job), say)
        if st.button(say("Stop"), icon=":material/stop_circle:", key="spreadsheet_stop"):
            with st.spinner(say("Stopping …")):
                stop(job)
            st.rerun()

    watched()
    st.caption(say("You can leave or close this page: the run goes on, and you find it here again."))


def _draw(progress: Progress | None, say: Voice) -> None:
    if progress is None or progress.phase == "opening":
        st.progress(0.0, text=say("The model is being loaded …"))
        return
    if progress.phase == "closing":
        st.progress(1.0, text=say("The result is being written …"))
        return
    rows = say("{done} of {total} rows", done=f"{progress.done:,}", total=f"{progress.total:,}")
    st.progress(progress.share, text=rows)
    with st.grid(3, min_column_width=150):
        st.metric(say("Done"), f"{progress.share:.0%}", border=True)
        st.metric(say("Rows a second"), f"{progress.rate:.0f}" if progress.rate else "–", border=True)
        st.metric(say("Time left"), said_of_time(progress.seconds_left, say), border=True)


def show_ended_early(job: Job, state: State, say: Voice) -> None:
    """Why a run has ended before its last row, what is kept, and how it goes on."""
    progress, kept = progress_of(job), said_of_rows_kept(rows_kept(job), job.look.rows, say)
    if state == "failed" and progress is not None:
        why = said_of_trouble(progress.trouble, progress.message, say)
        st.error(plain(f"{why} {kept}"), title=say("The run has ended with an error."), icon=":material/error:")
    elif state == "interrupted":
        st.warning(
            plain(f"{say('The desk was switched off or started again meanwhile.')} {kept}"),
            title=say("The run was interrupted."),
            icon=":material/power_off:",
        )
    else:
        st.info(plain(kept), title=say("You have stopped the run."), icon=":material/pause_circle:")
    with st.container(horizontal=True):
        if st.button(say("Go on"), type="primary", icon=":material/play_arrow:", key="spreadsheet_go_on"):
            start_calmly(job)
        st.button(
            say("Start over with other columns"),
            icon=":material/restart_alt:",
            key="spreadsheet_start_over",
            on_click=start_over,
            args=(job,),
        )
    show_refused_start(say)


def start_calmly(job: Job) -> None:
    """Start a run; what keeps it from starting is said on the page as it is drawn again."""
    st.session_state.pop(REFUSED_START, None)
    try:
        start(job)
    except TriageError as error:
        st.session_state[REFUSED_START] = str(error)
    st.rerun()


def show_refused_start(say: Voice) -> None:
    """Why the last start was refused, once."""
    if refused := st.session_state.pop(REFUSED_START, None):
        st.warning(plain(said_of_file(refused, say)), icon=":material/hourglass_top:")
