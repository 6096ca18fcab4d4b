"""The Spreadsheet page's last part: a classified table. Rows, charts, errors, downloads."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from app.charts import spreadsheet as charts
from app.desk import note_of
from app.edge import calm, plain
from app.figure import show_figure
from app.hidden import hide_switch, is_hiding
from app.sentences import said_of_row, said_of_table
from app.spreadsheet_agreement import AgreementView
from app.spreadsheet_rows import rows_table, show_rows_table
from app.text import Voice
from core.bulk.job_run import export
from core.bulk.jobs import Choice, Job
from core.bulk.outcome import Outcome
from core.bulk.results import SHOWN_ROWS, ClassifiedTable, RowFilter
from core.model.scheme import LEVELS
from core.records.acts import Act

HIDING = "spreadsheet_hide"  # the switch for identifiers in the list of rows
MIMES = {
    ".csv": "text/csv",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".parquet": "application/vnd.apache.parquet",
}


class ResultView:
    """Draws one classified table.

    Attributes:
        job: whose result.
        choice: the columns that were chosen for it.
        say: the reader's language.
        outcome: what the run left.
        table: the rows on the disk.
    """

    def __init__(self, job: Job, choice: Choice, say: Voice) -> None:
        self.job, self.choice, self.say = job, choice, say
        self.outcome = Outcome.read(job)
        self.table = ClassifiedTable.of(job, self.outcome)

    def show(self) -> None:
        """The numbers and downloads, then one of the views."""
        self._show_totals()
        self._show_downloads()
        say, summary = self.say, self.outcome.summary
        views: list[tuple[str, Callable[[], None]]] = [
            (say("Row by row"), self._show_rows),
            (say("Charts"), self._show_charts),
            (say("Errors ({count})", count=f"{summary.errors:,}"), self._show_errors),
            (say("Agreement"), lambda: AgreementView(self.job, self.choice, say, self.table).show()),
        ]
        tabs = st.tabs([name for name, _ in views], on_change="rerun", key=f"views_{self.job.id}")
        for tab, (name, draw) in zip(tabs, views, strict=True):
            if tab.open:
                with tab, calm(say, name):
                    draw()

    def _show_totals(self) -> None:
        say, summary = self.say, self.outcome.summary
        urgent = sum(summary.by_level.get(level, 0) for level in ("1", "2"))
        with st.grid(4, min_column_width=150):
            st.metric(say("Rows"), f"{summary.rows:,}", border=True)
            st.metric(
                say("A person must decide"),
                f"{summary.review / summary.rows:.0%}",
                border=True,
                help=say("Rows for which the desk is not sure enough, and rows without an answer."),
            )
            st.metric(
                say("Level 1 or 2"),
                f"{urgent:,}",
                border=True,
                help=say("Rows whose answer is one of the two most urgent."),
            )
            st.metric(say("Errors"), f"{summary.errors:,}", border=True, help=say("Rows without an answer."))
        if self.outcome.notices:
            with st.expander(say("About this table"), icon=":material/info:"):
                st.write("\n".join(f"- {plain(said_of_table(notice, say))}" for notice in self.outcome.notices))

    def _show_downloads(self) -> None:
        say = self.say
        stem = Path(self.job.name).stem
        masked = bool(st.session_state.get(f"mask_{self.job.id}"))
        names = {".xlsx": "Excel", ".csv": "csv", ".parquet": "parquet"}
        with st.container(horizontal=True, vertical_alignment="center"):
            for suffix, name in names.items():
                fits = suffix != ".xlsx" or self.outcome.fits_excel
                st.download_button(
                    say("Download {kind}", kind=name),
                    data=_made(self.job, suffix, self.outcome.summary.rows, masked),
                    file_name=f"{stem}_triage{'_masked' if masked else ''}{suffix}",
                    mime=MIMES[suffix],
                    icon=":material/download:",
                    key=f"download_{suffix}_{self.job.id}",
                    on_click="ignore",
                    type="primary" if suffix == ".xlsx" else "secondary",
                    disabled=not fits,
                    help=None if fits else say("This table is too large for an Excel sheet. Take csv or parquet."),
                )
            hide_switch(say, f"mask_{self.job.id}", default=False, label=say("Hide identifiers in the download"))
        st.caption(
            say("Classified with the model {model}. Each row has all its own columns, then the answers.",
                model=plain(self.outcome.model))
        )  # fmt: skip

    def _show_rows(self) -> None:
        say, text = self.say, self.choice.columns.text
        wanted, all_columns = self._filter()
        others = [name for name in self.table.given if name != text] if all_columns else []
        rows = self.table.find(wanted, given=[text, *others])
        if not rows.total:
            st.info(say("No row is like this. Take a filter away."), icon=":material/filter_alt_off:")
            return
        shown = f"{min(rows.total, SHOWN_ROWS):,}"
        st.write(
            say("{total} rows", total=f"{rows.total:,}")
            if rows.total <= SHOWN_ROWS
            else say(
                "The first {shown} of {total} rows; a download has them all.", shown=shown, total=f"{rows.total:,}"
            )
        )
        show_rows_table(rows_table(rows, text, say, is_hidden=is_hiding(HIDING)), say, key="spreadsheet_rows")

    def _filter(self) -> tuple[RowFilter, bool]:
        say, summary, id_ = self.say, self.outcome.summary, self.job.id
        with st.grid(2, min_column_width=260):
            levels = st.multiselect(
                say.wording.task("acuity"),
                LEVELS,
                format_func=lambda level: say.wording.label("acuity", str(level)),
                placeholder=say("all"),
                key=f"levels_{id_}",
            )
            departments = st.multiselect(
                say.wording.task("department"),
                [name for name in summary.levels if name],
                format_func=lambda name: say.wording.label("department", name),
                placeholder=say("all"),
                key=f"departments_{id_}",
            )
        with st.container(horizontal=True):
            review = st.toggle(say("Only rows that a person must decide"), key=f"review_{id_}")
            errors = st.toggle(say("Only errors"), key=f"errors_{id_}")
            all_columns = st.toggle(say("All columns of the table"), key=f"all_columns_{id_}")
            hide_switch(say, HIDING)
        return RowFilter(tuple(levels), tuple(departments), review, errors), all_columns

    def _show_charts(self) -> None:
        say, summary = self.say, self.outcome.summary
        if not summary.answered:
            st.info(
                say("No row has an answer, so there is nothing to draw. See the errors."),
                icon=":material/bar_chart_off:",
            )
            return
        left, right = st.columns(2)
        with left:
            st.subheader(say("Acuity by department"))
            show_figure(
                charts.acuity_by_department(summary, say),
                charts.acuity_by_department_table(summary, say),
                say("Rows by department and acuity level"),
                "levels",
                say,
            )
        with right:
            st.subheader(say("For a person to decide"))
            show_figure(
                charts.review_share(summary, say),
                charts.volume_table(summary, "department", say),
                say("Share of rows that a person must decide, by department"),
                "review",
                say,
            )
            if summary.reasons:
                with st.expander(say("Why a person must decide"), icon=":material/person_raised_hand:"):
                    reasons = charts.review_reasons_table(summary, say)
                    st.dataframe(reasons, hide_index=True, alt=say("Why a person must decide"))
        left, right = st.columns(2)
        with left:
            st.subheader(say("Rows by department"))
            show_figure(
                charts.volume_by_department(summary, say),
                charts.volume_table(summary, "department", say),
                say("Rows by department"),
                "departments",
                say,
            )
        with right:
            st.subheader(say("Rows by acuity level"))
            show_figure(
                charts.volume_by_level(summary, say),
                charts.volume_table(summary, "acuity", say),
                say("Rows by acuity level"),
                "acuity",
                say,
            )
            self._show_probabilities()

    def _show_probabilities(self) -> None:
        say, summary = self.say, self.outcome.summary
        st.subheader(say("How sure the answers are"))
        tasks = list(summary.histograms)
        task = st.segmented_control(
            say("Answer"),
            tasks,
            required=True,
            default=tasks[0],
            format_func=say.wording.task,
            key=f"sure_{self.job.id}",
            label_visibility="collapsed",
        )
        show_figure(
            charts.probabilities(summary, task or tasks[0], say),
            charts.probabilities_table(summary, task or tasks[0], say),
            say("Rows by the probability of their answer"),
            "sure",
            say,
        )

    def _show_errors(self) -> None:
        say = self.say
        rows = self.table.find(RowFilter(errors=True))
        if not rows.total:
            st.success(say("Every row has an answer."), icon=":material/check:")
            return
        st.write(say("These rows have no answer. Assess them by hand, or mend them and upload again."))
        reasons = [said_of_row(str(error), say) for error in rows.answers["error"]]
        st.dataframe(
            pd.DataFrame({say("Row"): rows.numbers, say("Reason"): reasons}),
            hide_index=True,
            column_config={say("Row"): st.column_config.NumberColumn(width=80, format="%d")},
            alt=say("Rows without an answer, by their number in the table"),
            key="spreadsheet_errors",
        )
        if rows.total > SHOWN_ROWS:
            st.caption(say("The first {shown} of {total} rows; a download has them all.",
                           shown=f"{SHOWN_ROWS:,}", total=f"{rows.total:,}"))  # fmt: skip


def _made(job: Job, suffix: str, rows: int, masked: bool) -> Callable[[], Any]:
    """The file's bytes, made when they are asked for, which the audit log then has.

    A table's owner gets it also while the records can't be written: the log of the process says so.
    """

    def made() -> bytes:
        content = export(job, suffix, masked=masked).read_bytes()
        kind = suffix.removeprefix(".")
        facts = {"what": "spreadsheet", "job": job.id, "format": kind, "rows": rows, "masked": masked}
        note_of(job.owner, Act.EXPORT, facts)
        return content

    return made
