import socket
from collections.abc import Iterator

import numpy as np
import pytest

from core.embedding.endpoint import OpenAIEndpoint, fitted
from core.errors import (
    EndpointBadAnswer,
    EndpointBusy,
    EndpointError,
    EndpointRefused,
    EndpointTimeout,
    EndpointUnavailable,
)
from tests.fault_server import Behaviour, FaultServer

TEXTS = ["胸痛", "headache", "咳嗽 three days"]


@pytest.fixture
def endpoint(server: FaultServer) -> Iterator[OpenAIEndpoint]:
    opened = OpenAIEndpoint(server.url, "fault-model")
    yield opened
    opened.close()


@pytest.mark.parametrize(
    "behaviour", [Behaviour(), Behaviour(shuffle=True), Behaviour(floats=True), Behaviour(floats=True, shuffle=True)]
)
def test_vectors_come_in_the_order_of_the_texts(
    server: FaultServer, endpoint: OpenAIEndpoint, behaviour: Behaviour
) -> None:
    server.behaviour = behaviour
    vectors = endpoint.embed(TEXTS, timeout=5).vectors
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, [server.vector(text) for text in TEXTS], atol=1e-6)


@pytest.mark.parametrize(
    "behaviour",
    [
        Behaviour(html=True),
        Behaviour(change=-1),
        Behaviour(change=1),
        Behaviour(index="missing"),
        Behaviour(index="duplicate"),
        Behaviour(index="huge"),
        Behaviour(value="nan"),
        Behaviour(value="inf"),
        Behaviour(value="zero"),
        Behaviour(value="nan", floats=True),
    ],
)
def test_an_answer_that_cannot_be_used_is_refused(
    server: FaultServer, endpoint: OpenAIEndpoint, behaviour: Behaviour
) -> None:
    server.behaviour = behaviour
    with pytest.raises(EndpointBadAnswer):
        endpoint.embed(TEXTS, timeout=5)


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        (Behaviour(status=400, flat=True), EndpointRefused),
        (Behaviour(status=401), EndpointRefused),
        (Behaviour(status=403), EndpointRefused),
        (Behaviour(status=404), EndpointRefused),
        (Behaviour(status=408), EndpointTimeout),
        (Behaviour(status=409), EndpointRefused),
        (Behaviour(status=413), EndpointRefused),
        (Behaviour(status=422), EndpointRefused),
        (Behaviour(status=429), EndpointBusy),
        (Behaviour(status=500), EndpointUnavailable),
        (Behaviour(status=502, html=True), EndpointUnavailable),
        (Behaviour(status=503, flat=True), EndpointBusy),
        (Behaviour(reset=True), EndpointUnavailable),
        (Behaviour(hang="before"), EndpointTimeout),
        (Behaviour(hang="middle"), EndpointTimeout),
    ],
)
def test_every_failure_has_its_name_and_one_line_without_the_server_s_words(
    server: FaultServer, endpoint: OpenAIEndpoint, behaviour: Behaviour, kind: type[EndpointError]
) -> None:
    server.behaviour = behaviour
    with pytest.raises(kind) as caught:
        endpoint.embed(TEXTS, timeout=0.3)
    message = str(caught.value)
    assert "\n" not in message
    assert "secret" not in message
    assert not any(text in message for text in TEXTS)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("2", 2.0), ("0.5", 0.5), ("-3", 0.0), ("soon", None), ("nan", None), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0)],
)
def test_retry_after_is_read_in_both_forms(
    server: FaultServer, endpoint: OpenAIEndpoint, header: str, seconds: float | None
) -> None:
    server.behaviour = Behaviour(status=429, retry_after=header)
    with pytest.raises(EndpointBusy) as caught:
        endpoint.embed(TEXTS, timeout=5)
    assert caught.value.retry_after == seconds


def test_a_server_that_is_down_is_unavailable() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    endpoint = OpenAIEndpoint(f"http://user:pass@127.0.0.1:{port}/v1", "m")
    with pytest.raises(EndpointUnavailable) as caught:
        endpoint.embed(TEXTS, timeout=5)
    assert "pass" not in str(caught.value)
    endpoint.close()


def test_a_missing_key_is_said_with_the_setting_to_change() -> None:
    with FaultServer(api_key="right") as server:
        wrong, right = OpenAIEndpoint(server.url, "m"), OpenAIEndpoint(server.url, "m", api_key="right")
        with pytest.raises(EndpointRefused, match="TRIAGE_EMBEDDING_API_KEY"):
            wrong.embed(TEXTS, timeout=5)
        assert right.embed(TEXTS, timeout=5).vectors.shape == (3, 384)
        wrong.close()
        right.close()


def test_matryoshka_vectors_are_cut_and_renormalised() -> None:
    vectors = np.random.default_rng(1).standard_normal((4, 64)).astype(np.float32)
    short = fitted(vectors, 16, matryoshka=True)
    assert short.shape == (4, 16)
    assert short.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(short, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(short[0] / short[0, 0], vectors[0, :16] / vectors[0, 0], rtol=1e-4)
    for dimension, matryoshka in ((32, False), (128, True)):
        with pytest.raises(EndpointBadAnswer):
            fitted(vectors, dimension, matryoshka=matryoshka)
