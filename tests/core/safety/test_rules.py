from collections.abc import Iterable

import pytest

from core.safety.rules import Ages, Rule, RuleIndex, meeting
from core.safety.terms import Span


def rule(name: str = "r", **fields: object) -> Rule:
    facts = {"id": name, "area": "other", "en": "x", "zh": "x", "acuity": 2, "source": "s", "section": "1"}
    return Rule.model_validate(facts | fields)


class Places:
    """Findings at given places, in sentences of ten characters."""

    def __init__(self, **places: tuple[Span, ...]) -> None:
        self.places = places

    def first(self, finding: str, within: Span | None = None) -> Span | None:
        low, high = within or (0, 1000)
        return next((span for span in self.places.get(finding, ()) if low <= span[0] < high), None)

    def sentences_with(self, finding: str) -> Iterable[Span]:
        return [(start // 10 * 10, start // 10 * 10 + 10) for start, _ in self.places.get(finding, ())]


def test_only_rules_whose_findings_are_all_there_are_looked_at() -> None:
    index = RuleIndex(
        [
            rule("both", all=["a", "b"]),
            rule("either", any=[["a", "c"]]),
            rule("groups", all=["a"], any=[["b", "c"], ["d"]]),
            rule("pregnant", all=["a"], pregnant=True),
        ]
    )
    assert [found.id for found in index.possible(["a"])] == ["either"]
    assert [found.id for found in index.possible(["c", "d", "a"])] == ["either", "groups"]
    assert [found.id for found in index.possible(["pregnant", "b", "a"])] == ["both", "either", "pregnant"]
    assert index.possible([]) == []


def test_the_first_place_of_each_group_is_chosen_in_the_order_of_the_text() -> None:
    met = meeting(rule(all=["a"], any=[["b", "c"]]), Places(a=((30, 31), (40, 41)), b=((20, 21),), c=((5, 6),)))
    assert met is not None
    assert [(found.finding, found.start) for found in met] == [("c", 5), ("a", 30)]


def test_a_rule_within_a_sentence_takes_the_first_sentence_that_has_all() -> None:
    asked = rule(all=["a", "b"], within="sentence")
    met = meeting(asked, Places(a=((1, 2), (12, 13), (25, 26)), b=((15, 16), (28, 29))))
    assert met is not None
    assert [found.start for found in met] == [12, 15]
    assert meeting(asked, Places(a=((1, 2),), b=((15, 16),))) is None


def test_a_rule_without_one_of_its_findings_is_not_met() -> None:
    assert meeting(rule(all=["a", "b"]), Places(a=((1, 2),))) is None


@pytest.mark.parametrize(("age", "holds"), [(0.24, False), (0.25, True), (15.9, True), (16, False)])
def test_ages_hold_from_the_first_to_just_below_the_last(age: float, holds: bool) -> None:
    assert Ages.model_validate({"from": 0.25, "below": 16}).hold(age) is holds
