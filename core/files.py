"""Small files that several processes share: made once, whole, and locks that tell whether a process lives."""

import fcntl
import os
import secrets
from pathlib import Path


def put_once(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Write a file whole and on the disk, then give it its name; whoever is second keeps the first one's.

    Raises:
        OSError: it can't be written.
    """
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:  # another process was first
            return
    finally:
        draft.unlink()


def is_locked(path: Path) -> bool:
    """Whether a process holds the lock of this file; such a lock goes with its process, whatever ends that."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False
