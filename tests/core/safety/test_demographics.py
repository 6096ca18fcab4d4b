import pytest

from core.notes import Note
from core.safety.demographics import Patient, ages_in
from core.safety.normalise import Normaliser

NORMALISER = Normaliser({"i'm": "i am", "he's": "he is"})


def ages(text: str) -> list[float]:
    return [round(said.value, 2) for said in ages_in(NORMALISER.normalise(text).text)]


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("67-year-old man", 67),
        ("67 yo", 67),
        ("67y/o", 67),
        ("67 y.o. male", 67),
        ("67 years of age", 67),
        ("67M with chest pain", 67),
        ("Pt 34F c/o pain", 34),
        ("I'm 34 f", 34),
        ("my 3 week old", 0.06),
        ("3-month-old girl", 0.25),
        ("six month old", 0.5),
        ("10 days old", 0.03),
        ("my baby is 5 weeks", 0.1),
        ("he's 8 months and hot", 0.67),
        ("born 9 days ago", 0.02),
        ("2 month baby", 0.17),
        ("aged 45", 45),
        ("age: 80", 80),
        ("in her 70s", 70),
        ("newborn", 0.02),
        ("67岁男性", 67),
        ("六十七岁", 67),
        ("十二岁", 12),
        ("两岁半", 2.5),
        ("6周龄", 0.11),
        ("6周岁", 6),
        ("3个月大", 0.25),
        ("3月龄", 0.25),
        ("两个月的宝宝", 0.17),
        ("宝宝才3个月", 0.25),
        ("出生5天", 0.01),
        ("日龄10天", 0.03),
        ("40天的婴儿", 0.11),
        ("新生儿", 0.02),
    ],
)
def test_an_age_is_read_in_years(text: str, years: float) -> None:
    assert ages(text)[:1] == [pytest.approx(years, abs=0.011)]


@pytest.mark.parametrize(
    "text",
    ["for 20 years", "20 years ago", "fever for 3 days", "temp 101F", "took 5 mg", "发烧3天", "3个月前手术",
     "腹痛2小时", "孩子发烧3天", "宝宝3个月前", "咳嗽两周", "200 year old house", "pain for a month", "it lasts 30m"],
)  # fmt: skip
def test_a_time_is_no_age(text: str) -> None:
    assert ages(text) == []


def applies(text: str, *, age: float | None = None, upto: int | None = None, needed: bool = False) -> bool:
    normal = NORMALISER.normalise(text).text
    patient = Patient(Note(text, age), normal)
    return patient.has_age(lambda years: years < 16, len(normal) if upto is None else upto, needed=needed)


def test_the_form_s_age_decides() -> None:
    assert applies("a 40 year old", age=3)
    assert not applies("a 3 year old", age=40)


def test_without_a_form_the_text_s_age_decides() -> None:
    assert applies("a 3 year old")
    assert not applies("a 40 year old")


def test_of_several_ages_one_that_fits_is_enough() -> None:
    assert applies("I am 40 years old, my son is 3 years old")


def test_an_unknown_age_keeps_out_only_rules_that_need_one() -> None:
    assert applies("fever")
    assert not applies("fever", needed=True)


def test_an_age_written_later_keeps_no_rule_out() -> None:
    assert applies("fever. a 40 year old", upto=6)


@pytest.mark.parametrize(
    ("text", "female", "male"),
    [
        ("67M with pain", False, True),
        ("a 30 year old woman", True, False),
        ("male. she is his wife", True, True),
        ("男，30岁，腹痛", False, True),
        ("30岁女性", True, False),
        ("abdominal pain", True, True),
        ("my husband drove me", True, True),
    ],
)
def test_a_sex_keeps_a_rule_out_only_where_it_is_the_other(text: str, female: bool, male: bool) -> None:
    normal = NORMALISER.normalise(text).text
    patient = Patient(Note(text), normal)
    assert (patient.has_sex("female", 99), patient.has_sex("male", 99)) == (female, male)


def test_the_form_s_sex_decides() -> None:
    assert not Patient(Note("she is pregnant", sex="male"), "she is pregnant").has_sex("female", 99)
