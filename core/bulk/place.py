"""Files and folders on this machine or in a bucket, by one kind of name: a path, or a URL that fsspec knows."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from upath import UPath

from core.bulk.durable import digest_of, write_durably
from core.errors import SettingsError, TableError, TriageError


def place_of(name: str) -> Path:
    """The file or folder of this name; one in a bucket does all that a path does, but is a `UPath`.

    Raises:
        SettingsError: nobody knows this kind of URL, or its package is missing.
    """
    try:
        place = UPath(name).absolute()
        place.fs  # noqa: B018 - this is what loads the package
    except ImportError as error:
        package = f" ({error.name})" if error.name else ""
        raise SettingsError(
            f"{name} needs a package that is not installed{package}: pip install s3fs, gcsfs or adlfs."
        ) from None
    except ValueError:
        raise SettingsError(
            f"{name} is no kind of place that can be used. Give a path, or a URL as s3://bucket/folder."
        ) from None
    return cast(Path, place if in_bucket(place) else Path(place.path))


def in_bucket(place: object) -> UPath | None:
    """The place, if it is not on a disk of this machine."""
    return place if isinstance(place, UPath) and not isinstance(place, os.PathLike) else None


@contextmanager
def told(place: Path, done: str) -> Iterator[None]:
    """Whatever goes wrong at a place becomes a sentence: each kind of bucket has errors of its own."""
    try:
        yield
    except TriageError:
        raise
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else type(error).__name__
        raise TableError(f"{place} can't be {done} ({reason}).") from None
    except Exception as error:
        raise TableError(f"{place} can't be {done} ({type(error).__name__}).") from None


def write_whole(place: Path, content: bytes | memoryview) -> None:
    """Write a file so that the old or the new one is there, whole, whatever happens; a bucket's files are so anyway.

    Raises:
        TableError: it can't be written.
    """
    with told(place, "written"):
        if there := in_bucket(place):
            there.fs.pipe_file(there.path, bytes(content))
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            write_durably(place, content)


def read_whole(place: Path) -> bytes | None:
    """The file's bytes; none where there is no file.

    Raises:
        TableError: it can't be read.
    """
    with told(place, "read"):
        try:
            return place.read_bytes()
        except FileNotFoundError:
            return None


def fingerprint(place: Path) -> str:
    """What changes when the file does: a digest of its bytes here, the bucket's own word there."""
    with told(place, "read"):
        there = in_bucket(place)
        return str(there.fs.checksum(there.path)) if there else digest_of(place)


def files_below(folder: Path) -> list[str]:
    """Names of all files in a folder and its folders, in order; hidden ones and those after an underscore left out."""
    with told(folder, "read"):
        there = UPath(folder)
        root = there.path.rstrip("/")
        names = (found.removeprefix(root).lstrip("/") for found in there.fs.find(there.path))
        return sorted(name for name in names if name and not any(part[:1] in "._" for part in name.split("/")))
