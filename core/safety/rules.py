"""A rule, and whether a note meets it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal, Protocol

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from core.notes import Sex
from core.safety.terms import Span

Area = Literal[
    "cardiac", "stroke", "respiratory", "anaphylaxis", "sepsis", "meningitis", "bleeding", "head_injury",
    "spine_injury", "burn", "poisoning", "suicide", "violence", "obstetric", "infant", "torsion", "abdomen", "eye",
    "cauda_equina", "diabetic", "seizure", "heat_cold", "abuse", "trauma", "vascular", "other",
]  # fmt: skip
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]


def _not_false(value: bool | None) -> bool | None:
    if value is False:
        raise ValueError("can only be true; leave it out for rules that pregnancy doesn't matter to")
    return value


class Ages(BaseModel):
    """Ages in years that a rule is for.

    Attributes:
        from_: the youngest (`from` in the file).
        below: the rule is for younger ones only.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    from_: float = Field(default=0.0, alias="from", ge=0, le=130)
    below: float = Field(default=200.0, gt=0, le=200)

    @model_validator(mode="after")
    def _in_order(self) -> "Ages":
        if self.from_ >= self.below:
            raise ValueError("from must be less than below")
        return self

    def hold(self, age: float) -> bool:
        """Whether the rule is for this age."""
        return self.from_ <= age < self.below


class Rule(BaseModel):
    """A rule as `rules.toml` writes it.

    Attributes:
        id: its name in code and tables.
        area: what kind of emergency.
        en: its name in English.
        zh: its name in Chinese.
        acuity: the floor that it sets, 1 to 3.
        all: findings that must all be present.
        any: of each group at least one finding must be present.
        not_: findings that keep the rule out (`not` in the file).
        age: the ages that it is for.
        needs_age: whether it applies only to a known age.
        sex: the sex that it is for.
        pregnant: whether it needs the finding `pregnant`.
        within: whether the findings may stand anywhere in the note or must share a sentence.
        source: the public guideline that says it.
        section: where in the guideline.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Name
    area: Area
    en: Text
    zh: Text
    acuity: Literal[1, 2, 3]
    all: tuple[Name, ...] = ()
    any: tuple[Annotated[tuple[Name, ...], Field(min_length=1)], ...] = ()
    not_: tuple[Name, ...] = Field(default=(), alias="not")
    age: Ages | None = None
    needs_age: bool = False
    sex: Sex | None = None
    pregnant: Annotated[bool | None, AfterValidator(_not_false)] = None
    within: Literal["note", "sentence"] = "note"
    source: Text
    section: Text

    @model_validator(mode="after")
    def _asks_for_something(self) -> "Rule":
        if not self.all and not self.any:
            raise ValueError("all or any must name a finding")
        if self.needs_age and self.age is None:
            raise ValueError("needs_age needs age")
        return self

    @cached_property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """Groups of findings of which each must be present with one."""
        needed = (*self.all, "pregnant") if self.pregnant else self.all
        return (*((finding,) for finding in needed), *self.any)

    @property
    def findings(self) -> frozenset[str]:
        """Every finding that it names."""
        return frozenset((*self.not_, *(finding for group in self.groups for finding in group)))


class RuleIndex:
    """The rules by the findings that can set them off, so that only those are looked at.

    Args:
        rules: in the order of the file.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._by_finding: dict[str, list[tuple[int, Rule, tuple[tuple[str, ...], ...]]]] = {}
        for place, rule in enumerate(rules):
            first = min(rule.groups, key=len)
            for finding in first:
                self._by_finding.setdefault(finding, []).append((place, rule, rule.groups))

    def possible(self, findings: Iterable[str]) -> list[Rule]:
        """The rules whose findings are all among these, in the order of the file."""
        given = set(findings)
        found = {
            place: rule
            for finding in given
            for place, rule, groups in self._by_finding.get(finding, ())
            if all(not given.isdisjoint(group) for group in groups)
        }
        return [found[place] for place in sorted(found)]


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A finding that counts, in the normalised text.

    Attributes:
        finding: its name.
        start: where it begins.
        end: where it ends (exclusive).
    """

    finding: str
    start: int
    end: int


class Present(Protocol):
    """Where findings count in a note."""

    def first(self, finding: str, within: Span | None = None) -> Span | None:
        """The first place where the finding counts (of those that begin in a stretch)."""

    def sentences_with(self, finding: str) -> Iterable[Span]:
        """Start and end of each sentence in which the finding counts, in order."""


def meeting(rule: Rule, present: Present) -> list[Occurrence] | None:
    """The findings that meet the rule's groups, the first of each in the text; none if it is not met."""
    if rule.within == "note":
        return _meeting(rule, present, None)
    sentences = sorted({sentence for finding in rule.groups[0] for sentence in present.sentences_with(finding)})
    return next((met for sentence in sentences if (met := _meeting(rule, present, sentence))), None)


def _meeting(rule: Rule, present: Present, within: Span | None) -> list[Occurrence] | None:
    chosen: dict[Span, Occurrence] = {}
    for group in rule.groups:
        places = [(span, finding) for finding in group if (span := present.first(finding, within)) is not None]
        if not places:
            return None
        span, finding = min(places)
        chosen[span] = Occurrence(finding, *span)
    return sorted(chosen.values(), key=lambda found: found.start)
