"""Quality: how often the bundle in use is right, where it fails, what it was trained on, and how another compares."""

from collections.abc import Callable, Mapping

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from app.charts import quality as charts
from app.charts import quality_tables as tables
from app.charts.quality_tables import FIGURES
from app.edge import calm, plain
from app.figure import draw
from app.sign_in.admission import admit
from app.text import Voice, voice
from core.model.bundle import Manifest
from core.model.card import LIMITS, model_card
from core.model.catalogue import KnownBundle, known_bundles
from core.model.held_out import Subgroup, differences, same_rows, stated_coverage, subgroups
from core.model.metrics import TaskScores
from core.settings import load_settings
from core.wording import FIRST

admit("quality")

say = voice()
FEW_NOTES = 100
HEADLINE = ("top1", "top3", "coverage", "mean_set_size", "ece")
HEADLINE_ACUITY = ("emergency_recall", "under_triage", "over_triage", "top1", "coverage", "mean_set_size")

# What is shown side by side: by the name on screen, a bundle and its scores. (A string here would show on the page.)
Sides = Mapping[str, tuple[Manifest, TaskScores]]


def show_page() -> None:
    """The bundle in use, and beside it another one if the reader chooses one."""
    readable = [bundle for bundle in known_bundles(load_settings()) if bundle.manifest]
    if not readable or not readable[0].in_use:
        st.error(
            say("The model in use can't be read. Administration says which, and offers another."),
            title=say("Quality can't be shown."),
            icon=":material/error:",
        )
        return
    _introduce(readable[0])
    manifest = readable[0].manifest
    if manifest is None or not manifest.tasks:
        st.info(say("This model answers no question, so there is nothing to show."), icon=":material/info:")
        return
    with st.container(horizontal=True, vertical_alignment="top", gap="medium"):
        task = _choose_task(manifest)
        group = _choose_group(subgroups(manifest, task), task)
        other = _choose_other(readable)
    if group is None:
        st.info(say("Nothing was held out for this question when the model was trained, so its quality is not known."))
    else:
        _show_scores(_sides(readable[0], other, task, group), task, group)
    _show_background(manifest)


def _introduce(bundle: KnownBundle) -> None:
    manifest = bundle.manifest
    if manifest is None:
        return
    st.write(
        say(
            "Every figure was measured when the model was trained, on notes that it had never seen. Notes of another "
            "hospital can turn out worse. The desk advises; a person decides."
        )
    )
    trained = f"{manifest.data['notes']:,}" if isinstance(manifest.data.get("notes"), int) else tables.DASH
    st.caption(
        say(
            "In use: {name}, version {version}, trained on {notes} notes, {day}",
            name=plain(manifest.name),
            version=plain(manifest.version),
            notes=trained,
            day=manifest.created[:10],
        )
    )


def _choose_task(manifest: Manifest) -> str:
    rank = {task: place for place, task in enumerate(FIRST)}
    tasks = sorted(manifest.tasks, key=lambda task: rank.get(task, len(FIRST)))
    chosen = st.segmented_control(
        say("Question"), tasks, default=tasks[0], required=True, format_func=say.wording.task,
        key="quality_task", persist_state="session",
    )  # fmt: skip
    return chosen if chosen in tasks else tasks[0]


def _choose_group(groups: tuple[Subgroup, ...], task: str) -> Subgroup | None:
    if not groups:
        return None
    place = st.selectbox(
        say("Which notes"),
        range(len(groups)),
        format_func=lambda place: _group_name(groups[place]),
        key=f"quality_group_{task}",
        persist_state="session",
        width=300,
    )
    return groups[place if place < len(groups) else 0]


def _group_name(group: Subgroup) -> str:
    rows = f"{group.scores.rows:,}"
    if group.kind == "all":
        return say("All test notes ({rows})", rows=rows)
    if group.kind == "language":
        return say("Language: {name} ({rows})", name=tables.language_name(group.name, say), rows=rows)
    if group.kind == "left_out":
        return say("Trained without it: {name} ({rows})", name=group.name, rows=rows)
    return say("Source: {name} ({rows})", name=group.name, rows=rows)


def _choose_other(readable: list[KnownBundle]) -> KnownBundle | None:
    others = {bundle.reference: bundle for bundle in readable[1:]}
    if not others:
        return None
    chosen = st.selectbox(
        say("Compare with"), list(others), index=None, placeholder=say("no other model"),
        format_func=lambda name: say("{name} (came with the desk)", name=name) if others[name].shipped else name,
        key="quality_other", persist_state="session", width=300,
    )  # fmt: skip
    return others.get(chosen) if chosen else None


def _sides(this: KnownBundle, other: KnownBundle | None, task: str, group: Subgroup) -> Sides:
    """The bundle in use, and the other one where it has figures for the same question and the same kind of notes."""
    found = {say("in use: {version}", version=this.reference): (this.manifest, group.scores)}
    if other and other.manifest:
        same = [g for g in subgroups(other.manifest, task) if (g.kind, g.name) == (group.kind, group.name)]
        if same:
            found[say("other: {version}", version=other.reference)] = (other.manifest, same[0].scores)
        else:
            st.info(say("The other model has no figures for this question and these notes."), icon=":material/info:")
    return {name: (manifest, scores) for name, (manifest, scores) in found.items() if manifest}


