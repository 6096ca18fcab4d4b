"""Several endpoints behind one embedder: balanced, left out when they fail, all of one space."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.embedding.client import Embedder
from core.embedding.open import open_embedder
from core.embedding.space import CANARIES, EmbeddingSpace, Fingerprint
from core.errors import EndpointUnavailable, SettingsError, SpaceMismatch
from core.settings import Settings, load_settings
from tests.core.embedding.test_client import TEXTS, agrees
from tests.fault_server import Behaviour, FaultServer

SPACE = EmbeddingSpace(model="fault-model", dimension=384, instruction="", max_tokens=512, matryoshka=False)


@pytest.fixture
def pair() -> Iterator[tuple[FaultServer, FaultServer]]:
    with FaultServer() as one, FaultServer() as other:
        yield one, other


@pytest.fixture
def two(pair: tuple[FaultServer, FaultServer], tmp_path: Path) -> Iterator[Embedder]:
    settings = Settings(
        _env_file=None,
        embedding_url=",".join(server.url for server in pair),
        embedding_model="fault-model",
        embedding_timeout=5,
        cache_url="none",
        data_dir=tmp_path,
    )
    embedder = open_embedder(settings, SPACE)
    yield embedder
    embedder.close()


def many(count: int) -> list[str]:
    return [f"note number {number}" for number in range(count)]


def test_work_goes_to_both(pair: tuple[FaultServer, FaultServer], two: Embedder) -> None:
    for server in pair:
        server.behaviour = Behaviour(delay=0.02)
    texts = many(20_000)
    found = two.embed(texts)
    assert not found.errors
    agrees(pair[0], two, texts[:50], found.vectors[:50])
    shares = [sum(server.requests) / len(texts) for server in pair]
    assert min(shares) > 0.3


def test_one_whose_vectors_are_checked_first_is_not_given_everything_meanwhile(
    pair: tuple[FaultServer, FaultServer], two: Embedder
) -> None:
    two.embed(["a note, after which one of them is trusted"])
    for server in pair:
        server.behaviour = Behaviour(delay=0.2)
    texts = many(16 * 256)  # all under way at once
    assert not two.embed(texts).errors
    shares = [sum(server.requests) / len(texts) for server in pair]
    assert min(shares) > 0.3


def test_a_slow_one_gets_less(pair: tuple[FaultServer, FaultServer], two: Embedder) -> None:
    pair[0].behaviour, pair[1].behaviour = Behaviour(delay=0.2), Behaviour(delay=0.01)
    assert not two.embed(many(20_000)).errors
    assert sum(pair[0].requests) < sum(pair[1].requests)


def test_notes_one_by_one_take_turns(pair: tuple[FaultServer, FaultServer], two: Embedder) -> None:
    for number in range(10):
        two.embed([f"note {number}"])
    assert min(len(server.requests) for server in pair) >= 5


@pytest.mark.parametrize(
    "trouble",
    [Behaviour(status=500), Behaviour(status=503), Behaviour(status=429, retry_after="9"), Behaviour(reset=True)],
    ids=["500", "503", "429", "reset"],
)
def test_one_that_fails_is_left_out_without_a_wait(
    pair: tuple[FaultServer, FaultServer], two: Embedder, trouble: Behaviour
) -> None:
    two.embed(["first"])
    pair[0].behaviour = trouble
    started = time.monotonic()
    for number in range(20):
        found = two.embed([f"note {number}"])
        agrees(pair[1], two, [f"note {number}"], found.vectors)
    assert time.monotonic() - started < 3


def test_one_that_hangs_leaves_a_note_time_for_the_other(pair: tuple[FaultServer, FaultServer], two: Embedder) -> None:
    two.embed(["first"])
    two.embed(["second"])
    pair[0].behaviour = Behaviour(hang="before")
    for number in range(3):
        found = two.embed([f"note {number}"], timeout=4)
        agrees(pair[1], two, [f"note {number}"], found.vectors)


def test_one_that_comes_back_is_used_again(pair: tuple[FaultServer, FaultServer], two: Embedder) -> None:
    pair[0].stop_listening()
    assert not two.embed(many(500)).errors
    pair[0].listen_again()
    before = len(pair[0].requests)
    end = time.monotonic() + 15
    while len(pair[0].requests) == before and time.monotonic() < end:
        two.embed([f"note at {time.monotonic()}"])
        time.sleep(0.05)
    assert len(pair[0].requests) > before


def test_when_all_are_away_it_says_so(pair: tuple[FaultServer, FaultServer], two: Embedder) -> None:
    for server in pair:
        server.stop_listening()
    with pytest.raises(EndpointUnavailable):
        two.embed(["note"])


def test_one_of_another_space_is_left_out_and_gives_no_vector(
    pair: tuple[FaultServer, FaultServer], tmp_path: Path
) -> None:
    right = Fingerprint(np.stack([pair[0].vector(text) for text in CANARIES]))
    pair[1].model = "another-model"
    settings = Settings(
        _env_file=None, embedding_url=f"{pair[1].url},{pair[0].url}", embedding_model="fault-model",
        embedding_timeout=5, cache_url="none", data_dir=tmp_path,
    )  # fmt: skip
    with open_embedder(settings, SPACE, right) as embedder:
        found = embedder.embed(TEXTS)
        agrees(pair[0], embedder, TEXTS, found.vectors)
        with pytest.raises(SpaceMismatch, match=pair[1].url):
            embedder.canaries()
        pair[0].model = "another-model"
        pair[0].stop_listening()
        pair[0].listen_again()
        with pytest.raises((SpaceMismatch, EndpointUnavailable)):
            embedder.embed(["one more"])


def test_one_dies_in_the_middle_of_a_table(pair: tuple[FaultServer, FaultServer], two: Embedder) -> None:
    for server in pair:
        server.behaviour = Behaviour(delay=0.05)
    threading.Timer(0.3, pair[0].stop_listening).start()
    texts = many(20_000)
    found = two.embed(texts, timeout=60)
    assert not found.errors
    agrees(pair[1], two, texts, found.vectors)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("http://a/v1, http://b/v1/", ("http://a/v1", "http://b/v1")),
        ("http://a/v1,,http://a/v1", ("http://a/v1",)),
        (" , ", ()),
    ],
)
def test_addresses_are_read_with_commas_between_them(given: str, kept: tuple[str, ...]) -> None:
    assert load_settings(embedding_url=given).embedding_urls == kept


def test_one_bad_address_of_two_is_refused() -> None:
    with pytest.raises(SettingsError, match="TRIAGE_EMBEDDING_URL"):
        load_settings(embedding_url="http://a/v1,nonsense")
