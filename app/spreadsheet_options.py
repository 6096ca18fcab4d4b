"""The Spreadsheet page's second part: a look at the table, which column is which, a trial, and the start."""

import pandas as pd
import streamlit as st

from app.desk import open_desk
from app.edge import calm, plain, said_of_error
from app.sentences import said_of_file, said_of_table
from app.spreadsheet_rows import rows_table, show_rows_table
from app.spreadsheet_run import show_refused_start, start_calmly
from app.text import Voice
from core.bulk.answers import STANDARD_TASKS
from core.bulk.columns import Columns
from core.bulk.dry_run import dry_run
from core.bulk.jobs import Choice, Job
from core.bulk.look import PREVIEW_ROWS, TableLook
from core.bulk.results import ClassifiedTable, RowFilter
from core.errors import TriageError

TRIAL = "spreadsheet_trial"  # what was tried, and where its answers are on the disk
FEW_WORDS = 0.5


def show_options(job: Job, say: Voice) -> None:
    """Everything before a run."""
    look = _sheet_looked_at(job, say)
    if look is None:
        return
    _show_facts(look, say)
    choice = _chosen(job, look, say)
    if choice is None:
        st.info(say("Choose the column with the notes."), icon=":material/arrow_upward:")
        return
    if choice != job.choice:
        job = job.chosen(choice)
    if look.words is not None and look.words.get(choice.columns.text, 1.0) < FEW_WORDS:
        st.warning(
            say("Most cells of this column hold no words: numbers, dates or nothing. Is it the column with the notes?"),
            icon=":material/help:",
        )
    _show_buttons(job, choice, look, say)


def _sheet_looked_at(job: Job, say: Voice) -> TableLook | None:
    """The look into the table; where a workbook has several sheets, into the one that is chosen."""
    look = job.look
    if len(look.sheets) < 2:
        return look
    sheet = st.selectbox(
        say("Sheet"),
        look.sheets,
        index=None if look.sheet is None else look.sheets.index(look.sheet),
        placeholder=say("Choose a sheet"),
        key=f"sheet_{job.id}",
        help=say("This workbook has several sheets. One of them is classified."),
    )
    if sheet is None:
        st.info(
            say("This workbook has {count} sheets with cells. Choose the one with the notes.", count=len(look.sheets)),
            icon=":material/tab:",
        )
        return None
    if sheet == look.sheet:
        return look
    try:
        with st.spinner(say("Reading the table …")):
            return job.look_into(sheet)
    except TriageError as error:
        message = str(error).replace(job.upload.name, sheet)
        st.error(plain(said_of_file(message, say)), title=say("This sheet can't be taken."), icon=":material/block:")
        return None


def _show_facts(look: TableLook, say: Voice) -> None:
    facts = [
        say("{count} rows", count=f"{look.rows:,}"),
        say("{count} columns", count=f"{len(look.columns):,}"),
    ]
    if look.encoding:
        facts.append(say("Encoding: {name}", name=look.encoding))
    st.write(plain(" · ".join(facts)))
    if look.notices:
        st.info("\n".join(f"- {plain(said_of_table(notice, say))}" for notice in look.notices), icon=":material/info:")
    st.dataframe(
        pd.DataFrame(look.preview, columns=list(look.columns)),
        hide_index=True,
        height=245,
        placeholder="",
        alt=say("The first rows of the table"),
        key="spreadsheet_preview",
    )
    st.caption(say("The first {count} rows as they were read. Are all characters right?", count=len(look.preview)))


def _chosen(job: Job, look: TableLook, say: Voice) -> Choice | None:
    """What the selectors say; none without a column of notes."""
    before = job.choice if job.choice and job.choice.sheet == look.sheet else None
    where = f"{job.id}_{look.sheet}"
    with st.grid(3, min_column_width=220):
        text = st.selectbox(
            say("Column with the notes"),
            look.columns,
            index=_place(look.columns, before.columns.text if before else look.text),
            placeholder=say("Choose a column"),
            key=f"text_{where}",
        )
        age = _optional(say("Age (optional)"), look, before.columns.age if before else look.age, f"age_{where}", say)
        sex = _optional(say("Sex (optional)"), look, before.columns.sex if before else look.sex, f"sex_{where}", say)
    references = _references(look, before.references if before else look.references or {}, where, say)
    return Choice(Columns(text, age, sex), look.sheet, references) if text else None


def _references(look: TableLook, before: object, where: str, say: Voice) -> dict[str, str]:
    """Columns whose labels are right already, by task."""
    chosen = dict(before) if isinstance(before, dict) else {}
    found: dict[str, str] = {}
    with st.expander(
        say("Compare with labels that the table has already (optional)"), expanded=bool(chosen), icon=":material/rule:"
    ):
        st.caption(say("These columns change no answer. Afterwards you see how often the desk agrees with them."))
        with st.grid(3, min_column_width=220):
            for task in STANDARD_TASKS:
                name = _optional(say.wording.task(task), look, chosen.get(task), f"reference_{task}_{where}", say)
                if name:
                    found[task] = name
    return found


def _optional(label: str, look: TableLook, before: str | None, key: str, say: Voice) -> str | None:
    return st.selectbox(label, look.columns, index=_place(look.columns, before), placeholder=say("none"), key=key)


def _place(columns: tuple[str, ...], name: str | None) -> int | None:
    return columns.index(name) if name in columns else None


def _show_buttons(job: Job, choice: Choice, look: TableLook, say: Voice) -> None:
    tried = min(PREVIEW_ROWS, look.rows)
    with st.container(horizontal=True):
        wants_trial = st.button(
            say("Try the first {count} rows", count=tried), icon=":material/science:", key="spreadsheet_try"
        )
        if st.button(
            say("Classify all {count} rows", count=f"{look.rows:,}"),
            type="primary",
            icon=":material/play_arrow:",
            key="spreadsheet_start",
        ):
            start_calmly(job)
    show_refused_start(say)
    if wants_trial:
        _try(job, choice, say)
    trial = st.session_state.get(TRIAL)
    if trial and trial[:2] == (job.id, choice):
        _show_trial(trial[2], choice, say)


def _try(job: Job, choice: Choice, say: Voice) -> None:
    st.session_state.pop(TRIAL, None)
    try:
        with st.spinner(say("Classifying the first rows …")):
            st.session_state[TRIAL] = (job.id, choice, dry_run(job, choice, open_desk()))
    except TriageError as error:
        st.error(
            plain(said_of_error(error, say)),
            title=say("The trial has no answers."),
            icon=":material/error:",
        )


def _show_trial(table: ClassifiedTable, choice: Choice, say: Voice) -> None:
    with calm(say, say("The trial can't be shown.")):
        rows = table.find(RowFilter(), given=[choice.columns.text], limit=PREVIEW_ROWS)
        st.subheader(say("A trial with the first rows"))
        show_rows_table(rows_table(rows, choice.columns.text, say), say, key="spreadsheet_trial_rows")
