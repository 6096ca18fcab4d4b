"""The commands that copy what the desk keeps, and put it back."""

from pathlib import Path

import click

A_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("folder", type=A_PATH)
@click.option("--keep", type=click.IntRange(1, 10_000), help="Delete all but so many of the newest backups in FOLDER.")
@click.option("--secrets", type=A_PATH, help="Copy the installation's secrets into this folder, apart from FOLDER.")
def backup(folder: Path, keep: int | None, secrets: Path | None) -> None:
    """Copy records, keys and promoted bundles into a new folder under FOLDER, while the desk works.

    The copy's audit log is checked. Cache, uploaded tables and secrets are not in it.
    """
    from core.errors import RecordsError
    from core.records.backup import back_up, copy_secrets
    from core.settings import load_settings

    settings = load_settings()
    if secrets is not None and (secrets.resolve() == folder.resolve() or folder.resolve() in secrets.resolve().parents):
        raise RecordsError("Keep the secrets apart from the backups: name a folder outside of theirs with --secrets.")
    target, made = back_up(settings, folder, keep=keep)
    click.echo(f"{target}: {len(made.files)} files; the audit log is whole, {made.rows:,} rows.")
    if secrets is not None:
        click.echo(f"{', '.join(copy_secrets(settings, secrets))} in {secrets}: keep them apart from the backups.")


@click.command()
@click.argument("source", metavar="BACKUP", type=A_PATH)
@click.option("--secrets", type=A_PATH, help="Folder with the installation's secrets [default: they are in place].")
def restore(source: Path, secrets: Path | None) -> None:
    """Put a BACKUP back into an empty data folder or database, and check its audit log.

    Stop the desk before; nothing that is there is overwritten.
    """
    from core.errors import RecordsError
    from core.records.backup import restore as put_back
    from core.settings import load_settings

    settings = load_settings()
    found = put_back(settings, source, secrets)
    if found.breach:
        raise RecordsError(
            f"It is restored, but its audit log is not as it was written: see triage audit verify. "
            f"{found.rows:,} rows before that are right."
        )
    click.echo(f"{source} is restored into {settings.data_dir}. The audit log is whole: {found.rows:,} rows.")
