"""Whether the desk can answer now: bundle, endpoint, database, each by name. No note is sent anywhere for it."""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from core.errors import EndpointError, TriageError
from core.records.records import Records
from core.triage import TriageDesk

KEPT = 1.0  # seconds for which an answer holds, so that asking often costs nothing
PATIENCE = 2.0  # seconds for the endpoint to say that it is there
LATE = 3.0  # seconds for everything; what has not answered by then is late
OK = "ok"
NOT_ASKED = "not asked"


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether each part works.

    Attributes:
        parts: `ok`, or the kind of trouble, by part (`bundle`, `endpoint`, `database`); no address, no path.
    """

    parts: Mapping[str, str]

    @property
    def is_ready(self) -> bool:
        """Whether every part works."""
        return all(word == OK for word in self.parts.values())


class ReadinessCheck:
    """Asks the parts at most once a second, whoever and however many ask it. Can be used by several threads."""

    def __init__(
        self,
        desk: Callable[[], TriageDesk],
        records: Callable[[], Records],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Asks nothing yet.

        Args:
            desk: gives the open desk, or opens it.
            records: gives the records.
            clock: seconds.
        """
        self._desk, self._records, self._clock = desk, records, clock
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(2, "readiness")
        self._asked: dict[str, Future[dict[str, str]]] = {}
        self._last: tuple[float, Readiness] | None = None

    def now(self) -> Readiness:
        """How it stands, at most a second ago."""
        with self._lock:
            if self._last is None or self._clock() - self._last[0] > KEPT:
                end = time.monotonic() + LATE
                parts = self._heard("desk", self._about_desk, {"bundle": "late", "endpoint": "late"}, end)
                parts |= self._heard("database", self._about_database, {"database": "late"}, end)
                self._last = self._clock(), Readiness(parts)
            return self._last[1]

    def close(self) -> None:
        """Wait for nothing any more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _heard(self, name: str, ask: Callable[[], dict[str, str]], late: dict[str, str], end: float) -> dict[str, str]:
        """What a part says until `end`; one that is still being asked is not asked a second time."""
        asked = self._asked.pop(name, None) or self._pool.submit(ask)
        try:
            return asked.result(max(0.0, end - time.monotonic()))
        except TimeoutError:
            self._asked[name] = asked
            return late

    def _about_desk(self) -> dict[str, str]:
        try:
            desk = self._desk()
        except EndpointError as error:
            return {"bundle": NOT_ASKED, "endpoint": type(error).__name__}
        except Exception as error:  # the edge of a check: whatever a library raises is its result
            return {"bundle": _kind(error), "endpoint": NOT_ASKED}
        return {"bundle": OK, "endpoint": _word(lambda: desk.embedder.check_reachable(timeout=PATIENCE))}

    def _about_database(self) -> dict[str, str]:
        return {"database": _word(lambda: self._records().answers(since=datetime.now(UTC)))}


def _word(ask: Callable[[], object]) -> str:
    try:
        ask()
    except Exception as error:  # as above
        return _kind(error)
    return OK


def _kind(error: Exception) -> str:
    return type(error).__name__ if isinstance(error, TriageError) else "unexpected"
