"""Tables give way to notes: what tells the processes of a desk that somebody is pasting notes now.

How tables then go is in `core.embedding.pace`.
"""

import os
import time
from contextlib import suppress
from pathlib import Path

LATELY = 60.0  # seconds


class Courtesy:
    """A file whose time is that of the last note; its processes need no other word with each other.

    Args:
        path: the file; where it can't be written, only this process knows of its own notes.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._own = float("-inf")

    def note(self) -> None:
        """Somebody waits for a note."""
        self._own = time.time()
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.touch(0o600)
            os.utime(self._path)

    @property
    def asked(self) -> bool:
        """Whether somebody has waited for a note lately."""
        last = self._own
        with suppress(OSError):
            last = max(last, self._path.stat().st_mtime)
        return abs(time.time() - last) < LATELY  # a clock that was set back ends it, too
