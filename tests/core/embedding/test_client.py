import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from core.embedding.client import Embedder
from core.embedding.open import open_embedder
from core.embedding.space import CANARIES, EmbeddingSpace, Fingerprint
from core.errors import (
    EndpointBadAnswer,
    EndpointBusy,
    EndpointRefused,
    EndpointTimeout,
    EndpointUnavailable,
    NoteError,
    SpaceMismatch,
)
from core.settings import QWEN3_INSTRUCTION, Settings
from tests.fault_server import Behaviour, FaultServer

Open = Callable[..., Embedder]
TEXTS = [f"note number {number}" for number in range(300)]


def agrees(server: FaultServer, embedder: Embedder, texts: list[str], vectors: np.ndarray) -> None:
    expected = np.stack([server.vector(embedder.space.prefix + text) for text in texts])
    np.testing.assert_allclose(vectors, expected, atol=1e-6)


def test_every_text_gets_its_own_vector(server: FaultServer, open_client: Open) -> None:
    embedder = open_client()
    done: list[int] = []
    found = embedder.embed(TEXTS, on_done=done.append)
    agrees(server, embedder, TEXTS, found.vectors)
    assert sum(done) == len(TEXTS)
    assert not found.errors
    assert max(server.requests) <= embedder.limits.list_texts


def test_what_needs_no_vectors_is_done_once_before_the_first_ones_come(open_client: Open) -> None:
    embedder = open_client()
    events: list[str] = []
    embedder.embed(TEXTS, on_done=lambda _: events.append("vectors"), meanwhile=lambda: events.append("meanwhile"))
    assert events[:2] == ["meanwhile", "vectors"]
    assert events.count("meanwhile") == 1
    embedder.embed([" "], meanwhile=lambda: events.append("meanwhile"))  # nothing is waited for
    assert events.count("meanwhile") == 1


def test_no_text_is_no_work(open_client: Open) -> None:
    assert open_client().embed([]).vectors.shape == (0, 384)


def test_blank_texts_never_travel_and_duplicates_travel_once(server: FaultServer, open_client: Open) -> None:
    embedder = open_client()
    server.texts.clear()
    found = embedder.embed(["胸痛", "", " \n", "胸痛 ", "🙂", "cough\x00"])
    assert [text for text in server.texts if text not in CANARIES] == ["胸痛", "cough"]
    assert {place: type(error) for place, error in found.errors.items()} == {1: NoteError, 2: NoteError, 4: NoteError}
    assert np.isnan(found.vectors[[1, 2, 4]]).all()
    np.testing.assert_array_equal(found.vectors[0], found.vectors[3])


def test_a_long_text_is_cut_and_said(server: FaultServer, open_client: Open) -> None:
    embedder = open_client(embedding_max_tokens=64, embedding_instruction="Say what it is")
    server.behaviour = Behaviour(refuse_longer=400)
    found = embedder.embed(["short", "胸痛" * 500_000])
    assert found.truncated == {1}
    assert not found.errors
    assert server.texts[-1].startswith("Instruct: Say what it is\nQuery:胸痛")


@pytest.mark.parametrize("places", [[0], [7], [99], [3, 4, 90]])
def test_a_refused_list_is_halved_until_only_the_bad_texts_fail(
    server: FaultServer, open_client: Open, places: list[int]
) -> None:
    embedder = open_client()
    server.behaviour = Behaviour(refuse_text="BAD", flat=True)
    texts = [f"BAD {place}" if place in places else f"good {place}" for place in range(100)]
    found = embedder.embed(texts)
    assert sorted(found.errors) == places
    assert all(isinstance(error, EndpointRefused) for error in found.errors.values())
    good = [place for place in range(100) if place not in places]
    agrees(server, embedder, [texts[place] for place in good], found.vectors[good])


def test_a_list_longer_than_the_server_s_queue_is_halved(server: FaultServer, open_client: Open) -> None:
    embedder = open_client()
    server.behaviour = Behaviour(refuse_lists_over=3)
    agrees(server, embedder, TEXTS[:20], embedder.embed(TEXTS[:20]).vectors)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_of_everybody_is_not_halved(server: FaultServer, open_client: Open, status: int) -> None:
    embedder = open_client()
    server.behaviour = Behaviour(status=status)
    server.requests.clear()
    with pytest.raises(EndpointRefused):
        embedder.embed(TEXTS[:64])
    assert len(server.requests) == 1


def test_a_refusal_of_the_canaries_too_ends_the_call_after_a_few_requests(
    server: FaultServer, open_client: Open
) -> None:
    embedder = open_client()
    server.behaviour = Behaviour(status=400)
    server.requests.clear()
    with pytest.raises(EndpointRefused):
        embedder.embed(TEXTS[:64])
    assert len(server.requests) <= 3


