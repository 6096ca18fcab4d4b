"""The API in this process, before a desk made by hand; and a real server, for what needs one."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp

from app.api.application import open_api, open_services
from app.api.door import Door
from app.api.work import Services
from core.access.keys import KeyStore
from core.access.principal import SCOPES
from core.embedding.text import has_words
from core.errors import NoteError, TriageError
from core.notes import Assessment, Note
from core.settings import Settings
from core.why import Why
from tests.app.answering import MemoryRecords, assessment
from tests.app.api.asking import Answer, asked


@dataclass
class HandDesk:
    """A desk that always answers the same, and can be made to fail or to wait.

    Attributes:
        fails: what it raises instead.
        may_go: notes wait for this.
        seen: the notes of each call.
        reachable: what its endpoint raises when it is asked whether it is there.
    """

    fails: TriageError | Exception | None = None
    may_go: threading.Event = field(default_factory=threading.Event)
    seen: list[list[Note]] = field(default_factory=list)
    reachable: TriageError | None = None

    def __post_init__(self) -> None:
        self.may_go.set()

    @property
    def embedder(self) -> "HandDesk":
        """Its endpoint is itself."""
        return self

    def check_reachable(self, *, timeout: float) -> None:
        """As told."""
        if self.reachable:
            raise self.reachable

    def assess_many(self, notes: Sequence[Note]) -> list[Assessment | TriageError]:
        """The same for each note that has words."""
        self.seen.append(list(notes))
        assert self.may_go.wait(20)
        if self.fails:
            raise self.fails
        return [assessment() if has_words(note.text) else NoteError("no words") for note in notes]

    def explain(self, note: Note) -> Why:
        """Nothing to say."""
        if self.fails:
            raise self.fails
        return Why((), ())


@dataclass
class Api:
    """The API in this process.

    Attributes:
        app: with its door.
        services: what it stands on.
        desk: the desk.
        records: where answers are kept.
    """

    app: ASGIApp
    services: Services
    desk: HandDesk
    records: MemoryRecords

    def ask(self, method: str, path: str, body: Any = b"", **how: Any) -> Answer:
        """One request in an event loop of its own; a `key` is sent as its bearer."""
        return asyncio.run(self.asking(method, path, body, **how))

    async def asking(self, method: str, path: str, body: Any = b"", *, key: str | None = None, **how: Any) -> Answer:
        """The same, within a loop."""
        if key is not None:
            how["headers"] = {"Authorization": f"Bearer {key}"} | how.get("headers", {})
        if isinstance(body, dict):
            import json

            body = json.dumps(body).encode()
        return await asked(self.app, method, path, body, **how)

    def key(self, name: str = "ward", *scopes: str, days: int = 90) -> str:
        """A new key with these scopes, or all."""
        return KeyStore(self.services.settings.data_dir).create(name, scopes or SCOPES, days)[0]


@contextmanager
def api_over(settings: Settings, desk: Any = None, records: Any = None) -> Iterator[Api]:
    """The API with these settings."""
    desk, records = desk or HandDesk(), records or MemoryRecords()
    services = open_services(settings, lambda: desk, lambda: records)
    try:
        yield Api(Door(PlainTextResponse("a page"), open_api(services)), services, desk, records)
    finally:
        desk.may_go.set()
        services.close()


@pytest.fixture
def api(fresh_installation: Path) -> Iterator[Api]:
    """The API of a fresh installation."""
    with api_over(Settings(data_dir=fresh_installation / "data", _env_file=None)) as opened:
        yield opened


@pytest.fixture
def api_with(fresh_installation: Path) -> Iterator[Callable[..., Api]]:
    """The same with settings of its own."""
    from contextlib import ExitStack

    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(
            api_over(Settings(data_dir=fresh_installation / "data", _env_file=None, **settings))
        )
