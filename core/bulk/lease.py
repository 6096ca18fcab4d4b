"""One run at a time in a folder of a bucket, as far as a bucket allows it."""

import json
import secrets
import time
from pathlib import Path

from core.bulk.place import read_whole, write_whole
from core.errors import TableError

LEASE = "running.json"
LENT_FOR = 600.0  # seconds without a sign of life
RENEWED_AFTER = 60.0


class Lease:
    """A file in a bucket, which knows no locks: it says until when a run may be there, and is renewed by the run.

    It keeps out a run that is begun by mistake. Of two that begin in the same second both may go on: they do the same
    work twice, and harm nothing, since a shard's file is written whole and is the same from either.
    """

    def __init__(self, folder: Path) -> None:
        self._place = folder / LEASE
        self._mine = secrets.token_hex(8)
        self._renewed = 0.0

    def take(self) -> None:
        """Keep other runs out.

        Raises:
            TableError: another is in, or was killed there a short time ago.
        """
        content = read_whole(self._place)
        until = _until(content)
        if until > (now := time.time()):
            raise TableError(
                f"Another run is writing there now, or was killed in the last {LENT_FOR / 60:.0f} minutes. Nothing "
                f"was done; wait {1 + (until - now) // 60:.0f} minutes, or delete {self._place} if nobody is at work."
            )
        self.renew()

    def renew(self) -> None:
        """Say that the run is alive; called often, it writes once a minute."""
        if time.monotonic() - self._renewed > RENEWED_AFTER or not self._renewed:
            facts = {"run": self._mine, "until": time.time() + LENT_FOR}
            write_whole(self._place, json.dumps(facts).encode())
            self._renewed = time.monotonic()

    def leave(self) -> None:
        """Let another run in."""
        if self._renewed:
            self._place.unlink(missing_ok=True)
            self._renewed = 0.0


def _until(content: bytes | None) -> float:
    """When the lease ends; long ago where there is none, or where it can't be read or reaches too far."""
    try:
        until = float(json.loads(content or b"{}").get("until", 0.0))
    except (ValueError, AttributeError, TypeError):
        return 0.0
    return until if until <= time.time() + 2 * LENT_FOR else 0.0
