"""The tables of the Quality page, which stand beside its figures, and the words for its numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from app.charts.quality import named
from app.text import Voice
from core.model.bundle import Manifest
from core.model.held_out import Difference
from core.model.intervals import Interval
from core.model.metrics import TaskScores

DASH = "–"
MOST_MIX_UPS = 20


@dataclass(frozen=True, slots=True)
class Words:
    """How a figure is called.

    Attributes:
        plain: for everybody.
        technical: for researchers, in small print.
        share: whether it is a share, shown in percent.
    """

    plain: str
    technical: str
    share: bool = True


FIGURES: Mapping[str, Words] = {
    "top1": Words("First answer right", "top-1 accuracy"),
    "top3": Words("Right answer among the first three", "top-3 accuracy"),
    "emergency_recall": Words("Emergencies recognised", "recall of levels 1 and 2"),
    "under_triage": Words("Judged not urgent enough", "under-triage"),
    "over_triage": Words("Judged too urgent", "over-triage"),
    "coverage": Words("Right answer among the possible ones", "coverage of the prediction sets"),
    "mean_set_size": Words("Possible answers a note", "mean size of the prediction sets", share=False),
    "macro_f1": Words("All labels counted alike", "macro F1", share=False),
    "ece": Words("Shown probability is off by", "expected calibration error, 15 bins"),
}
VERDICTS: Mapping[str, str] = {
    "better": "the one in use is better",
    "worse": "the one in use is worse",
    "no clear difference": "no clear difference",
    "read together": "read together: more answers reach more",
    "not comparable": "can't be compared",
}


def value(name: str, scores: TaskScores) -> str:
    """A figure as it is shown."""
    return _shown(name, scores.figures.get(name))


def interval(name: str, scores: TaskScores, say: Voice) -> str:
    """Where a figure would lie with other notes of the same kind; empty where that is not known."""
    return _range(name, scores.intervals.get(name), say)


def reliability_table(scores: TaskScores, say: Voice) -> pd.DataFrame:
    """How often the first answer is right, by the probability that was shown."""
    bins = [each for each in scores.reliability if each.count]
    return pd.DataFrame({
        say("Probability shown (%)"): [f"{100 * each.low:.0f}–{100 * each.high:.0f}" for each in bins],
        say("Notes"): [each.count for each in bins],
        say("Shown on average (%)"): [_percent(each.confidence) for each in bins],
        say("Right (%)"): [_percent(each.accuracy) for each in bins],
    })  # fmt: skip


def mix_up_table(scores: TaskScores, say: Voice) -> pd.DataFrame:
    """The most frequent wrong answers."""
    worded = named(scores, say)
    rows = [
        (truth, decided, count, _percent(count / sum(row.values())))
        for truth, row in worded.confusion.items()
        for decided, count in row.items()
        if decided != truth
    ]
    rows.sort(key=lambda row: -row[2])
    columns = [say("Right answer"), say("Answer given"), say("Notes"), say("Share of that label (%)")]
    return pd.DataFrame(rows[:MOST_MIX_UPS], columns=columns)


def label_table(scores: TaskScores, say: Voice) -> pd.DataFrame:
    """Each label: found, right when given, among the possible answers."""
    labels = named(scores, say).per_label
    return pd.DataFrame({
        say("Label"): list(labels),
        say("Notes"): [each.support for each in labels.values()],
        say("Found (%)"): [_percent(each.recall) for each in labels.values()],
        say("Found, 95 % interval"): [_range("recall", each.intervals.get("recall"), say) for each in labels.values()],
        say("Right when given (%)"): [_percent(each.precision) for each in labels.values()],
        say("Right when given, 95 % interval"): [
            _range("precision", each.intervals.get("precision"), say) for each in labels.values()
        ],
    })  # fmt: skip


def coverage_table(scores: TaskScores, say: Voice) -> pd.DataFrame:
    """How often each label is among the possible answers when it is the right one."""
    labels = {label: each for label, each in named(scores, say).per_label.items() if each.support}
    return pd.DataFrame({
        say("Label"): list(labels),
        say("Notes"): [each.support for each in labels.values()],
        say("Among the possible answers (%)"): [_percent(each.coverage) for each in labels.values()],
    })  # fmt: skip


def set_size_table(scores: TaskScores, say: Voice) -> pd.DataFrame:
    """Notes by how many answers stay possible."""
    return pd.DataFrame({
        say("Answers that stay possible"): list(scores.set_sizes),
        say("Notes"): list(scores.set_sizes.values()),
        say("Share of notes (%)"): [_percent(count / scores.rows) for count in scores.set_sizes.values()],
    })  # fmt: skip


def distance_table(scores: TaskScores, say: Voice) -> pd.DataFrame:
    """Notes by how many levels the answer is off; most urgent side first."""
    if scores.acuity is None:
        return pd.DataFrame()
    off = [
        (say("too urgent by {levels}", levels=k), n)
        for k, n in sorted(scores.acuity.over_by_distance.items(), reverse=True)
    ]
    off.append((say("the right level"), scores.rows - sum(n for _, n in off) - _total(scores.acuity.under_by_distance)))
    off += [(say("not urgent enough by {levels}", levels=k), n) for k, n in scores.acuity.under_by_distance.items()]
    return pd.DataFrame({
        say("Answer, in levels"): [words for words, _ in off],
        say("Notes"): [count for _, count in off],
        say("Share of notes (%)"): [_percent(count / scores.rows) for _, count in off],
    })  # fmt: skip


def comparison_table(differences: Sequence[Difference], bundles: tuple[str, str], say: Voice) -> pd.DataFrame:
    """Each figure of two bundles, and what the difference means."""
    return pd.DataFrame({
        say("Figure"): [say(FIGURES[each.figure].plain) for each in differences],
        bundles[0]: [f"{_shown(each.figure, each.this)} {_range(each.figure, each.this_interval, say)}".strip()
                     for each in differences],
        bundles[1]: [f"{_shown(each.figure, each.other)} {_range(each.figure, each.other_interval, say)}".strip()
                     for each in differences],
        say("Difference"): [say(VERDICTS[each.verdict]) for each in differences],
        say("Technical name"): [say(FIGURES[each.figure].technical) for each in differences],
    })  # fmt: skip


def data_table(manifest: Manifest, say: Voice) -> pd.DataFrame:
    """What the bundle was trained on, by source."""
    sources: Mapping[str, Mapping[str, object]] = manifest.data.get("sources", {})
    found: dict[str, list[object]] = {
        say("Source"): list(sources),
        say("Notes"): [source.get("rows") for source in sources.values()],
        say("Languages"): [_languages(source.get("languages"), say) for source in sources.values()],
    }
    for task in manifest.tasks:
        labelled = [source.get("labelled") for source in sources.values()]
        title = say("with {task}", task=say.wording.task(task))
        found[title] = [each.get(task) if isinstance(each, Mapping) else None for each in labelled]
    found[say("Licence and origin")] = [source.get("origin") for source in sources.values()]
    return pd.DataFrame(found)


def language_name(code: str, say: Voice) -> str:
    """A language's name."""
    names = {"zh": "Chinese", "en": "English", "mixed": "Chinese and English", "other": "another language"}
    return say(names[code]) if code in names else code


def _languages(codes: object, say: Voice) -> str:
    return ", ".join(language_name(str(code), say) for code in codes) if isinstance(codes, list | tuple) else DASH


def _shown(name: str, number: float | None) -> str:
    if number is None:
        return DASH
    return f"{100 * number:.1f} %" if name not in FIGURES or FIGURES[name].share else f"{number:.2f}"


def _range(name: str, found: Interval | None, say: Voice) -> str:
    if found is None:
        return ""
    low, high = (_shown(name, end).removesuffix(" %") for end in found)
    return say("({low} to {high})", low=low, high=high)


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 1)


def _total(counts: Mapping[int, int]) -> int:
    return sum(counts.values())
