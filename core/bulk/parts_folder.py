"""The parts folder beside a target: a manifest of the run, and the answers of each finished shard.

A shard's file is named by its number, its rows and the digest of its bytes (`000012-2000-9f….parquet`), so that a
damaged one is noticed and done again, and the manifest, which says what run the shards belong to, is written once. A
shard that was set aside has left its reason (`000013.aside`) until it is done. A lock on the folder's file `lock` keeps
a second run out; it goes with its process, whatever ends that.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from core.bulk.answers import ARROW_TYPES, Kind
from core.bulk.batch import Batch
from core.bulk.durable import write_durably
from core.bulk.folder_lock import FolderLock
from core.bulk.shard import ShardReport, errors_in
from core.errors import TableError

MANIFEST = "manifest.json"
SHARDS = "[0-9]*-[0-9]*-*.parquet"
COMPARED = (
    "input_digest", "model", "text_column", "age_column", "sex_column", "columns", "shard_rows", "sheet",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RunManifest:
    """What makes two runs the same run; shards are reused only when all of it is equal.

    Attributes:
        input: file name of the table.
        input_digest: BLAKE2b of its bytes.
        text_column: where the notes stand.
        age_column: where ages stand, if anywhere.
        sex_column: where the sex stands, if anywhere.
        model: bundle, version and embedding space.
        columns: the added columns in order.
        shard_rows: rows in a shard.
        sheet: which sheet of a workbook was named, if one was.
        format: version of this layout.
    """

    input: str
    input_digest: str
    text_column: str
    age_column: str | None
    sex_column: str | None
    model: str
    columns: tuple[str, ...]
    shard_rows: int
    sheet: str | None = None
    format: int = 1

    def difference(self, other: "RunManifest") -> str | None:
        """The first thing in which `other` is another run, both values named; the input's name may change."""
        for field in COMPARED:
            mine, theirs = getattr(self, field), getattr(other, field)
            if mine != theirs:
                if field == "input_digest":
                    mine, theirs = f"{self.input} ({mine[:12]})", f"{other.input} ({theirs[:12]})"
                elif field == "columns":
                    mine, theirs = ", ".join(mine), ", ".join(theirs)
                return f"{field.removesuffix('_digest').replace('_', ' ')} was {mine} and is {theirs} now"
        return None


class Parts:
    """The parts folder of one target."""

    def __init__(self, target: Path, columns: Mapping[str, Kind]) -> None:
        self.folder = target.with_name(target.name + ".parts")
        self._columns = columns
        self._finished: dict[int, list[Path]] = {}
        self._lock = FolderLock(self.folder)
        self._schema = pa.schema([(name, ARROW_TYPES[kind]) for name, kind in columns.items()])

    def begin(self, manifest: RunManifest) -> None:
        """Make the folder, or take up the run that it holds.

        Raises:
            TableError: it holds another run, one is under way in it, or it can't be made.
        """
        path = self.folder / MANIFEST
        try:
            self.folder.mkdir(exist_ok=True)
            if not self._lock.take():
                raise TableError(
                    f"Another run is writing {self.folder.name.removesuffix('.parts')} now. Nothing was done; wait for "
                    "its end, or choose another target."
                )
            if path.exists():
                self._check_same_run(path, manifest)
            else:
                facts = asdict(manifest)
                whole = {"digest": _digest(facts), **facts}
                write_durably(path, json.dumps(whole, ensure_ascii=False, indent=1).encode())
        except OSError as error:
            raise TableError(
                f"{self.folder.parent} can't be written to ({error.strerror}). Nothing was done; choose another target."
            ) from None
        for path in self.folder.glob(SHARDS):
            self._finished.setdefault(int(path.name.split("-")[0]), []).append(path)

    def leave(self) -> None:
        """Let another run take up the folder."""
        self._lock.leave()

    def _check_same_run(self, path: Path, manifest: RunManifest) -> None:
        try:
            found = json.loads(path.read_bytes())
            if found.pop("digest") != _digest(found):
                raise ValueError("a byte was changed")
            before = RunManifest(**{**found, "columns": tuple(found["columns"])})
        except (ValueError, TypeError, KeyError, AttributeError):
            raise TableError(
                f"{path} is damaged. Nothing was done or lost; delete the folder {self.folder.name} to start over."
            ) from None
        if difference := before.difference(manifest):
            raise TableError(
                f"{self.folder.name} holds {self.rows_kept():,} rows of another run: {difference}. They are kept; "
                f"go on with what that run had, or delete {self.folder} to start over."
            )

    def rows_kept(self) -> int:
        """Rows in finished shards."""
        return sum(int(path.name.split("-")[1]) for path in self.folder.glob(SHARDS))

    def load(self, number: int, rows: int) -> pa.RecordBatch | None:
        """The answers of a finished shard; none if it is not finished, or damaged (it is then removed)."""
        for path in self._finished.get(number, ()):
            content = path.read_bytes()
            if path.name == _name(number, rows, content):
                table = pq.read_table(pa.BufferReader(content)).cast(self._schema)
                return pa.RecordBatch.from_arrays([c.combine_chunks() for c in table.columns], schema=self._schema)
            path.unlink()
        return None

    def save(self, number: int, answers: pa.RecordBatch) -> None:
        """Keep the answers of a shard for good."""
        sink = pa.BufferOutputStream()
        pq.write_table(pa.Table.from_batches([answers]), sink, compression="lz4", write_statistics=False)
        content = memoryview(sink.getvalue())
        write_durably(self.folder / _name(number, answers.num_rows, content), content)
        self._reason(number).unlink(missing_ok=True)

    def set_aside(self, number: int, reason: str) -> None:
        """Note why a shard is not done; the next run tries it again."""
        write_durably(self._reason(number), reason.encode())

    def aside(self) -> dict[int, str]:
        """The shards that were set aside, and why."""
        found = sorted(self.folder.glob("[0-9]*.aside"))
        return {int(path.stem): path.read_text(encoding="utf-8", errors="replace") for path in found}

    def _reason(self, number: int) -> Path:
        return self.folder / f"{number:06}.aside"

    def remove(self) -> None:
        """Delete the folder: the target holds everything now."""
        shutil.rmtree(self.folder, ignore_errors=True)


class PartsTarget:
    """A shard's place in a parts folder.

    Attributes:
        answers: what is kept there, once it is.
    """

    def __init__(self, parts: Parts, number: int, rows: int) -> None:
        self._parts, self._number, self._rows = parts, number, rows
        self.answers: pa.RecordBatch | None = None

    def kept(self) -> ShardReport | None:
        """What an earlier run finished."""
        self.answers = self._parts.load(self._number, self._rows)
        return None if self.answers is None else ShardReport(self._rows, errors_in(self.answers), reused=True)

    def keep(self, batch: Batch, answers: pa.RecordBatch) -> None:
        """Keep the answers for good."""
        self._parts.save(self._number, answers)
        self.answers = answers

    def set_aside(self, reason: str) -> None:
        """Note why the shard is not done."""
        self._parts.set_aside(self._number, reason)


def _name(number: int, rows: int, content: bytes | memoryview) -> str:
    return f"{number:06}-{rows}-{hashlib.blake2b(content, digest_size=8).hexdigest()}.parquet"


def _digest(facts: Mapping[str, object]) -> str:
    """BLAKE2b of a manifest's facts, in hex."""
    return hashlib.blake2b(json.dumps(facts, sort_keys=True).encode(), digest_size=8).hexdigest()
