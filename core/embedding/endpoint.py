"""One request to an OpenAI-compatible `/v1/embeddings` server: texts in, vectors out, every failure by name."""

import binascii
import email.utils
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol
from urllib.parse import urlsplit

import numpy as np
import openai
from openai import RequestOptions
from pydantic_core import from_json

from core.embedding.embedded_server import URGENT
from core.embedding.space import Vectors
from core.errors import (
    EndpointBadAnswer,
    EndpointBusy,
    EndpointRefused,
    EndpointTimeout,
    EndpointUnavailable,
)
from core.telemetry import tracing

KEPT = "Nothing was lost; the call can be made again."


@dataclass(frozen=True, slots=True)
class Answer:
    """Vectors as the server gave them, (n, d) float32 in the order of the texts, and the model name it signed with."""

    vectors: Vectors
    model: str


class Endpoint(Protocol):
    """What gives vectors: one request, no retries.

    Attributes:
        name: its address for messages, without credentials.
    """

    @property
    def name(self) -> str:
        """The endpoint's address for messages."""
        ...

    def embed(self, texts: Sequence[str], *, timeout: float, urgent: bool = False) -> Answer:
        """The vectors of `texts`, before others' where a person waits for them (`urgent`).

        Raises:
            EndpointError: one of its kinds.
        """
        ...

    def models(self, *, timeout: float) -> list[dict[str, Any]]:
        """The models that the server says it has, which costs it no work.

        Raises:
            EndpointError: one of its kinds.
        """
        ...

    def abandon(self) -> None:
        """Drop requests under way: their caller has given them up."""
        ...

    def close(self) -> None:
        """Let go of connections, and stop what was started."""
        ...


class OpenAIEndpoint:
    """A server reached through the `openai` client, which is told never to retry."""

    def __init__(
        self, url: str, model: str, *, api_key: str | None = None, loopback: bool = False, priority: int | None = None
    ) -> None:
        """Names the server; connects at the first request.

        Args:
            url: base URL, `http://host:port/v1`.
            model: the model name sent.
            api_key: bearer token, if the server wants one.
            loopback: the server is this machine's own child: proxies set in the environment are passed over, and it
                is told which requests are urgent.
            priority: sent as the field `priority` with urgent requests; none: the server does not take it.
        """
        self.url, self.model, self._key, self._loopback = url, model, api_key or "none", loopback
        self._headers = {URGENT: "yes"} if loopback else None
        self._body = None if priority is None else {"priority": priority}
        self.name = without_credentials(url)
        self._client = self._connect()

    def _connect(self) -> openai.OpenAI:
        http = openai.DefaultHttpxClient(trust_env=False) if self._loopback else None
        return openai.OpenAI(base_url=self.url, api_key=self._key, max_retries=0, http_client=http)

    def embed(self, texts: Sequence[str], *, timeout: float, urgent: bool = False) -> Answer:
        """The vectors of `texts`, in their order.

        The raw body is read here: what the SDK makes of it is an object and a list of Python floats for each text,
        which takes five times as long.

        Raises:
            EndpointError: one of its kinds.
        """
        # No `dimensions`: SGLang refuses it without a launch flag; the client cuts vectors itself.
        found = self._ask(
            lambda client: from_json(
                client.embeddings.with_raw_response.create(
                    model=self.model,
                    input=list(texts),
                    encoding_format="base64",
                    timeout=max(timeout, 0.001),
                    extra_headers=((self._headers or {}) if urgent else {}) | tracing.headers(),
                    extra_body=self._body if urgent else None,
                ).content,
                cache_strings="keys",
            )
        )
        if not isinstance(found, dict) or not isinstance(found.get("data"), list):
            raise EndpointBadAnswer(f"{self.name} answered something that is no list of vectors. {KEPT}")
        vectors = _in_order(found["data"], len(texts), self.name)
        return Answer(vectors, str(found.get("model") or ""))

    def models(self, *, timeout: float) -> list[dict[str, Any]]:
        """What `GET /v1/models` lists; empty when the answer has another form.

        Raises:
            EndpointError: one of its kinds.
        """
        found = self._ask(lambda client: client.get("/models", cast_to=object, options=_limit(timeout)))
        listed = found.get("data") if isinstance(found, dict) else None
        return [model for model in listed if isinstance(model, dict)] if isinstance(listed, list) else []

    def _ask(self, request: Callable[[openai.OpenAI], object]) -> object:
        try:
            return request(self._client)
        except openai.APITimeoutError:
            raise EndpointTimeout(f"{self.name} gave no answer in time. {KEPT}") from None
        except openai.APIStatusError as error:
            _raise_for_status(self.name, error)
        except openai.APIConnectionError:
            raise EndpointUnavailable(f"{self.name} can't be reached. Is the server running? {KEPT}") from None
        except (ValueError, openai.APIResponseValidationError):
            raise EndpointBadAnswer(f"{self.name} answered something that is no JSON. {KEPT}") from None
        except (openai.OpenAIError, RuntimeError, OSError):  # RuntimeError: the client was closed by `abandon`
            raise EndpointUnavailable(f"{self.name} broke the connection. {KEPT}") from None

    def abandon(self) -> None:
        """Cut all connections, so that threads stuck in a trickling answer come free, and start with new ones."""
        old, self._client = self._client, self._connect()
        old.close()

    def close(self) -> None:
        """Close all connections."""
        self._client.close()


