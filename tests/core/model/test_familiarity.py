import numpy as np
import pytest

from core.model.familiarity import FAMILIAR, fit_familiarity
from core.model.features import NoteFeatures, featurise
from core.triage import TriageDesk

RANDOM = np.random.default_rng(0)
# Written for this test: nothing of it is a note.
STRANGE = [
    "Preheat the oven to 180 degrees, cream the butter with the sugar, fold in the flour and bake until golden.",
    "Huge summer sale! Up to 70% off all sneakers, free delivery this weekend only, click to claim your coupon.",
    "def merge(a, b): return {**a, **b} if a and b else a or b",
    "SELECT name, price FROM products WHERE stock > 0 ORDER BY price DESC LIMIT 10;",
    "Bonjour, je voudrais réserver une table pour quatre personnes samedi soir.",
    "Mein Kind hat seit gestern hohes Fieber und trinkt nicht mehr.",
    "The central bank kept interest rates unchanged on Thursday, citing slower growth.",
    "本公司诚招销售人员，底薪加提成，包吃住，有意者请联系。",
    "人工智能正在改变制造业的生产方式，专家表示前景广阔。",
    "推荐一部好看的电影，最好是悬疑的",
]
NOTES = [
    "胸口压着痛半小时，出冷汗",
    "孩子发烧三天，咳嗽，不肯吃饭",
    "I have had a sore throat and a blocked nose since Monday",
    "my knee swelled up after football, can't bend it",
    "请问降压药吃完了怎么续方",
    "itchy rash on both arms for a week",
]


def notes(count: int, spread: float = 1.0) -> NoteFeatures:
    vectors = RANDOM.normal(size=(count, 8)) * spread
    return featurise(vectors.astype(np.float32), ["headache"] * count)


def test_the_stated_share_of_like_notes_is_familiar() -> None:
    fitted, facts = fit_familiarity(notes(2000), np.arange(2000))
    familiar = 1 - fitted.unfamiliar(notes(4000)).mean()
    assert familiar == pytest.approx(FAMILIAR, abs=0.01)
    assert facts["notes"] == 2000


def test_far_away_notes_are_unfamiliar() -> None:
    fitted, _ = fit_familiarity(notes(2000), np.arange(2000))
    assert fitted.unfamiliar(notes(200, spread=4.0)).mean() > 0.9


def test_a_language_hardly_seen_takes_the_limit_of_all() -> None:
    fitted, _ = fit_familiarity(notes(2000), np.arange(2000))
    assert fitted.limits[0] == fitted.limits[1]


def test_advertisements_recipes_code_and_other_languages_go_to_a_person(desk: TriageDesk) -> None:
    said = [any("unlike" in reason for reason in desk.assess(text).reasons) for text in STRANGE]
    assert sum(said) >= len(STRANGE) - 1, [text for text, found in zip(STRANGE, said, strict=True) if not found]


@pytest.mark.parametrize("text", NOTES)
def test_plain_notes_are_familiar(desk: TriageDesk, text: str) -> None:
    assert not any("unlike" in reason for reason in desk.assess(text).reasons)
