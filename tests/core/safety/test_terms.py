import pytest

from core.safety.lexicon import Lexicon, Terms
from core.safety.normalise import Normaliser
from core.safety.terms import Tongue, parse_terms

PLAIN = Normaliser()


def places(term: str, text: str, tongue: Tongue = "en") -> list[str]:
    lexicon = Lexicon()
    lexicon.add(7, tongue, parse_terms([term], PLAIN))
    lexicon.ready()
    terms = lexicon.find(text)
    found = terms.alone or terms.chained
    return [text[start:end] for start, end in found.get(7, [])]


@pytest.mark.parametrize(
    ("term", "text", "found"),
    [
        ("pain", "pain in the chest", ["pain"]),
        ("pain", "painful", []),
        ("pain", "in spain", []),
        ("pain", "pain,pain", ["pain", "pain"]),
        ("chest pain", "chest pains", []),
        ("suffocat*", "suffocating now", ["suffocating"]),
        ("suffocat*", "suffocat", ["suffocat"]),
        ("crush* chest", "crushing chest", ["crushing chest"]),
        ("crush* chest", "crushing my chest", []),
        ("pain ... chest", "pain chest", ["pain chest"]),
        ("pain ... chest", "pain in my left upper chest", ["pain in my left upper chest"]),
        ("pain ... chest", "pain in my left upper big chest", []),
        ("pain ... chest", "pain, chest", []),
        ("pain ... chest", "pain. my chest", []),
        ("pain ... chest", "pain of 7.5 in chest", ["pain of 7.5 in chest"]),
        ("numb* ... arm ... left", "numbness of the arm on the left", ["numbness of the arm on the left"]),
        ("can't breathe", "i can't breathe", ["can't breathe"]),
    ],
)
def test_english_terms_are_whole_words(term: str, text: str, found: list[str]) -> None:
    assert places(term, text) == found


@pytest.mark.parametrize(
    ("term", "text", "found"),
    [
        ("胸痛", "今天胸痛了", ["胸痛"]),
        ("胸...痛", "胸口这里很痛", ["胸口这里很痛"]),
        ("胸...痛", "胸口这里一直都特别的痛", []),
        ("胸...痛", "胸闷,头痛", []),
        ("胸...痛", "胸痛", ["胸痛"]),
        ("st段抬高", "ecg:st段抬高", ["st段抬高"]),
    ],
)
def test_chinese_terms_may_stand_anywhere(term: str, text: str, found: list[str]) -> None:
    assert places(term, text, "zh") == found


def test_terms_that_share_their_words_are_all_found() -> None:
    lexicon = Lexicon()
    for target, term in enumerate(["pain", "chest pain", "chest*", "pain*", "pain ... chest"]):
        lexicon.add(target, "en", parse_terms([term], PLAIN))
    lexicon.ready()
    found = lexicon.find("chest pain in chest")
    assert (set(found.alone), set(found.chained)) == ({0, 1, 2, 3}, {4})
    assert found.openings == {4: [(6, 10)]}


def test_an_empty_lexicon_finds_nothing() -> None:
    lexicon = Lexicon()
    lexicon.ready()
    assert lexicon.find("chest pain") == Terms()


@pytest.mark.parametrize("term", ["*", "a*b", "... pain", "pain ...", "a ... ... b", " ", "*pain", "\u200b"])
def test_a_term_that_says_nothing_is_refused(term: str) -> None:
    with pytest.raises(ValueError, match="“"):
        parse_terms([term], PLAIN)
