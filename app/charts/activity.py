"""Figures and tables of the Activity page: volumes, urgency, corrections, agreement."""

from collections.abc import Hashable, Sequence

import pandas as pd
import plotly.graph_objects as go

from app.answer import REASON_WORDS
from app.charts.style import MUTED, PALETTE, calm, level_colour
from app.text import Voice
from core.records.summary import LEVELS, NO_LABEL, REST, Agreement, Step

# Beside the colour, so that a department can be told without it.
PATTERNS = ("", "/", "x", "-", "\\", ".")  # for `TOP` departments
CLOCK = {"hour": "%H:%M", "day": "%m-%d"}
MAP_LABELS = 8  # more labels on an axis can't be read on a tablet
ROW_HEIGHT = 34  # pixels
FEW = 8  # notes; up to here each has a tick


def department_name(label: str, say: Voice) -> str:
    """A department's name; a sentence for all the others and for none."""
    if label == REST:
        return say("All other departments")
    return say("No department") if label == NO_LABEL else say.wording.label("department", label)


def reason_name(reason: str, say: Voice) -> str:
    """Why a person changed an answer; nothing where it was accepted."""
    return say(REASON_WORDS.get(reason, reason)) if reason else ""


def step_name(moment: Hashable, step: Step) -> str:
    """A row's time: `08:00`, or a date."""
    if isinstance(moment, pd.Timestamp):
        return moment.strftime("%Y-%m-%d" if step == "day" else "%Y-%m-%d %H:%M")
    return f"{moment:02}:00"


def volume_figure(volume: pd.DataFrame, step: Step, say: Voice) -> go.Figure:
    """Notes by time, stacked by department.

    Args:
        volume: of `core.records.summary.volume`.
        step: what one row of it is.
        say: the reader's voice.
    """
    times = [step_name(moment, step) for moment in volume.index] if step == "hour_of_day" else volume.index
    figure = go.Figure()
    for place, department in enumerate(volume.columns):
        name = department_name(department, say)
        colour = MUTED if department == REST else PALETTE[place % len(PALETTE)]
        figure.add_bar(
            x=times,
            y=volume[department],
            name=name,
            marker={"color": colour, "line": {"width": 0}, "pattern": _pattern(department, place, colour)},
            hovertemplate=f"%{{x}}<br>{name}: %{{y}}<extra></extra>",
        )
    figure.update_layout(barmode="stack", bargap=0.15)
    _close_up(figure, x=_time_title(step, say), y=say("Notes answered"), height=420)
    _legend_below(figure)
    figure.update_yaxes(rangemode="tozero", tickformat="d", dtick=_step_of_counts(volume.sum(axis=1).max()))
    if step == "hour_of_day":
        figure.update_xaxes(tickvals=times[::3], tickangle=0)
    else:
        figure.update_xaxes(tickformat=CLOCK[step], hoverformat=_hover(step), nticks=min(len(volume), 7))
    return figure


def volume_table(volume: pd.DataFrame, step: Step, say: Voice) -> pd.DataFrame:
    """The same in words: one row a time, one column a department."""
    table = volume.copy()
    table.columns = pd.Index([department_name(label, say) for label in volume.columns])
    table.insert(0, _time_title(step, say), [step_name(moment, step) for moment in volume.index])
    return table.reset_index(drop=True)


def acuity_figure(mix: pd.DataFrame, say: Voice) -> go.Figure:
    """Notes by acuity level, most urgent on top."""
    names = [say.wording.label("acuity", level) for level in mix.index]
    colours = [level_colour(level) for level in mix.index]
    whole = max(int(mix["counted"].sum()), 1)
    figure = go.Figure(
        go.Bar(
            x=mix["counted"],
            y=names,
            orientation="h",
            marker={"color": colours},
            text=[f"{count} ({count / whole:.0%})" for count in mix["counted"]],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{text}<extra></extra>",
        )
    )
    _close_up(figure, x=say("Notes answered"), height=320)
    figure.update_yaxes(autorange="reversed")
    most = max(int(mix["counted"].max()), 1)
    figure.update_xaxes(range=[0, most * 1.3], tickformat="d", dtick=_step_of_counts(most))
    return figure


