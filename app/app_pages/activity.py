"""Activity: what came in, how urgent it was, and what people changed, from the records."""

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

import streamlit as st

from app.charts import activity as charts
from app.desk import person, records
from app.edge import calm
from app.figure import show_figure
from app.sign_in.admission import admit
from app.text import voice
from core.records import export, summary
from core.records.acts import Act
from core.records.records import AnsweredNote

visitor = admit("activity")

SPAN, KEPT_SPAN = "activity_span", "activity_span_kept"
STEP, TASK = "activity_step", "activity_task"
say = voice()
UNSHOWN = say("This can't be shown now.")


def zone_of_reader() -> tzinfo:
    """The browser's time zone, else UTC."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (KeyError, ValueError, OSError):
        return UTC


def choose_span() -> summary.Span:
    """The selector above everything; it outlives the page."""

    def keep() -> None:
        st.session_state[KEPT_SPAN] = st.session_state[SPAN]

    names = {"today": say("Today"), "week": say("7 days"), "month": say("30 days"), "all": say("All")}
    if SPAN not in st.session_state:
        st.session_state[SPAN] = st.session_state.get(KEPT_SPAN, "today")
    with st.container(horizontal=True, vertical_alignment="center"):
        chosen = st.segmented_control(
            say("Time span"),
            summary.SPANS,
            required=True,
            format_func=names.__getitem__,
            key=SPAN,
            on_change=keep,
            label_visibility="collapsed",
        )
        st.button(say("Refresh"), icon=":material/refresh:")
    return chosen or "today"


def show_nothing_yet(span: summary.Span) -> None:
    """What to do where there is nothing to show."""
    if span == "all":
        st.info(
            say("Nothing is recorded yet. Each note assessed on the Triage page is counted here, without its text."),
            icon=":material/hourglass_empty:",
        )
    else:
        st.info(
            say("No notes in this time span. Choose a longer one, or assess a note on the Triage page."),
            icon=":material/hourglass_empty:",
        )
    if "triage" in visitor.rooms:
        st.page_link("app_pages/triage.py", label=say("Go to Triage"), icon=":material/stethoscope:")


def show_totals(totals: summary.Totals) -> None:
    """Four numbers."""
    none = say("none yet")
    with st.container(horizontal=True):
        st.metric(say("Notes answered"), f"{totals.notes:,}", border=True)
        share = totals.to_person_share
        st.metric(
            say("Sent to a person"),
            none if share is None else f"{share:.0%}",
            border=True,
            help=say("Share of notes for which the desk asked for a person to decide."),
        )
        st.metric(
            say("Agreement"),
            none if totals.agreement is None else f"{totals.agreement:.0%}",
            border=True,
            help=say("Share of the answers looked at by a person that were accepted as they were."),
        )
        st.metric(
            say("Changed by people"),
            f"{totals.overrides:,}",
            border=True,
            help=say("Answers to which a person gave another label."),
        )


@st.fragment
def show_volume(notes: Sequence[AnsweredNote], zone: tzinfo, since: datetime | None, until: datetime) -> None:
    """Notes by time and department."""
    with calm(say, UNSHOWN), st.container(border=True):
        is_today = since is not None and until.astimezone(zone).date() == since.date()
        step: summary.Step = "hour"
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.subheader(say("Notes by hour and department"), width="content")
            if not is_today:
                names = {"hour_of_day": say("Hour of the day"), "day": say("Day")}
                chosen = st.segmented_control(
                    say("Counted by"),
                    list(names),
                    default="hour_of_day",
                    required=True,
                    format_func=names.__getitem__,
                    key=STEP,
                    label_visibility="collapsed",
                )
                step = "day" if chosen == "day" else "hour_of_day"
        volume = summary.volume(notes, zone, step, since=since, until=until)
        show_figure(
            charts.volume_figure(volume, step, say),
            charts.volume_table(volume, step, say),
            say("Number of notes over time, stacked by department."),
            "activity_volume",
            say,
        )


def show_acuity(notes: Sequence[AnsweredNote]) -> None:
    """Notes by level."""
    with st.container(border=True):
        st.subheader(say("How urgent"))
        mix = summary.acuity_mix(notes)
        show_figure(
            charts.acuity_figure(mix, say),
            charts.acuity_table(mix, say),
            say("Number of notes of each level of urgency, after people's decisions."),
            "activity_acuity",
            say,
        )


def show_agreement(notes: Sequence[AnsweredNote], zone: tzinfo, since: datetime | None, until: datetime) -> None:
    """How often answers stood."""
    with st.container(border=True):
        st.subheader(say("Agreement over time"))
        is_today = since is not None and until.astimezone(zone).date() == since.date()
        steps = summary.agreement(notes, zone, "hour" if is_today else "day", since=since, until=until)
        if not any(one.decided for one in steps):
            st.info(say("Nobody accepted or changed an answer in this time span."), icon=":material/how_to_reg:")
            return
        step: summary.Step = "hour" if is_today else "day"
        show_figure(
            charts.agreement_figure(steps, step, say),
            charts.agreement_table(steps, step, say),
            say("Share of the answers looked at by a person that were accepted, over time."),
            "activity_agreement",
            say,
        )


@st.fragment
def show_overrides(notes: Sequence[AnsweredNote]) -> None:
    """Which label was changed to which."""
    with calm(say, UNSHOWN), st.container(border=True):
        tasks = summary.tasks_of(notes)
        if st.session_state.get(TASK) not in tasks:
            st.session_state[TASK] = tasks[0]
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.subheader(say("What people changed"), width="content")
            task = st.segmented_control(
                say("Question"),
                tasks,
                required=True,
                format_func=say.wording.task,
                key=TASK,
                label_visibility="collapsed",
            )
        task = task or tasks[0]
        pairs = summary.override_pairs(notes, task)
        if pairs.empty:
            st.info(say("No answer to this question was changed in this time span."), icon=":material/check_circle:")
            return
        if task == "acuity":
            raised, lowered = summary.override_directions(notes)
            st.markdown(
                say("Made more urgent: **{raised}**. Made less urgent: **{lowered}**.", raised=raised, lowered=lowered)
            )
        show_figure(
            charts.override_figure(pairs, task, say),
            charts.override_table(pairs, task, say),
            say("How often which label of the desk was changed to which."),
            "activity_overrides",
            say,
        )
        if charts.is_map_cut(pairs, task):
            st.caption(say("The figure shows the labels that changed most often; the table has all of them."))


def show_answers(notes: Sequence[AnsweredNote], zone: tzinfo, span: summary.Span) -> None:
    """The answers one by one, to take away; the audit log has a row about it first, or nothing is taken."""
    kept, who = records(), person()  # the file is made outside of the page's run

    def as_csv() -> bytes:
        kept.note(Act.EXPORT, who, {"what": "activity", "format": "csv", "span": span, "rows": len(notes)})
        table = export.answers_table(notes, zone)
        return export.csv_of(charts.worded_answers(table, summary.tasks_of(notes), str(zone), say))

    st.download_button(
        say("Download the answers (csv)"),
        as_csv,
        file_name=f"triage_activity_{span}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        help=say("Every answer and decision of this time span. It holds no text of any note."),
    )


def show_page() -> None:
    """The page from top to bottom."""
    span = choose_span()
    zone, now = zone_of_reader(), datetime.now(UTC)
    since = summary.start_of(span, now, zone)
    with st.spinner(say("Reading the records")):
        found = records().answers(since=since, newest=summary.MOST + 1)
    notes = found[-summary.MOST :]
    if not notes:
        show_nothing_yet(span)
        return
    if len(found) > summary.MOST:
        since = notes[0].at.astimezone(zone)
        st.info(
            say("There are more than {count} notes in this time span. The newest are shown, from {since} on.",
                count=f"{summary.MOST:,}", since=since.strftime("%Y-%m-%d %H:%M")),
            icon=":material/filter_list:",
        )  # fmt: skip
    show_totals(summary.totals(notes))
    show_volume(notes, zone, since, now)
    left, right = st.columns(2)
    with left:
        show_acuity(notes)
    with right:
        show_agreement(notes, zone, since, now)
    show_overrides(notes)
    show_answers(notes, zone, span)
    st.caption(say("Times are those of {zone}.", zone=str(zone)))


with calm(say, UNSHOWN):
    show_page()
