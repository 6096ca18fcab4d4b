"""Where a run over a folder leaves its answers: a file a part, and beside them, in `_triage`, what is done.

    out/2025/january-00000-of-00012.parquet     the rows of a part with their answers
    out/_triage/manifest.json                   what run this is
    out/_triage/2025/january-….parquet.done     rows, errors, size and digest of a finished file
    out/_triage/2025/january-….parquet.aside    why one was set aside

Readers of folders (Arrow, Spark) pass over what begins with an underscore.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from core.bulk.answers import AnswerLayout, names_beside
from core.bulk.batch import Batch, Table
from core.bulk.durable import digest_of
from core.bulk.export import open_writer
from core.bulk.folder_plan import Plan
from core.bulk.place import in_bucket, read_whole, told, write_whole
from core.bulk.shard import ShardReport, errors_in
from core.errors import TableError

STATE = "_triage"
MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class FileTarget:
    """The file of one part.

    Attributes:
        folder: the target's folder.
        name: the file's name in it.
        table: the table that the rows are of.
        layout: which columns the answers have.
        facts: what a parquet file's metadata is to tell of the run.
        signature: begin a csv with a byte order mark.
        masked: the column with the notes, where identifiers are masked.
    """

    folder: Path
    name: str
    table: Table
    layout: AnswerLayout
    facts: Mapping[str, str]
    signature: bool = False
    masked: str | None = None

    def kept(self) -> ShardReport | None:
        """What an earlier run finished; none if it did not, or if its file is missing or damaged."""
        try:
            found = json.loads(read_whole(self._beside(".done")) or b"{}")
            report = ShardReport(int(found["rows"]), int(found["errors"]), reused=True)
            size, digest = int(found["bytes"]), str(found["digest"])
        except (ValueError, KeyError, TypeError):
            return None
        place = self.folder / self.name
        with told(place, "read"):
            if not place.exists() or place.stat().st_size != size:
                return None
        if not in_bucket(place) and digest_of(place) != digest:  # a bucket checks what it is sent itself
            return None
        return report

    def keep(self, batch: Batch, answers: pa.RecordBatch) -> None:
        """Write the rows with their answers, then the word that they are there."""
        sink = pa.BufferOutputStream()
        names = names_beside(self.layout.kinds, self.table.columns)
        writer = open_writer(
            Path(self.name), self.table, self.layout.kinds, names,
            signature=self.signature, facts=dict(self.facts), sink=sink, masked=self.masked,
        )  # fmt: skip
        writer.write(batch, answers)
        writer.close()
        content = memoryview(sink.getvalue())
        write_whole(self.folder / self.name, content)
        digest = hashlib.blake2b(content, digest_size=16).hexdigest()
        facts = {"rows": batch.rows, "errors": errors_in(answers), "bytes": content.nbytes, "digest": digest}
        write_whole(self._beside(".done"), json.dumps(facts).encode())
        aside = self._beside(".aside")
        with told(aside, "deleted"):
            aside.unlink(missing_ok=True)

    def set_aside(self, reason: str) -> None:
        """Note why the part is not done; the next run tries it again."""
        write_whole(self._beside(".aside"), reason.encode())

    def _beside(self, suffix: str) -> Path:
        return self.folder / STATE / f"{self.name}{suffix}"


def begin(
    folder: Path, plan: Plan, layout: AnswerLayout, text_column: str | None, signature: bool, masked: bool
) -> dict[str, str]:
    """Leave the manifest of this run, or check that the run that is there is the same; gives the run's facts.

    Tables that were added since are added to it.

    Raises:
        TableError: the folder holds another run, or other files, or can't be written to.
    """
    facts: dict[str, Any] = {
        "format": 1,
        "model": f"{layout.model.bundle} {layout.model.version} {layout.model.embedding}",
        "columns": list(layout.kinds),
        "text_column": text_column,
        "for_excel": signature,
        "identifiers": "masked" if masked else None,
    }
    inputs = {
        table.name: {
            "digest": table.digest,
            "part_rows": table.part_rows,
            "rows": sum(part.rows for part in table.parts),
            "parts": len(table.parts),
            "text_column": table.columns.text,
            "age_column": table.columns.age,
            "sex_column": table.columns.sex,
        }
        for table in plan.tables
    }
    place = folder / STATE / MANIFEST
    content = read_whole(place)
    if content is None:
        _check_empty(folder)
    else:
        before, before_inputs = _read_manifest(content, place)
        if difference := _difference(before, facts) or _difference_of_inputs(before_inputs, inputs):
            raise TableError(
                f"{folder} holds another run: {difference}. It is kept; go on with what that run had, or choose "
                "another target."
            )
    whole = {"digest": _digest([facts, inputs]), "run": facts, "inputs": inputs}
    write_whole(place, json.dumps(whole, ensure_ascii=False, indent=1).encode())
    return {"model": facts["model"], "columns": " ".join(layout.kinds)}


def _check_empty(folder: Path) -> None:
    with told(folder, "read"):
        if folder.exists() and any(each.name != STATE for each in folder.iterdir()):
            raise TableError(f"{folder} holds other files. Nothing was done; choose a new folder as the target.")


def _read_manifest(content: bytes, place: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        found = json.loads(content)
        run, inputs = found["run"], found["inputs"]
        if found["digest"] != _digest([run, inputs]):
            raise ValueError("a byte was changed")
    except (ValueError, TypeError, KeyError):
        raise TableError(
            f"{place} is damaged. Nothing was done or lost; delete it and its folder to classify all again."
        ) from None
    return run, inputs


def _difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str | None:
    """The first thing in which two runs differ, both values named."""
    for name, value in now.items():
        if before.get(name) != value:
            return f"{name.replace('_', ' ')} was {_shown(before.get(name))} and is {_shown(value)} now"
    return None


def _difference_of_inputs(before: Mapping[str, Mapping[str, Any]], now: Mapping[str, Mapping[str, Any]]) -> str | None:
    for name, facts in before.items():
        if name not in now:
            return f"{name} was there and is not now"
        if difference := _difference(facts, now[name]):
            return f"{name}: {difference}"
    return None


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else "none" if value is None else str(value)


def _digest(facts: object) -> str:
    return hashlib.blake2b(json.dumps(facts, sort_keys=True).encode(), digest_size=8).hexdigest()
