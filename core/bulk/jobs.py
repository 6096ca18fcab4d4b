"""Tables that people have uploaded: each is a job, a folder that only the desk can open.

::

    <data_dir>/jobs/errors.log     kinds and numbers of what went wrong in runs, no text
    <data_dir>/jobs/<random id>/   mode 0700
        upload.csv                 the table as it came (its suffix says the kind)
        job.json                   whose it is, its name, what was chosen; written by the page
        look.json                  what a first look found (`core.bulk.look`)
        lock                       held by the process that classifies it
        progress.json              how far that is; written by that process
        result.parquet.parts/      the finished shards of a run that is not at its end (`core.bulk.parts_folder`)
        result.parquet             the table with its answers
        outcome.json               counts and summary of a finished run
        export.csv, export.xlsx    made when they are first downloaded
        export-masked.csv, …       the same without identifiers

A job holds notes, so it is deleted a week after the last file in it was written, and at once when its owner says so.
"""

import json
import re
import secrets
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Self

from core.bulk.columns import Columns
from core.bulk.durable import write_durably
from core.bulk.look import TableLook, look_at
from core.bulk.tables import SUFFIXES
from core.errors import TableError

UPLOAD_LIMIT = 100  # MB
KEPT_DAYS = 7
LONGEST_NAME = 120
MASKED = "masked"  # a download without identifiers
_ID = re.compile(r"[0-9a-f]{32}")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069/\\]")


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person chose for a table.

    Attributes:
        columns: where notes, ages and sexes stand.
        sheet: which sheet of a workbook, where it has several.
        references: columns with the right label of a task, by task; they change no answer.
    """

    columns: Columns
    sheet: str | None = None
    references: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> Self:
        """The choice from its JSON."""
        return cls(Columns(**facts["columns"]), facts["sheet"], dict(facts["references"]))


@dataclass(frozen=True, slots=True)
class Job:
    """One uploaded table.

    Attributes:
        folder: where everything of it is.
        owner: the person it belongs to.
        name: the file's name as it was uploaded, for people only.
        size: bytes.
        created: when it came (UTC).
        choice: what was chosen, once it was.
    """

    folder: Path
    owner: str
    name: str
    size: int
    created: datetime
    choice: Choice | None = None

    @property
    def id(self) -> str:
        """The random id, 32 hexadecimal digits."""
        return self.folder.name

    @property
    def upload(self) -> Path:
        """The table as it came."""
        return self.folder / f"upload{Path(self.name).suffix.lower()}"

    @property
    def result(self) -> Path:
        """The table with its answers, once a run is finished."""
        return self.folder / "result.parquet"

    def export(self, suffix: str, *, masked: bool = False) -> Path:
        """Where the classified table stands as a download."""
        return self.folder / f"export{f'-{MASKED}' if masked else ''}{suffix}"

    @property
    def is_done(self) -> bool:
        """Whether a run has finished: its outcome is the last that it writes."""
        return (self.folder / "outcome.json").exists()

    @property
    def look(self) -> TableLook:
        """What the last look found.

        Raises:
            TableError: the folder was deleted meanwhile, or is damaged.
        """
        return TableLook.from_dict(_read_json(self.folder / "look.json"))

    def look_into(self, sheet: str) -> TableLook:
        """Look into another sheet of the workbook.

        Raises:
            TableError: it is no table; the last look stays.
        """
        found = look_at(self.upload, sheet)
        _write_json(self.folder / "look.json", found.as_dict())
        return found

    def chosen(self, choice: Choice) -> "Job":
        """The job with this choice, on disk too."""
        job = replace(self, choice=choice)
        job.save()
        return job

    def save(self) -> None:
        """Write what the job is."""
        facts = asdict(self) | {"created": self.created.isoformat()}
        del facts["folder"]
        _write_json(self.folder / "job.json", facts)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The job in a folder.

        Raises:
            TableError: there is none.
        """
        facts = _read_json(folder / "job.json")
        choice = Choice.from_dict(facts["choice"]) if facts["choice"] else None
        created = datetime.fromisoformat(facts["created"])
        return cls(folder, facts["owner"], facts["name"], facts["size"], created, choice)


