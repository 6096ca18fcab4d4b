import pytest

from core.safety.patterns import BadPattern, PatternSet


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("spo2 (?:[0-7][0-9]|8[0-9])", "spo2 84%", ["spo2 84"]),
        ("spo2 (?:[0-7][0-9]|8[0-9])", "spo2 100%", []),
        ("体温 ?4[01]", "体温40度,体温 41", ["体温40", "体温 41"]),
        ("t ?4[01]", "at 40", []),
        ("4[01]", "40c", ["40"]),
    ],
)
def test_patterns_cut_no_word_and_no_number(pattern: str, text: str, found: list[str]) -> None:
    places = PatternSet([(3, pattern)]).find(text).get(3, [])
    assert [text[start:end] for start, end in places] == found


def test_the_end_of_a_line_is_as_good_as_the_end_of_the_text() -> None:
    patterns = PatternSet([(0, "(^|,)confused([.,]|$)")])
    assert patterns.find("confused") == patterns.find("confused\nand more") == {0: [(0, 8)]}
    assert patterns.find("more\nconfused")


def test_no_patterns_find_nothing() -> None:
    assert PatternSet([]).find("text") == {}


def test_patterns_that_mean_the_same_share_their_number() -> None:
    found = PatternSet([(1, "a b"), (2, "b"), (1, "c")]).find("a b c")
    assert {target: sorted(spans) for target, spans in found.items()} == {1: [(0, 3), (4, 5)], 2: [(2, 3)]}


@pytest.mark.parametrize("gap", ["。", ". ", "\n", "很"])
def test_a_long_text_is_read_whole(gap: str) -> None:
    text = gap.join(["没有什么特别的", "体温 41度"] * 400)
    found = PatternSet([(0, "体温 ?4[01]")]).find(text)[0]
    assert {text[start:end] for start, end in found} == {"体温 41"}
    assert len(set(found)) == 400


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+$", "(a|aa)+", "(?:[a-z]+ ?)*x", "(?:a{1,9}){1,99}", "((?:ab?)+)", "(", "(?=a)b", r"(a)\1", "a*", "",
     "a{9999}", "SpO2", "體溫"],
)  # fmt: skip
def test_a_bad_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(BadPattern, match=r"RE2|empty text|catastrophic|normal form"):
        PatternSet([(0, "fine"), (0, pattern)])


@pytest.mark.parametrize("pattern", ["(?:[a-z]+ ){0,3}x", "(?:ab|c)d+", "血压[^0-9]{0,5}[0-9]{2,3}", r"\bt ?4[01]\b"])
def test_a_plain_pattern_is_taken(pattern: str) -> None:
    PatternSet([(0, pattern)])


def test_a_bad_pattern_is_named_by_its_place() -> None:
    with pytest.raises(BadPattern) as caught:
        PatternSet([(7, "a"), (8, "("), (9, "b")])
    assert caught.value.place == 1


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("(^|[^0-9])4[01]([^0-9]|$)", "a40b", "40"),
        ("(?:^|[^a-z])fits?", "no fits", "fits"),
        ("(?:^|[^眼])抽搐", "无抽搐", "抽搐"),
        ("(^|x)a|b", "b", "b"),
        ("(^|[])(])a", ")a", "a"),
        (r"\(a([^b]|$)", "(ac", "(a"),
    ],
)  # fmt: skip
def test_what_a_pattern_looks_at_beside_it_is_no_part_of_what_it_finds(pattern: str, text: str, found: str) -> None:
    [(start, end)] = PatternSet([(0, pattern)]).find(text)[0]
    assert text[start:end] == found