@pytest.mark.parametrize(
    "fault",
    [
        Behaviour(status=500),
        Behaviour(status=503),
        Behaviour(status=429, retry_after="0"),
        Behaviour(reset=True),
        Behaviour(html=True),
        Behaviour(value="nan"),
        Behaviour(dimension=200),
    ],
)
def test_a_passing_fault_costs_no_vector(server: FaultServer, open_client: Open, fault: Behaviour) -> None:
    embedder = open_client()
    server.script(fault)
    agrees(server, embedder, TEXTS[:5], embedder.embed(TEXTS[:5]).vectors)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Behaviour(status=500), EndpointUnavailable),
        (Behaviour(status=503), EndpointBusy),
        (Behaviour(html=True), EndpointBadAnswer),
        (Behaviour(reset=True), EndpointUnavailable),
    ],
)
def test_a_lasting_fault_is_said_within_seconds(
    server: FaultServer, open_client: Open, fault: Behaviour, kind: type[Exception]
) -> None:
    embedder = open_client()
    server.behaviour = fault
    started = time.monotonic()
    with pytest.raises(kind):
        embedder.embed(["胸痛"])
    assert time.monotonic() - started < 3


def test_retry_after_is_kept_to(server: FaultServer, open_client: Open) -> None:
    embedder = open_client()
    server.script(Behaviour(status=429, retry_after="0.4"))
    started = time.monotonic()
    embedder.embed(["胸痛"])
    assert time.monotonic() - started >= 0.4


def test_a_retry_after_beyond_the_deadline_ends_the_call_at_once(server: FaultServer, open_client: Open) -> None:
    embedder = open_client()
    server.behaviour = Behaviour(status=429, retry_after="60")
    started = time.monotonic()
    with pytest.raises(EndpointBusy):
        embedder.embed(["胸痛"])
    assert time.monotonic() - started < 2


def test_a_call_may_take_all_the_time_in_the_world(server: FaultServer, open_client: Open) -> None:
    embedder = open_client(embedding_concurrency=2)
    embedder._line._members[0].doubt()  # so that both requests want the canaries checked at once
    server.delay = 0.05
    texts = [f"note {number}" for number in range(3 * embedder.limits.list_texts)]
    agrees(server, embedder, texts, embedder.embed(texts, timeout=float("inf")).vectors)


@pytest.mark.parametrize("fault", [Behaviour(hang="before"), Behaviour(hang="middle"), Behaviour(dribble=0.05)])
def test_nobody_waits_past_the_deadline(server: FaultServer, open_client: Open, fault: Behaviour) -> None:
    embedder = open_client(embedding_concurrency=1)
    server.behaviour = fault
    started = time.monotonic()
    with pytest.raises(EndpointTimeout):
        embedder.embed(["胸痛"], timeout=0.5)
    assert time.monotonic() - started < 1.0
    server.behaviour = Behaviour()
    agrees(server, embedder, ["胸痛"], embedder.embed(["胸痛"], timeout=5).vectors)


def test_an_outage_in_the_middle_loses_nothing(server: FaultServer, open_client: Open) -> None:
    embedder = open_client(embedding_concurrency=2)
    server.delay = 0.05
    texts = [f"{batch} {text}" for batch in range(30) for text in TEXTS]
    seen = threading.Event()
    answers: list[np.ndarray] = []

    def work() -> None:
        answers.append(embedder.embed(texts, timeout=30, on_done=lambda _: seen.set()).vectors)

    worker = threading.Thread(target=work)
    worker.start()
    assert seen.wait(10)
    server.stop_listening()
    server.texts.clear()
    time.sleep(1)  # long enough that a request meets the closed door, however busy the machine is
    server.listen_again()
    worker.join(30)
    agrees(server, embedder, texts, answers[0])
    assert set(CANARIES) <= set(server.texts)


def test_a_pasted_note_is_told_of_an_outage_that_a_table_waits_out(server: FaultServer, open_client: Open) -> None:
    embedder = open_client(embedding_concurrency=1)
    server.behaviour = Behaviour(status=500)
    table = threading.Thread(target=embedder.embed, args=(TEXTS,), kwargs={"timeout": 30})
    table.start()
    started = time.monotonic()
    with pytest.raises(EndpointUnavailable):
        embedder.embed(["胸痛"])
    assert time.monotonic() - started < 2
    server.behaviour = Behaviour()
    table.join(30)


def test_a_model_changed_by_an_outage_is_refused_with_both_names(server: FaultServer, open_client: Open) -> None:
    embedder = open_client()
    embedder.embed(["胸痛"])
    server.stop_listening()
    server.model = "another-model"
    server.listen_again()
    with pytest.raises(SpaceMismatch) as caught:
        embedder.embed(["咳嗽"])
    assert "fault-model" in str(caught.value)
    assert "another-model" in str(caught.value)


def test_a_model_changed_while_running_is_refused(server: FaultServer, open_client: Open) -> None:
    embedder = open_client()
    embedder.embed(["胸痛"])
    server.model = "another-model"
    with pytest.raises(SpaceMismatch):
        embedder.embed(["咳嗽"])
    server.model = "fault-model"
    embedder.embed(["咳嗽"])


def test_another_dimension_for_good_is_refused(server: FaultServer, open_client: Open) -> None:
    embedder = open_client()
    server.behaviour = Behaviour(dimension=200)
    with pytest.raises(SpaceMismatch, match="200 components"):
        embedder.embed(["胸痛"])


