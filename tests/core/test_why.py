import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.embedding.client import Embedder, Embeddings, Limits
from core.errors import EndpointTimeout
from core.model.bundle import Bundle
from core.notes import Note
from core.triage import TriageDesk
from core.why import PHRASES, PHRASES_BATCHED, phrases_of

CHEST = "我是老师，平时不运动，胸口压着痛半小时，出冷汗，左胳膊发麻"


@pytest.fixture
def small_desk(small_bundle: tuple[Path, Bundle], embedded: Embedder) -> TriageDesk:
    return TriageDesk(small_bundle[1], embedded)


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        (
            "fever 38.5 today. She coughs, and her ear hurts",
            ["fever 38.5 today. ", "She coughs, ", "and her ear hurts"],
        ),
        ("头疼三天，吐了两次。没发烧", ["头疼三天，", "吐了两次。", "没发烧"]),
        ("headache", []),
        ("头疼，嗯", []),
        ("", []),
    ],
)
def test_a_note_falls_into_its_clauses(text: str, phrases: list[str]) -> None:
    assert [each.text for each in phrases_of(text, 8)] == phrases


@given(st.text(alphabet="ab 。，.,\n疼3", max_size=60), st.integers(2, 8))
def test_phrases_are_the_whole_note_in_order_and_no_more_than_asked(text: str, most: int) -> None:
    found = phrases_of(text, most)
    assert len(found) <= most
    if found:
        assert "".join(each.text for each in found) == text
        assert all(text[each.start : each.end] == each.text for each in found)


def test_the_phrase_that_tells_the_department_moves_it_most(small_desk: TriageDesk) -> None:
    found = small_desk.explain("I moved house last month, my gums bleed and a tooth is loose, my sister lives nearby")
    best = max(found.phrases, key=lambda phrase: phrase.effects["department"])
    assert "tooth" in best.words.text


def test_an_effect_is_what_leaving_the_phrase_out_takes_away(small_desk: TriageDesk) -> None:
    found = small_desk.explain(CHEST).phrases[-1]
    whole = small_desk.assess(CHEST).tasks["department"]
    less = small_desk.assess(CHEST.replace(found.words.text, "")).tasks["department"]
    without = next(each.probability for each in less.ranked if each.label == whole.label)
    assert found.effects["department"] == pytest.approx(whole.probability - without, abs=1e-3)


def test_similar_notes_are_of_the_notes_language_and_say_their_labels(small_desk: TriageDesk) -> None:
    found = small_desk.explain(CHEST).similar
    assert [each.labels["department"] for each in found].count("cardiology") >= 2
    assert all(any("\u4e00" <= letter <= "\u9fff" for letter in each.text) for each in found)
    assert [each.similarity for each in found] == sorted((each.similarity for each in found), reverse=True)


def test_why_is_json(small_desk: TriageDesk) -> None:
    found = json.loads(json.dumps(small_desk.explain(Note(CHEST, 67, "male")).as_dict()))
    assert set(found["phrases"][0]) == {"start", "end", "text", "effects"}
    assert set(found["similar"][0]) == {"text", "labels", "similarity"}


def test_texts_that_no_recipe_shows_are_in_no_bundle(small_bundle: tuple[Path, Bundle]) -> None:
    reference = small_bundle[1].reference
    assert reference is not None
    shown = np.array([bool(text) for text in reference.texts])
    assert shown.any()
    assert set(reference.labels["source"][shown]) == {"starter"}


@pytest.mark.parametrize(("batches", "most"), [(True, PHRASES_BATCHED), (False, PHRASES)])
def test_an_endpoint_that_computes_one_after_another_is_asked_less(
    small_bundle: tuple[Path, Bundle], *, batches: bool, most: int
) -> None:
    asked: list[list[str]] = []
    space = small_bundle[1].manifest.space

    def embed(texts: list[str], **_: object) -> Embeddings:
        asked.append(list(texts))
        return Embeddings(np.ones((len(texts), space.dimension), np.float32), {}, frozenset())

    embedder = SimpleNamespace(embed=embed, space=space, limits=Limits(batches=batches))
    TriageDesk(small_bundle[1], embedder).explain("，".join(f"{part}不太舒服" for part in "头颈肩胸腹腰腿脚手背"))  # type: ignore[arg-type]
    assert len(asked) == 1
    assert len(asked[0]) == 1 + most


def test_an_endpoint_that_is_gone_is_said(small_bundle: tuple[Path, Bundle]) -> None:
    def embed(texts: list[str], **_: object) -> Embeddings:
        raise EndpointTimeout("The endpoint gave no answer in 1 s.")

    embedder = SimpleNamespace(embed=embed, space=small_bundle[1].manifest.space, limits=Limits())
    with pytest.raises(EndpointTimeout):
        TriageDesk(small_bundle[1], embedder).explain(CHEST)  # type: ignore[arg-type]