def _show_scores(sides: Sides, task: str, group: Subgroup) -> None:
    names = tuple(sides)
    if group.scores.rows < FEW_NOTES:
        st.warning(
            say("Only {rows} notes: the figures can be off by a lot.", rows=group.scores.rows),
            icon=":material/groups:",
        )
    if len(sides) == 1:
        _show_headline(group.scores)
    else:
        _show_comparison(sides[names[0]][1], sides[names[1]][1], (names[0], names[1]))
    if task == "acuity":
        _section(
            say("Too urgent, not urgent enough"),
            say("Not urgent enough is the dangerous side. Red flags, which can only raise the urgency, are left out."),
            sides,
            charts.distance_chart,
            tables.distance_table,
        )
    _section(
        say("Can the shown probability be trusted?"),
        say(
            "On the dashed line, of the notes with 70 % shown, 70 % are right. Below it the model is too sure. "
            "An open circle stands for fewer than 20 notes."
        ),
        sides,
        charts.reliability_chart,
        tables.reliability_table,
    )
    _section(
        say("What is taken for what"),
        say(
            "A line is the right answer, a column the answer given; on the diagonal both are the same. The "
            "darker, the larger the share of its line."
        ),
        sides,
        charts.confusion_chart,
        tables.mix_up_table,
    )
    _section(
        say("Label by label"),
        say("Found: of the notes with this label, how many were given it (recall). Right when given: of the notes "
            "given this label, how many have it (precision). Thin lines: 95 % intervals."),
        sides, charts.label_chart, tables.label_table,
    )  # fmt: skip
    _show_sets(sides, task)


def _show_headline(scores: TaskScores) -> None:
    wanted = HEADLINE_ACUITY if scores.task == "acuity" else HEADLINE
    with st.grid(3, min_column_width=240):
        for name in wanted:
            with st.container(border=True, height="stretch", gap="xsmall"):
                st.metric(say(FIGURES[name].plain), tables.value(name, scores))
                st.caption(f"{tables.interval(name, scores, say)} {say(FIGURES[name].technical)}".strip())
    st.caption(say("In brackets: 95 % interval. With other notes of the same kind, the figure would lie in there."))


def _show_comparison(this: TaskScores, other: TaskScores, names: tuple[str, str]) -> None:
    found = differences(this, other)
    st.subheader(say("Compared"))
    if not same_rows(this, other):
        st.warning(
            say("The two were measured on different notes, so small differences mean nothing."),
            icon=":material/compare_arrows:",
        )
    title = say("Figures of both models")
    st.table(tables.comparison_table(found, names, say), hide_index=True, border="horizontal", alt=title)
    st.caption(say("Better or worse is said only where the 95 % intervals, in brackets, do not overlap."))
    titles = {name: say(words.plain) for name, words in FIGURES.items() if words.share}
    figure = charts.comparison_chart(found, names, titles, say)
    draw(figure, title, "quality_comparison")


def _section(
    title: str,
    words: str,
    sides: Sides,
    chart: Callable[[TaskScores, Voice], go.Figure | None],
    table: Callable[[TaskScores, Voice], pd.DataFrame],
) -> None:
    """A heading, what the figure says, and for each bundle the figure with its table."""
    st.subheader(title)
    st.write(words)
    _side_by_side(title, [(name, chart(scores, say), table(scores, say)) for name, (_, scores) in sides.items()])


def _side_by_side(title: str, found: list[tuple[str, go.Figure | None, pd.DataFrame]]) -> None:
    """One bundle's figure with its table beside it; two bundles' figures beside each other, tables below them."""
    if len(found) == 1:
        _, figure, table = found[0]
        wide, narrow = st.columns([3, 2], gap="medium")
        with wide:
            _show_figure(figure, title, title)
        with narrow:
            st.dataframe(table, hide_index=True, height="content", alt=title)
        return
    for place, (column, (name, figure, table)) in enumerate(zip(st.columns(len(found)), found, strict=True)):
        with column:
            st.markdown(f"**{plain(name)}**")
            _show_figure(figure, f"{title}: {name}", f"{title}{place}")
            with st.expander(say("The numbers"), icon=":material/table:"):
                st.dataframe(table, hide_index=True, alt=f"{title}: {name}")


def _show_figure(figure: go.Figure | None, alt: str, key: str) -> None:
    if figure is not None:
        draw(figure, alt, key)


def _show_sets(sides: Sides, task: str) -> None:
    stated = [stated_coverage(manifest, task) for manifest, _ in sides.values()]
    promise = f"{100 * stated[0]:g} %" if stated[0] is not None else tables.DASH
    st.subheader(say("How many answers stay possible"))
    st.write(
        say(
            "Beside the first answer, the desk keeps every answer that it can't rule out. It promises that the right "
            "one is among them for {promise} of notes; a single one means sure.",
            promise=promise,
        )
    )
    _side_by_side(
        say("How many answers stay possible"),
        [
            (name, charts.set_size_chart(each, say), tables.set_size_table(each, say))
            for name, (_, each) in sides.items()
        ],
    )
    _side_by_side(
        say("Right answer among the possible ones, by label"),
        [
            (name, charts.coverage_chart(scores, promised, say), tables.coverage_table(scores, say))
            for promised, (name, (_, scores)) in zip(stated, sides.items(), strict=True)
        ],
    )


def _show_background(manifest: Manifest) -> None:
    st.subheader(say("What it was trained on"))
    found = tables.data_table(manifest, say)
    if len(found):
        st.dataframe(found, hide_index=True, alt=say("What it was trained on"))
        st.caption(say("The model holds no text of these notes."))
    st.subheader(say("What it can't do"))
    st.markdown("\n".join(f"- {say(limit)}" for limit in LIMITS))
    card = st.expander(say("Model card, with every figure (English)"), icon=":material/description:")
    with card, st.container(height=600, border=False):  # its wide tables scroll in here, not the page
        st.markdown(model_card(manifest.as_json() | {"space_id": manifest.space.id}))


with calm(say, say("Quality can't be shown.")):
    show_page()
