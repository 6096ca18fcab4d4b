"""What the commands print: short, calm, aligned, also where characters are two columns wide."""

import sys
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, NoReturn, Self

from core.notes import Assessment, RedFlagHit, TaskAnswer
from core.wording import Speech, Wording, percent, shown_labels, speech_for, tasks_in_order

if TYPE_CHECKING:
    from tqdm import tqdm

    from core.bulk.classify import RunReport
    from core.embedding.contract import Check
    from core.model.bundle import Bundle
    from core.why import Why

_WORDS = {
    "en": {"review": "A person must decide:", "clear": "No reason for review found.", "notice": "Please note:",
           "advice": "Advice only; a person decides.", "model": "Model: ", "flags": "Must not be missed:",
           "at_least": ", at least {}: {} ({})", "quoted": "“{}”", "comma": ", ",
           "no_flags": "No red flag found in the text.", "by_hand": "The model gave no answer: triage by hand.",
           "moved": "What moved the answer most:", "similar": "A similar note that the model learned from:"},
    "zh": {"review": "需要人工判断：", "clear": "未发现需要复核之处。", "notice": "请注意：",
           "advice": "仅供参考，由人决定。", "model": "模型：", "flags": "不可遗漏：",
           "at_least": "，至少为 {}：{}（{}）", "quoted": "“{}”", "comma": "、",
           "no_flags": "文本中未发现危险信号。", "by_hand": "模型暂无结果：请人工分诊。",
           "moved": "对结果影响最大的语句：", "similar": "模型学习过的相似文本："},
}  # fmt: skip


def assessment_text(assessment: Assessment, preferred: Speech | None = None, *, why: "Why | None" = None) -> str:
    """An assessment for a reader at a terminal: acuity, the other tasks, what needs a person, what it rests on."""
    language = speech_for(assessment, preferred)
    wording, words = Wording(language), _WORDS[language]
    lines = _columns([row for answer in tasks_in_order(assessment) for row in _answer_rows(answer, wording)])
    if assessment.red_flags:
        lines += ["", *_red_flag_lines(assessment.red_flags, wording)]
    if assessment.needs_review:
        lines += ["", words["review"], *(f"  - {wording.reason(reason)}" for reason in assessment.reasons)]
    else:
        lines += ["", words["clear"]]
    if assessment.warnings:
        lines += ["", words["notice"], *(f"  - {wording.warning(code)}" for code in assessment.warnings)]
    if why is not None:
        lines += _why_lines(why, assessment, wording)
    model = f"{assessment.model.bundle} {assessment.model.version}"
    return "\n".join([*lines, "", f"{words['advice']} {words['model']}{model}"])


def _why_lines(why: "Why", assessment: Assessment, wording: Wording) -> list[str]:
    """For each task the phrase that speaks most for its answer, and the most similar reference note."""
    words, lines = _WORDS[wording.language], []
    for answer in tasks_in_order(assessment):
        best = max(why.phrases, key=lambda phrase: phrase.effects.get(answer.task, 0.0), default=None)
        if best is not None and best.effects.get(answer.task, 0.0) > 0:
            quoted = words["quoted"].format(" ".join(best.words.text.split()))
            lines.append(f"  - {wording.task(answer.task)}: {quoted} (+{100 * best.effects[answer.task]:.0f})")
    found = ["", words["moved"], *lines] if lines else []
    if why.similar:
        nearest = why.similar[0]
        labels = words["comma"].join(wording.label(task, label) for task, label in nearest.labels.items())
        found += ["", words["similar"], f"  - {words['quoted'].format(nearest.text)} ({labels})"]
    return found


def by_hand_text(flags: Sequence[RedFlagHit], language: Speech) -> str:
    """What the rules alone say of a note that no model could assess."""
    lines = _red_flag_lines(flags, Wording(language)) if flags else [_WORDS[language]["no_flags"]]
    return "\n".join([*lines, "", _WORDS[language]["by_hand"]])


def _red_flag_lines(flags: Sequence[RedFlagHit], wording: Wording) -> list[str]:
    """The names of red flags, the levels that they demand, the words that they rest on, and their sources."""
    words = _WORDS[wording.language]
    lines = [words["flags"]]
    for hit in flags:
        quoted = dict.fromkeys(words["quoted"].format(" ".join(evidence.text.split())) for evidence in hit.evidence)
        level = wording.label("acuity", str(hit.acuity))
        said = words["at_least"].format(level, words["comma"].join(quoted), hit.source)
        lines.append(f"  - {wording.red_flag(hit.id)}{said}")
    return lines


def _answer_rows(answer: TaskAnswer, wording: Wording) -> list[tuple[str, ...]]:
    names = [wording.task(answer.task)]
    rows = shown_labels(answer)
    names += [""] * (len(rows) - 1)
    return [
        (name, wording.label(answer.task, label), f"{percent(probability):>4}")
        for name, (label, probability) in zip(names, rows, strict=True)
    ]


def _columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Rows with their cells below each other, two blanks between."""
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell + " " * (w - _width(cell)) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def run_text(report: "RunReport", target: str) -> str:
    """What `triage classify` did, in a sentence or two."""
    text = f"{report.rows:,} rows, {report.classified:,} classified"
    text += f", {report.errors:,} with an error (see the column error)" if report.errors else ""
    text += f", {report.reused_rows:,} taken from the run before" if report.reused_rows else ""
    return f"{text}, in {report.seconds:,.1f} s. Written to {target}"


def bundle_text(bundle: "Bundle", folder: Path) -> str:
    """What `triage train` made: its version and, for each task, how it does on rows that it never saw."""
    rows = [("task", "classes", "top-1", "top-3", "rows held out")]
    for task, facts in bundle.manifest.tasks.items():
        held_out = facts["held_out"]
        rows.append(
            (
                task,
                str(len(facts["classes"])),
                f"{held_out['top1']:.3f}",
                f"{held_out['top3']:.3f}",
                f"{held_out['rows']:,}",
            )
        )
    return "\n".join([*_columns(rows), "", f"Bundle {bundle.manifest.name} {bundle.manifest.version} is in {folder}"])


def check_text(check: "Check") -> str:
    """One line of the table of `triage check-endpoint`."""
    return f"{'pass' if check.passed else 'FAIL'}  {check.name:<20}  {check.detail}"


class Progress:
    """Progress of a long command on standard error: on a terminal only, nothing in a pipe."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._bar: tqdm[NoReturn] | None = None
        self._done = 0

    def say(self, line: str) -> None:
        """One line about what is being done."""
        self._end_bar()
        if self._shown:
            print(line, file=sys.stderr, flush=True)  # noqa: T201 - this is the command's output

    def count(self, done: int, total: int) -> None:
        """So many of the notes are done."""
        self._update(done - self._done, total)

    def add(self, more: int) -> None:
        """So many more notes are done; how many there are is not known."""
        self._update(more, None)

    def _update(self, more: int, total: int | None) -> None:
        from tqdm import tqdm

        if self._bar is None:
            self._bar = tqdm(total=total, unit="note", disable=not self._shown, file=sys.stderr)
        self._bar.update(more)
        self._done += more

    def _end_bar(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end_bar()
