"""What a pattern must literally hold: a pattern that matches is never left out for lack of it."""

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from core.safety.literals import literal_parts
from core.safety.normalise import Normaliser
from core.safety.patterns import PatternSet
from core.safety.red_flags import RULES
from core.safety.rule_files import read_rules

PATTERNS = (
    "ab", "a|b", "(ab|cd)e?f", "x[0-9]{2}y", "(^|[^a-z])hr ?(is )?1[3-9][0-9]", "a.*b", "(?:ab){2}", "[^x]cd", "a?b?c",
    "突然[^。]{0,4}(?:倒地|昏迷)", "(a|)b", r"\bab\b", "(?:ab){3,}", "a[a-z]b|cd",
)  # fmt: skip


@pytest.mark.parametrize(
    ("pattern", "parts"),
    [
        ("ab", [{"ab"}]),
        ("(hr|pulse) ?[12]", [{"hr1", "hr2", "hr 1", "hr 2", "pulse1", "pulse2", "pulse 1", "pulse 2"}]),
        ("突然.{0,4}(?:倒地|昏迷)", [{"倒地", "昏迷"}, {"突然"}]),
        ("a*b?", []),
        ("[^a]", []),
        ("(?:ab|[^c])d", [{"d"}]),
        ("x(?:ab|.cd)", [{"ab", "cd"}, {"x"}]),
    ],
)  # fmt: skip
def test_the_most_telling_parts_are_taken(pattern: str, parts: list[set[str]]) -> None:
    found = literal_parts(pattern)
    assert sorted(map(sorted, found)) == sorted(map(sorted, parts))


@given(st.sampled_from(PATTERNS), st.text(alphabet="abcdefhrsixy0149 突然倒地昏迷。", max_size=40))
def test_every_match_holds_its_literal_parts(pattern: str, text: str) -> None:
    match = re2.search(pattern, text)
    if match:
        assert all(any(literal in match.group() for literal in part) for part in literal_parts(pattern))


def test_no_shipped_pattern_is_left_out_where_it_matches(shipped_texts: tuple[str, ...]) -> None:
    book = read_rules(RULES)
    normaliser = Normaliser(book.spelling)
    patterns = [pattern for words in book.findings.values() for each in words.values() for pattern in each.patterns]
    together = PatternSet(list(enumerate(patterns)))
    alone = [PatternSet([(0, pattern)])._each[0] for pattern in patterns]
    for text in shipped_texts[:: max(1, len(shipped_texts) // 150)]:
        normal = normaliser.normalise(text).text
        data = normal.encode()
        likely = set(together._likely(normal, data))
        assert {place for place, each in enumerate(alone) if each.search(data)} <= likely
