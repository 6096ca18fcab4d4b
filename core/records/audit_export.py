"""The audit log as a signed file: one JSON object a row, and a last line that signs all lines before it.

Whoever has the exporting desk's public key can check the file without the desk, its secret or its database.
"""

import json
import os
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from core.errors import RecordsError
from core.records.acts import Act
from core.records.chain import time_text
from core.records.database import DatabaseRecords, now
from core.records.signing import raw, signing_key
from core.records.verify import Verdict, audit_rows, rows_between, verify

FORM = "triage-desk audit 1"


@dataclass(frozen=True, slots=True)
class Exported:
    """What a file holds, and what a look at the whole log found before it was written."""

    rows: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Checked:
    """What a file that is as it was signed says of itself.

    Attributes:
        rows: rows in it.
        made: when (UTC, ISO).
        since: the first moment of its time span; none: from the beginning.
        until: the first moment after it; none: to the end.
        chain: `whole`, or where the log was broken when it was exported.
    """

    rows: int
    made: str
    since: str | None
    until: str | None
    chain: str


def export_audit(
    records: DatabaseRecords,
    target: Path,
    *,
    data_dir: Path,
    person: str,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Exported:
    """Write the rows of a time span into a file, which gets its name once the audit log has a row about it.

    Raises:
        RecordsError: the log can't be read or written, or the file can't be written; nothing was exported.
    """
    key = signing_key(data_dir)
    with whole_file(target) as file:
        digest, rows = sha256(), 0
        with records.one_view() as connection:
            verdict = verify(connection, records.chain)
            for row in audit_rows(connection, rows_between(since, until)):
                line = _line(_as_object(row))
                file.write(line)
                digest.update(line)
                rows += 1
        signed = {
            "form": FORM,
            "made": time_text(now()),
            "since": time_text(since) if since else None,
            "until": time_text(until) if until else None,
            "rows": rows,
            "chain": said_of(verdict),
            "sha256": digest.hexdigest(),
        }
        last = {
            "signed": signed,
            "signature": b64encode(key.sign(_signed_bytes(signed))).decode(),
            "public_key": b64encode(raw(key.public_key())).decode(),
        }
        file.write(_line(last))
        facts = {name: signed[name] for name in ("since", "until", "rows", "chain", "sha256")}
        records.note(Act.AUDIT_EXPORTED, person, facts)
    return Exported(rows, verdict)


def check_export(source: Path, key: Ed25519PublicKey) -> Checked:
    """Check that an exported file is as it was signed.

    Raises:
        RecordsError: it is not, or it can't be read.
    """
    digest, rows, last = sha256(), 0, b""
    try:
        with source.open("rb") as file:
            for line in file:
                if last:
                    digest.update(last)
                    rows += 1
                last = line
        end = json.loads(last)
        signed, signature, named = end["signed"], b64decode(end["signature"]), b64decode(end["public_key"])
        checked = Checked(signed["rows"], signed["made"], signed["since"], signed["until"], signed["chain"])
    except OSError as error:
        raise RecordsError(f"{source} can't be read ({error.strerror}).") from None
    except (ValueError, KeyError, TypeError):
        raise RecordsError(f"{source} has no signature in its last line: it was cut, or is no audit export.") from None
    if named != raw(key):
        raise RecordsError(f"{source} was signed with another key than the one given.")
    try:
        key.verify(signature, _signed_bytes(signed))
    except InvalidSignature:
        raise RecordsError(f"{source}: its last line was changed since it was signed.") from None
    if (digest.hexdigest(), rows) != (signed["sha256"], signed["rows"]):
        raise RecordsError(
            f"{source} was changed since it was signed: it has {rows:,} rows, {signed['rows']:,} were signed."
        )
    return checked


def said_of(verdict: Verdict) -> str:
    """`whole`, or the first fault with its row."""
    return f"{verdict.breach.fault} at row {verdict.breach.id}" if verdict.breach else "whole"


@contextmanager
def whole_file(target: Path) -> Iterator[BinaryIO]:
    """A file for its owner alone that gets its name at the block's end; none where the block fails.

    Raises:
        RecordsError: it can't be written.
    """
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    except OSError as error:
        raise RecordsError(f"{target} can't be written ({error.strerror}). Name another file.") from None
    finally:
        draft.unlink(missing_ok=True)


def _as_object(row: dict[str, Any]) -> dict[str, Any]:
    try:
        facts = json.loads(row["facts"])
    except (TypeError, ValueError):
        facts = repr(row["facts"])  # somebody changed it; `chain` of the last line says so
    return {**row, "facts": facts}


def _line(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, default=repr).encode("utf-8", "surrogatepass") + b"\n"


def _signed_bytes(signed: object) -> bytes:
    return b"triage-audit\n" + json.dumps(signed, sort_keys=True, separators=(",", ":")).encode()