class Jobs:
    """The tables of one person."""

    def __init__(self, data_dir: Path, owner: str) -> None:
        """Reads nothing yet.

        Args:
            data_dir: the desk's data folder.
            owner: whose tables; others' are never given.
        """
        self._folder, self._owner = data_dir / "jobs", owner

    def create(self, name: str, content: BinaryIO) -> Job:
        """Keep an uploaded table and look at it; nothing stays where it is none.

        Args:
            name: the file's name as it was uploaded.
            content: its bytes, read to the end.

        Raises:
            TableError: too large, no table that can be read, or no room on the disk.
        """
        name = displayed_name(name)
        if Path(name).suffix.lower() not in SUFFIXES:
            raise TableError(
                f"{name}: {Path(name).suffix or 'a name without suffix'} is no kind of table that can be read. "
                f"Nothing was read; use one of {', '.join(SUFFIXES)}."
            )
        folder = self._folder / secrets.token_hex(16)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.mkdir(mode=0o700)
            job = Job(folder, self._owner, name, 0, datetime.now(UTC))
            job = replace(job, size=_copy(content, job.upload, name))
            found = look_at(job.upload)
            _write_json(folder / "look.json", found.as_dict())
            job.save()
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)
            raise TableError(f"{name} can't be kept: the disk is full or read-only. Nothing was kept.") from None
        except TableError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise TableError(in_words_of_the_page(error, folder, name)) from None
        return job

    def all(self) -> list[Job]:
        """This person's tables, the newest first."""
        found = []
        for path in self._folder.glob("*/job.json"):
            try:
                job = Job.read(path.parent)
            except (TableError, KeyError, TypeError, ValueError):
                continue  # being deleted, or written by another version
            if job.owner == self._owner:
                found.append(job)
        return sorted(found, key=lambda job: job.created, reverse=True)

    def find(self, id_: str | None) -> Job | None:
        """This person's table with the id; none where it is somebody else's, or gone."""
        if not id_ or not _ID.fullmatch(id_):
            return None
        try:
            job = Job.read(self._folder / id_)
        except (TableError, KeyError, TypeError, ValueError):
            return None
        return job if job.owner == self._owner else None


def expired(data_dir: Path, *, days: float = KEPT_DAYS) -> list[Path]:
    """Folders of jobs, anybody's, in which nothing was written for so many days."""
    limit = time.time() - days * 86_400
    return [folder for folder in (data_dir / "jobs").glob("*") if folder.is_dir() and _last_written(folder) < limit]


def displayed_name(name: str) -> str:
    """A file's name without folders and signs that don't print, cut in its middle where it is long."""
    clean = _UNPRINTABLE.sub("_", re.split(r"[/\\]", name)[-1]).strip() or "table"
    if len(clean) <= LONGEST_NAME:
        return clean
    suffix = Path(clean).suffix[:12]
    return clean[: LONGEST_NAME - len(suffix) - 1] + "…" + suffix


def in_words_of_the_page(error: Exception, folder: Path, name: str) -> str:
    """An error's message with the table's own name, and no path of the server."""
    message = str(error).replace(f"{folder}/", "")
    return re.sub(r"\bupload(\.[a-z]+)\b", name.replace("\\", "_"), message)


def _copy(content: BinaryIO, target: Path, name: str) -> int:
    """Write the upload to the disk; bytes written.

    Raises:
        TableError: it is larger than allowed.
    """
    size = 0
    with target.open("xb") as file:
        while block := content.read(1 << 20):
            size += len(block)
            if size > UPLOAD_LIMIT << 20:
                raise TableError(f"{name} is larger than {UPLOAD_LIMIT} MB. Nothing was kept; upload it in parts.")
            file.write(block)
    return size


def _last_written(folder: Path) -> float:
    try:
        return max((path.stat().st_mtime for path in (folder, *folder.iterdir())), default=0.0)
    except OSError:
        return time.time()  # somebody is deleting it


def _write_json(path: Path, facts: Mapping[str, Any]) -> None:
    write_durably(path, json.dumps(facts, ensure_ascii=False).encode("utf-8", "surrogatepass"))


def _read_json(path: Path) -> dict[str, Any]:
    try:
        facts: dict[str, Any] = json.loads(path.read_bytes())
    except (OSError, ValueError):
        raise TableError("This table is no longer here. Upload it again.") from None
    return facts