def acuity_table(mix: pd.DataFrame, say: Voice) -> pd.DataFrame:
    """The same in words, with what the desk gave before anybody decided."""
    return pd.DataFrame(
        {
            say.wording.task("acuity"): [say.wording.label("acuity", level) for level in mix.index],
            say("As the desk gave it"): mix["given"].to_numpy(),
            say("After people's decisions"): mix["counted"].to_numpy(),
        }
    )


def override_figure(pairs: pd.DataFrame, task: str, say: Voice) -> go.Figure:
    """How often which label (row) was changed to which (column); the most frequent labels.

    Args:
        pairs: of `core.records.summary.override_pairs`, not empty.
        task: which.
        say: the reader's voice.
    """
    labels = _labels_on_map(pairs, task)
    counts = pairs.pivot_table(index="given", columns="decided", values="notes", aggfunc="sum")
    counts = counts.reindex(index=labels, columns=labels)
    names = [say.wording.label(task, label) for label in labels]
    figure = go.Figure(
        go.Heatmap(
            z=counts.to_numpy(),
            x=names,
            y=names,
            text=[["" if pd.isna(count) else f"{count:.0f}" for count in row] for row in counts.to_numpy()],
            texttemplate="%{text}",
            colorscale=[[0, "#eaf3f7"], [1, "#8fc1d6"]],  # pale enough for the dark numbers in them
            zmin=0,
            showscale=False,
            xgap=2,
            ygap=2,
            hoverongaps=False,
            hovertemplate=f"{say('The desk')}: %{{y}}<br>{say('A person')}: %{{x}}<br>%{{z}}<extra></extra>",
        )
    )
    _close_up(figure, x=say("A person decided"), y=say("The desk gave"), height=160 + ROW_HEIGHT * max(len(labels), 4))
    figure.update_yaxes(autorange="reversed", showgrid=False, showline=True, mirror=True, linecolor=MUTED)
    figure.update_xaxes(showgrid=False, showline=True, mirror=True, linecolor=MUTED)
    return figure


def override_table(pairs: pd.DataFrame, task: str, say: Voice) -> pd.DataFrame:
    """Every pair in words, with the reason given most often."""
    return pd.DataFrame(
        {
            say("The desk gave"): [say.wording.label(task, label) for label in pairs["given"]],
            say("A person decided"): [say.wording.label(task, label) for label in pairs["decided"]],
            say("Notes answered"): pairs["notes"],
            say("Most frequent reason"): [reason_name(reason, say) for reason in pairs["reason"]],
        }
    )


def agreement_figure(steps: Sequence[Agreement], step: Step, say: Voice) -> go.Figure:
    """Share of decided answers that stood, over time; a gap where nobody decided."""
    figure = go.Figure(
        go.Scatter(
            x=[one.moment for one in steps],
            y=[one.share for one in steps],
            customdata=[one.decided for one in steps],
            mode="lines+markers",
            line={"color": PALETTE[0], "width": 2},
            marker={"size": 8},
            connectgaps=False,
            hovertemplate=f"%{{x}}<br>%{{y:.0%}}<br>{say('Decided')}: %{{customdata}}<extra></extra>",
        )
    )
    _close_up(figure, x=_time_title(step, say), y=say("Answers that stood (%)"), height=320)
    figure.update_yaxes(range=[-0.03, 1.05], tickformat=".0%", dtick=0.25)
    figure.update_xaxes(tickformat=CLOCK[step], hoverformat=_hover(step), nticks=min(len(steps), 7))
    return figure


