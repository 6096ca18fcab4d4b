"""Whether the parts that the desk stands on work: endpoint, cache, records, bundle; and the settings in force.

No check raises for what it checks: what went wrong comes back as a `Trouble`. A check takes what opens its part, so
that the page and `/readyz` ask the desk that answers, not one of their own.
"""

import logging
import os
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, TypeVar
from urllib.parse import urlsplit

import numpy as np
from pydantic import SecretStr

from core.embedding.cache import open_cache
from core.embedding.client import Embedder
from core.embedding.space import EmbeddingSpace
from core.errors import (
    BundleError,
    EndpointBadAnswer,
    EndpointBusy,
    EndpointRefused,
    EndpointTimeout,
    EndpointUnavailable,
    RecordsError,
    SettingsError,
    SpaceMismatch,
    TriageError,
)
from core.model.bundle import verify_bundle
from core.model.registry import Registry
from core.records.records import Records
from core.settings import Settings

Kind = Literal[
    "unreachable",
    "late",
    "busy",
    "refused",
    "bad answer",
    "other space",
    "bundle",
    "setting",
    "not kept",
    "records",
    "failed",
    "unexpected",
]
T = TypeVar("T")

# Written for this check; the number makes it new to the cache, so that the endpoint has to answer.
TEST_NOTE = "测试：咽痛两天，无发热。Test note {number}: sore throat for two days, no fever."
_KINDS: tuple[tuple[type[TriageError], Kind], ...] = (
    (EndpointUnavailable, "unreachable"),
    (EndpointTimeout, "late"),
    (EndpointBusy, "busy"),
    (EndpointRefused, "refused"),
    (EndpointBadAnswer, "bad answer"),
    (SpaceMismatch, "other space"),
    (BundleError, "bundle"),
    (RecordsError, "records"),
    (SettingsError, "setting"),
)
_TEST_DIMENSION = 8
_THIS_PROCESS = secrets.token_bytes(8)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a part does not work.

    Attributes:
        kind: what happened, for the page to say in the reader's language.
        message: the desk's own words for it, in English; empty where there are none.
    """

    kind: Kind
    message: str = ""


@dataclass(frozen=True, slots=True)
class EndpointHealth:
    """A test note's way to the endpoint and back.

    Attributes:
        address: where, without credentials; empty where the desk could not be opened.
        space: the embedding space asked for.
        seconds: until the vector was there; none without one.
        trouble: none where it works.
    """

    address: str
    space: EmbeddingSpace | None
    seconds: float | None
    trouble: Trouble | None


@dataclass(frozen=True, slots=True)
class StoreHealth:
    """Something kept and read back, or only read.

    Attributes:
        kind: `sqlite`, `redis`, `postgresql`, …; `none` for a cache that is switched off.
        address: host and port of a server, without credentials; empty for a file.
        seconds: for the whole check; none where it failed, or where nothing is kept.
        trouble: none where it works.
    """

    kind: str
    address: str
    seconds: float | None
    trouble: Trouble | None


@dataclass(frozen=True, slots=True)
class BundleHealth:
    """The bundle that the settings and the registry name, its files compared with its manifest.

    Attributes:
        reference: `name/version`; empty where it can't be read.
        files: files that are as they were saved.
        trouble: none where it is whole.
    """

    reference: str
    files: int
    trouble: Trouble | None


@dataclass(frozen=True, slots=True)
class SettingInForce:
    """One setting as it is in force, without secrets.

    Attributes:
        variable: the environment variable.
        value: none where nothing is set and the desk decides by itself.
        origin: whether somebody set it.
        secret: whether `value` is hidden: then it is `set` or none.
    """

    variable: str
    value: str | None
    origin: Literal["set", "default"]
    secret: bool = False


def check_embedding(embedder: Callable[[], Embedder], *, timeout: float = 10.0) -> EndpointHealth:
    """Whether a test note gets its vector.

    Args:
        embedder: opens the one in use, or gives the one that is open.
        timeout: seconds for the note.
    """
    opened, trouble = _tried("endpoint", embedder)
    if opened is None:
        return EndpointHealth("", None, None, trouble)
    note = TEST_NOTE.format(number=secrets.randbelow(1_000_000))
    started = time.perf_counter()
    _, trouble = _tried("endpoint", lambda: _one_vector(opened, note, timeout))
    seconds = None if trouble else time.perf_counter() - started
    return EndpointHealth(opened.endpoint_name, opened.space, seconds, trouble)


def check_cache(settings: Settings) -> StoreHealth:
    """Whether a random vector that is put into the cache comes back the same."""
    url = settings.effective_cache_url
    kind = _store(url)
    if kind == "none":
        return StoreHealth(kind, "", None, None)
    started = time.perf_counter()
    same, trouble = _tried("cache", lambda: _kept(url))
    if same is False:
        trouble = Trouble("not kept")
    return StoreHealth(kind, _host(url), None if trouble else time.perf_counter() - started, trouble)


def check_records(settings: Settings, records: Callable[[], Records]) -> StoreHealth:
    """Whether the records can be read.

    Args:
        settings: name the database.
        records: opens the records in use, or gives those that are open.
    """
    url = settings.effective_database_url
    started = time.perf_counter()
    _, trouble = _tried("records", lambda: records().answers(since=datetime.now(UTC)))
    return StoreHealth(_store(url), _host(url), None if trouble else time.perf_counter() - started, trouble)


def check_bundle(settings: Settings) -> BundleHealth:
    """Whether the bundle in use is there and every file of it is as it was saved; nothing is unpickled."""
    manifest, trouble = _tried("bundle", lambda: verify_bundle(Registry(settings.data_dir).resolve(settings)))
    if manifest is None:
        return BundleHealth("", 0, trouble)
    return BundleHealth(f"{manifest.name}/{manifest.version}", len(manifest.files), None)


def settings_in_force(settings: Settings) -> tuple[SettingInForce, ...]:
    """Every setting, in the order of `Settings`; keys, passwords and user names are left out."""
    found = []
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        secret = isinstance(value, SecretStr) or _secret_by_type(name)
        shown = "set" if secret and value is not None else _plain(name, value)
        origin: Literal["set", "default"] = "set" if name in settings.model_fields_set else "default"
        found.append(SettingInForce(f"TRIAGE_{name.upper()}", shown, origin, secret))
    return tuple(found)


def _plain(name: str, value: object) -> str | None:
    if value is None or value == "":
        return None
    if name == "embedding_url":  # several have commas between them
        return ", ".join(map(_without_secrets, str(value).split(",")))
    return _without_secrets(str(value)) if name.endswith("_url") else str(value)


def _secret_by_type(name: str) -> bool:
    return "SecretStr" in str(Settings.model_fields[name].annotation)


def _tried(part: str, action: Callable[[], T]) -> tuple[T | None, Trouble | None]:
    """What `action` gives, or what kept it from giving anything."""
    try:
        return action(), None
    except TriageError as error:
        kind: Kind = next((kind for raised, kind in _KINDS if isinstance(error, raised)), "failed")
        return None, Trouble(kind, str(error))
    except Exception as error:  # the edge of a check: whatever a driver raises is its result
        log.warning("check of the %s: unexpected %s", part, type(error).__name__)
        return None, Trouble("unexpected")


def _one_vector(embedder: Embedder, note: str, timeout: float) -> None:
    for error in embedder.embed([note], timeout=timeout).errors.values():
        raise error


def _kept(url: str) -> bool:
    # A key for each thread: what another check puts at the same time is not mistaken for this one's.
    key = b"health:" + _THIS_PROCESS + f":{os.getpid()}:{threading.get_ident()}".encode()
    vector = np.random.default_rng().normal(size=(1, _TEST_DIMENSION)).astype(np.float32)
    vector /= np.linalg.norm(vector)
    cache = open_cache(url)
    try:
        cache.put_many([key], vector)
        found = cache.get_many([key], _TEST_DIMENSION)[0]
    finally:
        cache.close()
    return found is not None and bool(np.array_equal(found, vector[0]))


def _store(url: str) -> str:
    """What keeps the data: `sqlite`, `redis`, `postgresql` or `none`."""
    scheme = urlsplit(url).scheme.partition("+")[0]
    return {"rediss": "redis", "unix": "redis", "": "none"}.get(scheme, scheme)


def _host(url: str) -> str:
    return urlsplit(_without_secrets(url)).netloc


def _without_secrets(url: str) -> str:
    """The URL without user, password and options, also where a password holds a `#` or `/` that should be escaped."""
    scheme, colon, rest = url.partition("://")
    return scheme + colon + rest.rpartition("@")[2].partition("?")[0]
