"""When a sign-in ends: nobody used it, its token expired, or somebody ended it. `core.records.sign_ins` keeps them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, get_args

Ending = Literal["signed_out", "everywhere", "idle", "expired", "replaced", "clock"]
ENDINGS: tuple[Ending, ...] = get_args(Ending)
LONGEST = timedelta(hours=12)  # of a sign-in whose token does not say when it expires
# Clocks of several servers differ by a little. A time further ahead than this was written by a clock that has since
# been put back: how long nobody used the desk can't be known, so the sign-in ends.
SKEW = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class SignIn:
    """One person at one browser.

    Attributes:
        person: the id.
        begun: when the person signed in.
        last_seen: when the person last used the desk.
        expires: when the provider's token does.
        ended: how it ended, where that is written down.
    """

    person: str
    begun: datetime
    last_seen: datetime
    expires: datetime
    ended: Ending | None = None

    def ending(self, now: datetime, idle: timedelta) -> Ending | None:
        """How it has ended by now; none: it goes on."""
        if self.ended:
            return self.ended
        if now >= self.expires:
            return "expired"
        if self.last_seen > now + SKEW:
            return "clock"
        return "idle" if now - self.last_seen >= idle else None

    def left(self, now: datetime, idle: timedelta) -> timedelta:
        """How long it goes on if nobody uses it."""
        return max(min(self.expires, self.last_seen + idle) - now, timedelta())


def expiry_of(claims: Mapping[str, object], now: datetime) -> datetime:
    """When a token expires (`exp`), at the latest after `LONGEST` where it does not say."""
    given = claims.get("exp")
    if isinstance(given, bool) or not isinstance(given, int | float):
        return now + LONGEST
    try:
        return datetime.fromtimestamp(given, UTC)
    except (OverflowError, OSError, ValueError):
        return now + LONGEST
