"""Files of which after a crash the old or the new one is there, whole, and the digest that tells one from another."""

import hashlib
import os
from pathlib import Path

UNFINISHED = ".*.[0-9]*.tmp"  # the names of files that are being written


def write_durably(path: Path, content: bytes | memoryview) -> None:
    """Write beside the target, flush to the disk, rename over it."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    sync_folder(path.parent)


def move_durably(finished: Path, target: Path) -> None:
    """Flush a finished file to the disk and rename it to the target, on the same file system."""
    with finished.open("rb") as file:
        os.fsync(file.fileno())
    finished.replace(target)
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries (the renames in it) to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def digest_of(path: Path) -> str:
    """BLAKE2b of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
