"""How a classified table agrees with labels that it had already, on the Spreadsheet page."""

import streamlit as st

from app.charts import spreadsheet as charts
from app.edge import plain
from app.figure import show_figure
from app.text import Voice
from core.bulk.agreement import Agreement, agreement
from core.bulk.answers import STANDARD_TASKS
from core.bulk.jobs import Choice, Job
from core.bulk.results import ClassifiedTable

FEW_LABELS = 10  # as many as a matrix on a phone can show


class AgreementView:
    """Draws the comparison with a table's own labels.

    Attributes:
        job: whose table.
        choice: what was chosen for it; another reference is kept with it.
        say: the reader's language.
        table: the rows on the disk.
    """

    def __init__(self, job: Job, choice: Choice, say: Voice, table: ClassifiedTable) -> None:
        self.job, self.choice, self.say, self.table = job, choice, say, table

    def show(self) -> None:
        """The columns to compare with, then each comparison."""
        say = self.say
        st.write(say("Choose a column that holds the right label, to see how often the desk agrees with it."))
        references: dict[str, str] = {}
        with st.grid(3, min_column_width=220):
            for task in STANDARD_TASKS:
                before = self.choice.references.get(task)
                name = st.selectbox(
                    say.wording.task(task),
                    self.table.given,
                    index=self.table.given.index(before) if before in self.table.given else None,
                    placeholder=say("none"),
                    key=f"agree_{task}_{self.job.id}",
                )
                if name:
                    references[task] = name
        if references != self.choice.references:
            self.job.chosen(Choice(self.choice.columns, self.choice.sheet, references))
        for task, name in references.items():
            found = agreement(task, self.table.column(name), self.table.answer(task))
            st.subheader(say.wording.task(task))
            self._show_one_agreement(found)

    def _show_one_agreement(self, found: Agreement) -> None:
        say = self.say
        if not found.is_labels:
            st.info(say("This column has too many different values to be labels."), icon=":material/help:")
            return
        if found.share is None:
            st.info(say("No row has both a label in this column and an answer."), icon=":material/help:")
            return
        with st.grid(3, min_column_width=190):
            st.metric(
                say("Agreement"),
                f"{found.share:.0%}",
                border=True,
                delta=_range(found.interval),
                delta_color="off",
                delta_arrow="off",
                help=say("Share of rows in which both are the same; beside it the range that chance leaves (95 %)."),
            )
            if found.acuity is not None:
                self._show_direction(found)
        most = FEW_LABELS
        if len(found.confusion) > FEW_LABELS and st.toggle(
            say("All labels, not only the {count} most frequent", count=FEW_LABELS),
            key=f"all_{found.task}_{self.job.id}",
        ):
            most = charts.MOST_ROWS
        show_figure(
            charts.confusion(found, say, most),
            charts.confusion_table(found, say),
            say("Rows by reference label and by answer"),
            f"confusion_{found.task}",
            say,
        )
        if found.left_out:
            st.caption(
                say("{count} rows without a label or without an answer are left out.", count=f"{found.left_out:,}")
            )
        if found.foreign:
            names = ", ".join(list(found.foreign)[:10])
            st.caption(
                plain(say("The desk does not know these labels, so it can't agree with them: {names}", names=names))
            )

    def _show_direction(self, found: Agreement) -> None:
        say, scores = self.say, found.acuity
        if scores is None:
            return
        for name, share, help_ in (
            ("under_triage", scores.under_triage, say("Judged less urgent than the reference.")),
            ("over_triage", scores.over_triage, say("Judged more urgent than the reference.")),
        ):
            st.metric(
                say("Under-triage") if name == "under_triage" else say("Over-triage"),
                f"{share:.0%}",
                border=True,
                delta=_range(scores.intervals.get(name)),
                delta_color="off",
                delta_arrow="off",
                help=help_,
            )


def _range(interval: tuple[float, float] | None) -> str | None:
    return f"{interval[0]:.0%} – {interval[1]:.0%}" if interval else None
