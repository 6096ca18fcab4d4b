"""Ages and sex that a note states: “67M”, “3 week old”, “6周龄”, “1岁半”."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import re2

from core.notes import Note, Sex

_UNIT_YEARS = {"y": 1.0, "m": 1 / 12, "w": 7 / 365.25, "d": 1 / 365.25, "h": 1 / 8766}
_UNITS_ZH = {"年": "y", "岁": "y", "月": "m", "周": "w", "星": "w", "天": "d", "日": "d", "小": "h"}
_NUMBERS_EN = ("a", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_DIGITS_ZH = {digit: place for place, digit in enumerate("零一二三四五六七八九十")} | {"两": 2, "俩": 2, "半": 0}

_N = r"([0-9]{1,3}(?:\.[0-9])?|an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
_U = r"(y|yrs?|years?|m|mo|mos|mths?|months?|w|wks?|weeks?|d|days?|hours?)"
_Z = r"([0-9]{1,3}(?:\.[0-9])?|[一二两三四五六七八九十]{1,3})"
_V = r"个?(月|周|星期|天|日|小时)"
_CHILD_ZH = r"(?:宝宝|宝贝|婴儿|婴|娃|孩子|小孩|女孩|男孩|女婴|男婴|新生儿|儿子|女儿|幼儿|患儿|儿)"

_ENGLISH = (
    rf"\b{_N} ?{_U}\.? ?/?(?:olds?|o|of age)\b",
    rf"\b{_N}(?: and a half)? ?(y)/?(?:o|old)?\b",
    r"\b(?:aged?|age is|age of|age:) ?([0-9]{1,3})\b ?(months?|weeks?|days?)?",
    r"(?:^|[\n.(] ?|\b(?:pt|patient|a|an|is|am|i'm) )([0-9]{1,3}) ?(?:yr )?(?:m|f|male|female|man|woman)\b",
    rf"\b(?:baby|infant|newborn|neonate|son|daughter|child|boy|girl|he|she)"
    rf"(?: is|'s|,|:)*(?: only| just| about)? {_N} {_U}\b",
    rf"\bborn {_N} {_U} ago",
    rf"\b{_N} {_U} (?:baby|infant|newborn|neonate)\b",
    r"\bin (?:his|her|my|their|the)(?: (?:early|mid|late))? ([1-9]0)s\b",
)
_CHINESE = (
    rf"{_Z} ?(?:多|几)?周?(岁)(?:半|零|又)?",
    rf"{_Z}{_V}(?:大|龄|零|的?{_CHILD_ZH})",
    rf"{_CHILD_ZH}(?:刚|才|现在|今年|已经|快|满|是|,|:| )*{_Z}个(?:多|半)?(月)",
    rf"(?:出生|生后|日龄|刚生|月龄)(?:才|后|刚|第|已|了)?{_Z}{_V}",
)
_NEWBORN = r"\b(?:newborn|neonate|neonatal)\b|新生儿|刚出生|满月"
_NOT_NOW = re.compile(r" ?(?:ago\b|前|起|时|那年|开始|以来|没|未|into\b|post\b)")
_BORN_AGO = "born"
_MALE = r"\b(?:male|gentleman)\b|\b[0-9]{1,3} ?m\b[ ,.;/)]|男性|男[,、; ]?[0-9]|岁[的,]?男|性别:? ?男|^男[,。 ]"
_FEMALE = (
    r"\b(?:female|woman|lady|girl|pregnant|pregnancy|she|her)\b|\b[0-9]{1,3} ?f\b[ ,.;/)]"
    r"|女性|女[,、; ]?[0-9]|岁[的,]?女|性别:? ?女|^女[,。 ]|孕|产妇|月经|她"
)


@dataclass(frozen=True, slots=True)
class Said:
    """Something said of the patient, and where it ends in the normalised text."""

    value: float
    end: int


class Patient:
    """What is known of the patient, from the form or, where it says nothing, from the text.

    Args:
        note: as entered.
        text: its normal form.
    """

    def __init__(self, note: Note, text: str) -> None:
        self._note, self._text = note, text

    def has_age(self, fits: Callable[[float], bool], upto: int, *, needed: bool) -> bool:
        """Whether a rule for some ages applies.

        The form decides. Without it any fitting age in the text will do; one that does not fit keeps the rule out only
        if it stands before `upto`, so that nothing written afterwards takes a rule away.
        """
        if self._note.age is not None:
            return fits(self._note.age)
        if any(fits(said.value) for said in self._ages):
            return True
        return not needed and not any(said.end <= upto for said in self._ages)

    def has_sex(self, sex: Sex, upto: int) -> bool:
        """Whether a rule for one sex applies; as with ages, and a text that names both is no reason against it."""
        if self._note.sex is not None:
            return self._note.sex == sex
        own, other = (self._female, self._male) if sex == "female" else (self._male, self._female)
        return bool(own) or not any(end <= upto for end in other)

    @cached_property
    def _ages(self) -> list[Said]:
        return ages_in(self._text)

    @cached_property
    def _male(self) -> list[int]:
        return [match.end() for match in _pattern(_MALE).finditer(self._text)]

    @cached_property
    def _female(self) -> list[int]:
        return [match.end() for match in _pattern(_FEMALE).finditer(self._text)]


@cache
def _pattern(pattern: str) -> Any:  # noqa: ANN401 - the library has no types
    return re2.compile(pattern)


def ages_in(text: str) -> list[Said]:
    """Every age in years that the normalised text states of somebody now, in order."""
    found = [Said(0.02, match.end()) for match in _pattern(_NEWBORN).finditer(text)]
    for pattern in _ENGLISH:
        for match in _pattern(pattern).finditer(text):
            if match.group().startswith(_BORN_AGO) or not _NOT_NOW.match(text, match.end()):
                found.append(Said(_years_en(match.groups()), match.end()))
    for pattern in _CHINESE:
        for match in _pattern(pattern).finditer(text):
            if not _NOT_NOW.match(text, match.end()):
                found.append(Said(_years_zh(match.groups(), match.group()), match.end()))
    return sorted((said for said in found if said.value <= 130), key=lambda said: said.end)


def _years_en(groups: tuple[str | None, ...]) -> float:
    number = groups[0] or ""
    amount = float(max(1, _NUMBERS_EN.index("a" if number == "an" else number))) if number.isalpha() else float(number)
    unit = groups[1] if len(groups) > 1 else None
    return amount * _UNIT_YEARS[(unit or "y")[0]]


def _years_zh(groups: tuple[str | None, ...], whole: str) -> float:
    number = groups[0] or ""
    amount = float(number) if number[:1].isdigit() else float(_chinese_number(number))
    unit = _UNITS_ZH[(groups[1] or "岁")[0]]
    return (amount + (0.5 if whole.endswith("半") else 0)) * _UNIT_YEARS[unit]


def _chinese_number(number: str) -> int:
    """A number up to 99: 三, 十二, 二十, 六十七."""
    if "十" not in number:
        return _DIGITS_ZH[number[-1]]
    tens, _, ones = number.partition("十")
    return (_DIGITS_ZH[tens[-1]] if tens else 1) * 10 + (_DIGITS_ZH[ones[0]] if ones else 0)