def test_a_failing_endpoint_is_left_alone_and_tried_again(server: FaultServer, open_client: Open) -> None:
    embedder = open_client()
    server.behaviour = Behaviour(status=500)
    for _ in range(2):
        with pytest.raises(EndpointUnavailable):
            embedder.embed(["胸痛"])
    asked = len(server.requests)
    with pytest.raises(EndpointUnavailable, match="left alone"):
        embedder.embed(["胸痛"])
    assert len(server.requests) <= asked + 1
    server.behaviour = Behaviour()
    agrees(server, embedder, ["胸痛"], embedder.embed(["胸痛"], timeout=10).vectors)


def test_threads_share_the_concurrency(server: FaultServer, open_client: Open) -> None:
    embedder = open_client(embedding_concurrency=3)
    server.delay = 0.02
    threads = [threading.Thread(target=embedder.embed, args=([f"{n} {text}" for text in TEXTS],)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.busiest == 3


def test_what_came_before_a_failure_is_in_the_cache(server: FaultServer, open_client: Open) -> None:
    embedder = open_client(embedding_concurrency=1, cache_url=None)
    texts = [f"note {number}" for number in range(4 * embedder.limits.list_texts)]
    server.script(Behaviour(), Behaviour())
    server.behaviour = Behaviour(status=401)
    with pytest.raises(EndpointRefused):
        embedder.embed(texts)
    server.behaviour = Behaviour()
    server.requests.clear()
    agrees(server, embedder, texts, embedder.embed(texts).vectors)
    assert sum(server.requests) == 2 * embedder.limits.list_texts


def test_a_fast_endpoint_does_not_wait_for_the_cache(server: FaultServer, open_client: Open) -> None:
    embedder = open_client(cache_url=None)
    slow = embedder._cache

    class SlowCache:
        puts = 0

        def get_many(self, keys: list[bytes], dimension: int) -> list[np.ndarray | None]:
            return slow.get_many(keys, dimension)

        def put_many(self, keys: list[bytes], vectors: np.ndarray) -> None:
            self.puts += 1
            time.sleep(0.5)

        def close(self) -> None:
            slow.close()

    embedder._cache = cache = SlowCache()
    texts = [f"note {number}" for number in range(16 * embedder.limits.list_texts)]
    agrees(server, embedder, texts, embedder.embed(texts).vectors)
    assert cache.puts == 1


def test_vectors_for_training_are_kept_for_months(
    server: FaultServer, open_client: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_client(cache_url=None).embed(TEXTS)
    now = time.time()
    monkeypatch.setattr("core.embedding.cache_sqlite.time.time", lambda: now + 60 * 86_400)
    again = open_client(cache_url=None)
    server.requests.clear()
    again.embed(TEXTS)
    assert server.requests == []


def test_matryoshka_cuts_are_part_of_the_space(server: FaultServer, open_client: Open) -> None:
    short, whole = open_client(embedding_dimensions=64), open_client()
    assert short.space.matryoshka
    assert short.space.id != whole.space.id
    vector = short.embed(["胸痛"]).vectors[0]
    expected = server.vector("胸痛")[:64]
    np.testing.assert_allclose(vector, expected / np.linalg.norm(expected), atol=1e-6)


def test_qwen3_gets_its_instruction_and_other_models_none(server: FaultServer, open_client: Open) -> None:
    assert open_client().space.instruction == ""
    assert open_client(embedding_model="Qwen/Qwen3-Embedding-4B").space.instruction == QWEN3_INSTRUCTION
    assert open_client(embedding_model="Qwen/Qwen3-Embedding-4B", embedding_instruction="").space.instruction == ""


def test_a_bundle_s_space_rules_and_contradicting_settings_are_refused(server: FaultServer, settings: Settings) -> None:
    space = EmbeddingSpace("fault-model", 384, instruction="Triage it", max_tokens=100)
    with open_embedder(settings, space) as embedder:
        assert embedder.space == space
    for change in (
        {"embedding_model": "other"},
        {"embedding_dimensions": 32},
        {"embedding_instruction": ""},
        {"embedding_max_tokens": 99},
    ):
        with pytest.raises(SpaceMismatch) as caught:
            open_embedder(settings.model_copy(update=change), space)
        assert space.id in str(caught.value)


def test_a_bundle_s_fingerprint_is_compared_before_a_vector_is_trusted(server: FaultServer, settings: Settings) -> None:
    with open_embedder(settings) as embedder:
        space, fingerprint = embedder.space, embedder.fingerprint()
    noise = np.random.default_rng(1).standard_normal(fingerprint.vectors.shape).astype(np.float32) * 5e-4
    with open_embedder(settings, space, Fingerprint(fingerprint.vectors + noise)) as embedder:
        embedder.embed(["胸痛"])
    with open_embedder(settings, space, Fingerprint(fingerprint.vectors[:, ::-1])) as embedder:
        with pytest.raises(SpaceMismatch):
            embedder.embed(["胸痛"])
