"""The commands about the records: is the audit log whole, take it away signed, train on what people corrected."""

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from core.records.acts import Act
    from core.records.database import DatabaseRecords
    from core.records.verify import Breach

A_PATH = click.Path(path_type=Path)
FAULTS = {
    "changed": "row {id} was changed, or was not written by this desk",
    "missing": "row {id} is missing",
    "order": "row {id} does not stand where it was written",
    "head": "the record of the log's length and end, after row {id}, was changed or taken away",
}


def operator() -> str:
    """Who gives a command, for the audit log: the system's name for the user."""
    try:
        return f"os:{getpass.getuser()}"
    except (KeyError, OSError):  # a container's user without a name
        return f"os:{os.getuid()}"


@contextmanager
def opened_records() -> Iterator["DatabaseRecords"]:
    """The records of the settings in force, for one command."""
    from core.records.database import open_records
    from core.settings import load_settings

    records = open_records(load_settings())
    try:
        yield records
    finally:
        records.close()


def note_model_change(kind: "Act", before: str | None, now: str | None) -> None:
    """Write into the audit log that another bundle answers from now on.

    Raises:
        RecordsError: it can't be written; the bundle answers all the same.
    """
    from core.errors import RecordsError

    try:
        with opened_records() as records:
            records.note(kind, operator(), {"before": before, "now": now})
    except RecordsError as error:
        raise RecordsError(f"The change is made, but the audit log does not have it. {error}") from None


def _moment(context: click.Context, option: click.Parameter, given: str | None) -> datetime | None:
    if given is None:
        return None
    try:
        found = datetime.fromisoformat(given)
    except ValueError:
        raise click.BadParameter(f"{given} is no time such as 2026-03-04 or 2026-03-04T12:30+08:00.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


@click.group()
def audit() -> None:
    """The audit log: who did what and when, each row sealed with the row before."""


@audit.command()
def verify() -> None:
    """Check that no row of the audit log was changed, taken away, put in or moved."""
    from core.errors import RecordsError
    from core.records.verify import verify as verify_log

    with opened_records() as records, records.one_view() as connection:
        found = verify_log(connection, records.chain)
    if found.clock_back:
        click.echo(
            f"Notice: the clock went back at {found.clock_back:,} rows, first at row {found.first_back}. "
            "Their order is that of their numbers.",
            err=True,
        )
    if found.breach:
        raise RecordsError(
            f"The audit log is not as it was written: {_said(found.breach)}. {found.rows:,} rows before it are right. "
            "Keep the database as it is, and compare it with an export or a backup."
        )
    last = f", the last of {found.last_at}" if found.last_at else ""
    click.echo(f"The audit log is whole: {found.rows:,} rows{last}.")


def _said(breach: "Breach") -> str:
    return FAULTS[breach.fault].format(id=breach.id)


@audit.command("export")
@click.argument("target", metavar="OUT", type=A_PATH)
@click.option("--since", callback=_moment, metavar="TIME", help="From this moment on; UTC where it has no zone.")
@click.option("--until", callback=_moment, metavar="TIME", help="Before this moment.")
def export_log(target: Path, since: Any, until: Any) -> None:  # noqa: ANN401 - click checked them
    """Write the audit log into OUT, a JSON object a line, signed in the last line."""
    from core.records.audit_export import export_audit
    from core.records.signing import PUBLIC
    from core.settings import load_settings

    data_dir = load_settings().data_dir
    with opened_records() as records:
        done = export_audit(records, target, data_dir=data_dir, person=operator(), since=since, until=until)
    if done.verdict.breach:
        click.echo(f"The audit log is not as it was written: {_said(done.verdict.breach)}. The file says so.", err=True)
    click.echo(f"{done.rows:,} rows in {target}. Its key for triage audit check: {data_dir / PUBLIC}")


@audit.command()
@click.argument("source", metavar="FILE", type=A_PATH)
@click.option("--key", "key_file", type=A_PATH, help="Public key of the exporting desk [default: this desk's].")
def check(source: Path, key_file: Path | None) -> None:
    """Check an exported FILE: needs its public key, no database and no network."""
    from core.records.audit_export import check_export
    from core.records.signing import PUBLIC, read_public_key
    from core.settings import load_settings

    found = check_export(source, read_public_key(key_file or load_settings().data_dir / PUBLIC))
    span = " ".join(f"{word} {moment}" for word, moment in (("since", found.since), ("until", found.until)) if moment)
    click.echo(f"{source} is as it was signed at {found.made}: {found.rows:,} rows{' ' + span if span else ''}.")
    if found.chain != "whole":
        click.echo(f"When it was exported, the audit log was not as it was written: {found.chain}.", err=True)


@click.group()
def records() -> None:
    """What people corrected, for training, where the site keeps texts."""


@records.command()
@click.argument("target", metavar="OUT.csv", type=A_PATH)
def training(target: Path) -> None:
    """Write the kept texts of overridden notes with their labels into OUT.csv, for triage train."""
    from core.records.training import write_training_table

    with opened_records() as opened:
        rows = write_training_table(opened, target, person=operator())
    click.echo(f"{rows:,} notes in {target}. It holds patients' words: delete it when the training is done.")


@records.command()
def key() -> None:
    """Print a new key for TRIAGE_TEXTS_KEY; texts kept with another one can't be read with it."""
    from cryptography.fernet import Fernet

    click.echo(Fernet.generate_key().decode())