def without_credentials(url: str) -> str:
    """The URL without user name and password."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def _limit(timeout: float) -> RequestOptions:
    return {"timeout": max(timeout, 0.001)}


def _raise_for_status(name: str, error: openai.APIStatusError) -> NoReturn:
    """The desk's error for an HTTP status."""
    status = error.status_code
    if status in (429, 503):
        wait = _retry_after(error.response.headers)
        raise EndpointBusy(f"{name} is overloaded or starting (HTTP {status}). {KEPT}", wait) from None
    if status == 408:
        raise EndpointTimeout(f"{name} gave up waiting (HTTP 408). {KEPT}") from None
    if status >= 500:
        raise EndpointUnavailable(f"{name} failed (HTTP {status}); its own log says why. {KEPT}") from None
    advice = {
        401: "Set TRIAGE_EMBEDDING_API_KEY to the server's key.",
        403: "The key in TRIAGE_EMBEDDING_API_KEY may not use this model.",
        404: "Check that TRIAGE_EMBEDDING_URL ends with /v1 and TRIAGE_EMBEDDING_MODEL names a model served there.",
    }.get(status, "The server's own log says why.")
    raise EndpointRefused(f"{name} refused the request (HTTP {status}). {advice}", status) from None


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds in a `Retry-After` header, in either of its forms; None if there is none that can be read."""
    value = headers.get("retry-after")
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - time.time()
        except (ValueError, OverflowError):
            return None
    return max(seconds, 0.0) if np.isfinite(seconds) else None


def _in_order(items: list[Any], count: int, name: str) -> Vectors:
    """The answer's vectors as one array, row i for text i; refused unless complete, finite and not zero."""
    if len(items) != count:
        raise EndpointBadAnswer(f"{name} answered {len(items)} vectors to {count} texts. {KEPT}")
    by_index = {item["index"]: item for item in items if type(item) is dict and type(item.get("index")) is int}
    if set(by_index) != set(range(count)):
        raise EndpointBadAnswer(f"{name} answered vectors with a missing, doubled or wrong index. {KEPT}")
    vectors = _decoded([by_index[place].get("embedding") for place in range(count)], name)
    # One pass: a sum of squares that is not finite tells of NaN and infinity, and zero of an empty vector.
    squares = np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64)
    if not np.isfinite(squares).all() or not (squares > 0).all():
        raise EndpointBadAnswer(f"{name} answered vectors that are zero or no numbers (NaN). {KEPT}")
    return vectors


def _decoded(embeddings: list[Any], name: str) -> Vectors:
    """Vectors from base64 of little-endian float32, or from lists of floats as older servers send, one row each."""
    try:
        raw = [binascii.a2b_base64(each) if type(each) is str else _as_bytes(each) for each in embeddings]
        sizes = set(map(len, raw))
        if len(sizes) == 1 and sizes != {0}:
            return np.frombuffer(b"".join(raw), "<f4").reshape(len(raw), -1)
    except (ValueError, TypeError, OverflowError):
        raise EndpointBadAnswer(f"{name} answered a vector that can't be read. {KEPT}") from None
    raise EndpointBadAnswer(f"{name} answered vectors that are empty or of different dimensions. {KEPT}")


def _as_bytes(embedding: object) -> bytes:
    row = np.asarray(embedding, "<f4")
    if row.ndim != 1:
        raise ValueError("no list of numbers")
    return row.tobytes()


def fitted(vectors: Vectors, dimension: int, *, matryoshka: bool) -> Vectors:
    """The vectors in the space's dimension, each of length 1 in float32.

    Raises:
        EndpointError: they have another dimension, or too few components to cut.
    """
    has = vectors.shape[1]
    if has < dimension or (has != dimension and not matryoshka):
        raise EndpointBadAnswer(f"The endpoint's vectors have {has} components; {dimension} are expected. {KEPT}")
    return normalised(vectors[:, :dimension])


def normalised(vectors: Vectors) -> Vectors:
    """Each row divided by its length, in float32."""
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
    return np.asarray(vectors / lengths[:, None], np.float32)
