"""How much each key may ask for: notes a minute and tables an hour, counted where the work is done.

Counts stand in Redis where the site has one (`TRIAGE_CACHE_URL`), so that several desks share them, else in this
process. Where Redis fails, this process counts alone until it is back: a key is neither locked out nor unbounded.
"""

import logging
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import MemoryStorage, Storage, storage_from_string
from limits.strategies import MovingWindowRateLimiter

from core.settings import Settings

Work = Literal["notes", "jobs"]
PATIENCE = 1.0  # seconds for Redis
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An allowance that is used up.

    Attributes:
        allowed: how much there is in one period.
        period: `minute` or `hour`.
        retry_after: seconds until some of it is free again; none: it is never enough for what was asked at once.
    """

    allowed: int
    period: str
    retry_after: int | None


class Allowances:
    """What every key may still ask for. Can be used by several threads."""

    def __init__(self, settings: Settings) -> None:
        """Connects to nothing yet.

        Args:
            settings: how much each key may ask for, and whether there is a Redis.
        """
        self._items: Mapping[Work, RateLimitItem] = {
            "notes": RateLimitItemPerMinute(settings.api_notes_per_minute, namespace="triage"),
            "jobs": RateLimitItemPerHour(settings.api_jobs_per_hour, namespace="triage"),
        }
        self._here = MovingWindowRateLimiter(MemoryStorage())
        shared = _shared(settings.effective_cache_url)
        self._shared = MovingWindowRateLimiter(shared) if shared else None

    @property
    def is_shared(self) -> bool:
        """Whether counting asks another machine, which takes time."""
        return self._shared is not None

    def take(self, work: Work, name: str, amount: int = 1) -> Refusal | None:
        """Use some of a key's allowance; a refusal, and nothing used, where it is not enough.

        Args:
            work: what is asked for.
            name: the key's name, or a person's id.
            amount: how many notes or tables.
        """
        item = self._items[work]
        if amount > item.amount:
            return Refusal(item.amount, item.GRANULARITY.name, None)
        if self._shared:
            try:
                return _taken(self._shared, item, work, name, amount)
            except StorageError:
                log.warning("allowances: Redis does not answer; this process counts alone")
        return _taken(self._here, item, work, name, amount)


def _taken(limiter: MovingWindowRateLimiter, item: RateLimitItem, work: str, name: str, amount: int) -> Refusal | None:
    if limiter.hit(item, work, name, cost=amount):
        return None
    reset = limiter.get_window_stats(item, work, name).reset_time
    wait = min(max(1, math.ceil(reset - time.time())), item.get_expiry())
    return Refusal(item.amount, item.GRANULARITY.name, wait)


def _shared(cache_url: str) -> Storage | None:
    """The Redis that the cache names, as `limits` wants it named."""
    parts = urlsplit(cache_url)
    if parts.scheme not in ("redis", "rediss", "unix"):
        return None
    scheme = "redis+unix" if parts.scheme == "unix" else parts.scheme
    found = storage_from_string(
        urlunsplit(parts._replace(scheme=scheme)),
        wrap_exceptions=True,
        socket_timeout=PATIENCE,
        socket_connect_timeout=PATIENCE,
    )
    return found if isinstance(found, Storage) else None
