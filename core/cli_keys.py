"""The commands about keys: make one, list them, take one back."""

import click

DAYS = 90


@click.group()
def keys() -> None:
    """Keys for programs that ask the desk over HTTP."""


@keys.command("create")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice(["assess", "jobs", "metrics", "fhir"]),
    help="What the key may ask for; can be repeated.",
)
@click.option("--days", default=DAYS, show_default=True, type=click.IntRange(1, 3650), help="Days until it ends.")
def create(name: str, scopes: tuple[str, ...], days: int) -> None:
    """Make a key called NAME and show it, this once."""
    from core.access.keys import KeyStore
    from core.settings import load_settings

    token, key = KeyStore(load_settings().data_dir).create(name, scopes, days)
    click.echo(token)
    click.echo(
        f"Key {key.id} ({key.name}; {', '.join(key.scopes)}) ends on {key.expires:%Y-%m-%d}. It is shown this once: "
        "only its hash is kept. Programs send it as: Authorization: Bearer KEY",
        err=True,
    )


@keys.command("list")
def list_() -> None:
    """Every key, the newest first, without its secret."""
    from core.access.keys import KeyStore, now
    from core.settings import load_settings

    found = KeyStore(load_settings().data_dir).all()
    if not found:
        click.echo("There is no key. Make one: triage keys create NAME --scope assess")
        return
    rows = [("ID", "NAME", "SCOPES", "CREATED", "ENDS", "LAST USED", "STATE")]
    rows += [
        (
            key.id,
            key.name,
            ",".join(key.scopes),
            f"{key.created:%Y-%m-%d}",
            f"{key.expires:%Y-%m-%d}",
            f"{key.last_used}" if key.last_used else "never",
            key.state(now()),
        )
        for key in found
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@keys.command("revoke")
@click.argument("id_", metavar="ID")
def revoke(id_: str) -> None:
    """Take the key with this ID back, at once and for good."""
    from core.access.keys import KeyStore
    from core.settings import load_settings

    key = KeyStore(load_settings().data_dir).revoke(id_)
    click.echo(f"Key {key.id} ({key.name}) is revoked. Whoever uses it is refused from now on.")
