"""One run at a time in a folder."""

import fcntl
import os
from pathlib import Path

LOCK = "lock"


class FolderLock:
    """A lock on a file of the folder; it goes with its process, whatever ends that."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._handle: int | None = None

    def take(self) -> bool:
        """Keep other runs out; false when another is in."""
        self._handle = os.open(self._folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.leave()
            return False
        return True

    def leave(self) -> None:
        """Let another run in."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
