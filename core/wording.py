"""An assessment in the reader's language: names of tasks and labels, reasons for review, warnings.

The page and the command line both speak through here, so that a label has one name.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from core.notes import Assessment, TaskAnswer
from core.settings import REPOSITORY

Speech = Literal["zh", "en"]
SHOWN = 3  # labels a task
FIRST = ("acuity", "department", "condition")
TAXONOMY = REPOSITORY / "models" / "taxonomy.toml"
RED_FLAGS = REPOSITORY / "models" / "red_flags" / "rules.toml"

# What may stand after "task: " in a reason; sentences without a task stand below.
_REASONS_ZH = {
    "nothing is likely enough": "没有足够可信的结果",
    "the answer is not likely enough": "结果的可信度不足",
    "an emergency can't be ruled out": "不能排除急症",
    "a red flag is more urgent than the estimate": "危险信号对应的等级比估计的更紧急",
}
_SENTENCES_ZH = {
    "the note was cut: its middle was not read": "文本过长，中间部分未读取",
    "the note is neither Chinese nor English": "文本不是中文或英文",
    "the note is unlike those that the model learned from": "文本与模型学习过的内容差异很大",
    "a red flag asks for urgency, which this model does not judge": "发现危险信号，而当前模型不判断紧急程度",
}
_NUMBERS = ("two", "three", "four", "five")
_WARNINGS = {
    "truncated": {
        "en": "The note is long: its beginning and end were read, its middle was not.",
        "zh": "文本较长：只读取了开头和结尾，中间部分未读取。",
    },
}


@dataclass(frozen=True, slots=True)
class Wording:
    """Words for one language.

    Attributes:
        language: `zh` or `en`.
    """

    language: Speech

    def task(self, task: str) -> str:
        """A task's name; a site's own task keeps its own."""
        return self._name("task", task)

    def label(self, task: str, label: str) -> str:
        """A label's name; acuity levels read `2 Emergent`. A site's own label keeps its own."""
        if task != "acuity":
            return self._name(task, label)
        from core.model.scheme import scheme_in_use  # it needs numpy, which not every command does

        return scheme_in_use().shown(label, self.language)

    def reason(self, reason: str) -> str:
        """A reason for review as a sentence; one that has no wording here is given as it is."""
        task, colon, what = reason.partition(": ")
        if reason in _SENTENCES_ZH or not colon:
            return _SENTENCES_ZH.get(reason, reason) if self.language == "zh" else _capital(reason)
        if self.language == "en":
            return f"{self.task(task)}: {what}"
        return f"{self.task(task)}：{_reason_zh(what)}"

    def red_flag(self, rule: str) -> str:
        """A red flag's name; an unknown one keeps its id."""
        return _red_flag_names().get(rule, {}).get(self.language, rule)

    def warning(self, code: str) -> str:
        """What happened to the note on the way; an unknown code is given as it is."""
        return _WARNINGS[code][self.language] if code in _WARNINGS else code

    def _name(self, kind: str, code: str) -> str:
        return str(_taxonomy().get(kind, {}).get(code, {}).get(self.language, code))


def speech_for(assessment: Assessment, preferred: Speech | None = None) -> Speech:
    """The language to answer in: the one preferred, else the note's own (English for other languages)."""
    return preferred or speech_of(assessment.language)


def speech_of(language: str) -> Speech:
    """The language to answer a note in that is written in this one: English where it is neither of the two."""
    return "zh" if language in ("zh", "mixed") else "en"


def tasks_in_order(assessment: Assessment) -> list[TaskAnswer]:
    """Acuity, department, condition, then a site's own tasks."""
    rank = {task: place for place, task in enumerate(FIRST)}
    return sorted(assessment.tasks.values(), key=lambda answer: rank.get(answer.task, len(FIRST)))


def shown_labels(answer: TaskAnswer) -> list[tuple[str, float]]:
    """The labels to show with their probabilities: for acuity the decided level alone, else the likeliest three."""
    if answer.task == "acuity":
        return [(answer.label, answer.probability)]
    return [(ranked.label, ranked.probability) for ranked in answer.ranked[:SHOWN]]


def percent(probability: float) -> str:
    """A probability in whole percent; nothing is called impossible or certain."""
    if probability < 0.01:
        return "<1%"
    return ">99%" if probability > 0.99 else f"{probability:.0%}"


def _reason_zh(what: str) -> str:
    count, _, rest = what.partition(" ")
    if rest == "answers possible":
        number = _NUMBERS.index(count) + 2 if count in _NUMBERS else count
        return f"有 {number} 个可能的结果"
    return _REASONS_ZH.get(what, what)


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


@cache
def _taxonomy() -> Mapping[str, Any]:
    return tomllib.loads(TAXONOMY.read_text(encoding="utf-8"))


@cache
def _red_flag_names() -> Mapping[str, Mapping[str, str]]:
    rules = tomllib.loads(RED_FLAGS.read_text(encoding="utf-8"))["rules"]
    return {rule["id"]: {"en": rule["en"], "zh": rule["zh"]} for rule in rules}