def agreement_table(steps: Sequence[Agreement], step: Step, say: Voice) -> pd.DataFrame:
    """The same in words, without the times at which nobody decided."""
    decided = [one for one in steps if one.decided]
    return pd.DataFrame(
        {
            _time_title(step, say): [step_name(pd.Timestamp(one.moment), step) for one in decided],
            say("Decided"): [one.decided for one in decided],
            say("Accepted"): [one.accepted for one in decided],
            say("Changed"): [one.decided - one.accepted for one in decided],
            say("Agreement"): [f"{one.share or 0:.0%}" for one in decided],
        }
    )


def worded_answers(table: pd.DataFrame, tasks: Sequence[str], zone: str, say: Voice) -> pd.DataFrame:
    """The answers' table (`core.records.export.answers_table`) with heads and labels in the reader's language.

    Args:
        table: the answers.
        tasks: the tasks that have columns in it.
        zone: name of the time zone of its times.
        say: the reader's voice.
    """
    heads = {
        "time": say("Time ({zone})", zone=zone),
        "person": say("Person"),
        "needs_review": say("Person must decide"),
        "red_flags": say("Red flags"),
        "language": say("Language of the note"),
        "model": say("Model"),
    }
    worded = table.copy()
    for task in tasks:
        name = say.wording.task(task)
        given, decided, reason = task, f"{task}_decided", f"{task}_reason"
        heads |= {given: name, decided: say("{task}: decided", task=name), reason: say("{task}: reason", task=name)}
        for column in (given, decided):
            worded[column] = [say.wording.label(task, label) if label else "" for label in table[column]]
        worded[reason] = [reason_name(code, say) for code in table[reason]]
    worded["needs_review"] = [say("yes") if is_needed else say("no") for is_needed in table["needs_review"]]
    languages = {"zh": say("Chinese"), "en": say("English"), "mixed": say("Chinese and English"), "other": say("Other")}
    worded["language"] = [languages.get(code, code) for code in table["language"]]
    return worded.rename(columns=heads)


def is_map_cut(pairs: pd.DataFrame, task: str) -> bool:
    """Whether some pairs have no place on the figure."""
    return len(set(pairs["given"]) | set(pairs["decided"])) > len(_labels_on_map(pairs, task))


def _labels_on_map(pairs: pd.DataFrame, task: str) -> list[str]:
    """Levels in their order; other labels with the most frequent first."""
    weight = pairs.groupby("given")["notes"].sum().add(pairs.groupby("decided")["notes"].sum(), fill_value=0)
    if task == "acuity":
        return sorted(set(weight.index).union(LEVELS))
    return [str(label) for label in weight.sort_values(ascending=False, kind="stable").index[:MAP_LABELS]]


def _pattern(department: str, place: int, colour: str) -> dict[str, object]:
    return {
        "shape": "" if department == REST else PATTERNS[place % len(PATTERNS)],
        "bgcolor": colour,
        "fgcolor": "rgba(255, 255, 255, 0.6)",
        "solidity": 0.2,
        "size": 7,
    }


def _legend_below(figure: go.Figure) -> None:
    """At the foot of the figure, where long names may take several lines; largest department first."""
    figure.update_layout(
        legend={"orientation": "h", "yref": "container", "yanchor": "bottom", "y": 0, "x": 0, "traceorder": "normal"}
    )


def _close_up(figure: go.Figure, *, x: str, y: str = "", height: int = 320) -> None:
    """Calm, and without room for a legend above."""
    calm(figure, x=x, y=y, height=height).update_layout(margin={"t": 8})


def _step_of_counts(most: float) -> int | None:
    """Between ticks: whole notes where there are few, else as the figure likes."""
    return 1 if most <= FEW else None


def _time_title(step: Step, say: Voice) -> str:
    return {"hour": say("Hour"), "day": say("Day"), "hour_of_day": say("Hour of the day")}[step]


def _hover(step: Step) -> str:
    return "%Y-%m-%d" if step == "day" else "%Y-%m-%d %H:%M"
