"""The commands about models: train one, evaluate one, and choose which one answers."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.cli_records import note_model_change

if TYPE_CHECKING:
    from core.model.evaluate import Evaluation
    from core.model.registry import Registry

A_PATH = click.Path(path_type=Path)


def _names(context: click.Context, option: click.Parameter, listed: str | None) -> tuple[str, ...] | None:
    if listed is None:
        return None
    names = tuple(dict.fromkeys(name.strip() for name in listed.split(",") if name.strip()))
    if not names:
        raise click.BadParameter("name at least one, with commas between them.")
    return names


@click.command()
@click.argument("tables", metavar="TABLE...", nargs=-1, required=True, type=A_PATH)
@click.option("--out", required=True, type=A_PATH, help="The bundle's folder.")
@click.option("--tasks", callback=_names, help="Label columns to learn [default: department,acuity,condition].")
@click.option("--pca", type=click.FloatRange(0, 1, min_open=True), help="Share of the variance that heads work on.")
@click.option("--coverage", type=click.FloatRange(0.5, 0.999), help="Share of true labels that prediction sets keep.")
@click.option("--merge-small", metavar="LABEL", help="Put classes with fewer than ten notes under this label.")
@click.option("--no-reference", is_flag=True, help="Keep no vectors of training notes in the bundle.")
@click.option("--name", help="The bundle's name.")
@click.option("--text-column", help="The column with the notes.")
@click.option("--recipe", "recipe_file", type=A_PATH, help="A recipe file (TOML); options go first.")
def train(
    tables: tuple[Path, ...],
    out: Path,
    recipe_file: Path | None,
    text_column: str | None,
    no_reference: bool,
    **given: Any,  # noqa: ANN401
) -> None:
    """Train a bundle on labelled tables, for the endpoint in force."""
    from dataclasses import replace

    from core.cli_output import Progress, bundle_text
    from core.embedding.open import open_embedder
    from core.model.recipe import Recipe
    from core.model.train import train_bundle
    from core.settings import load_settings

    options = {name: value for name, value in given.items() if value is not None}
    options |= {"reference": 0} if no_reference else {}
    recipe = replace(Recipe.read(recipe_file) if recipe_file else Recipe(), **options)
    with open_embedder(load_settings()) as embedder, Progress() as progress:
        bundle = train_bundle(
            tables, out, embedder, recipe, text_column=text_column, say=progress.say, on_done=progress.count
        )
    click.echo(bundle_text(bundle, out))


@click.command()
@click.argument("table", type=A_PATH)
@click.option("--model", type=A_PATH, help="The bundle's folder [default: the one in use].")
@click.option("--by", multiple=True, metavar="COLUMN", help="Score each value of this column too; can be repeated.")
@click.option("--text-column", help="The column with the notes.")
@click.option("--json", "json_file", metavar="FILE", type=A_PATH, help="Write the figures as JSON; - prints them.")
@click.option("--report", metavar="DIR", type=A_PATH, help="Write an HTML report into this folder.")
def evaluate(
    table: Path,
    model: Path | None,
    by: tuple[str, ...],
    text_column: str | None,
    json_file: Path | None,
    report: Path | None,
) -> None:
    """Score a bundle's answers on a labelled table."""
    from core.cli_output import Progress
    from core.model.evaluate import evaluate as evaluate_table
    from core.model.evaluation_text import as_text
    from core.model.report import write_report
    from core.settings import load_settings
    from core.triage import TriageDesk

    settings = load_settings(model=model) if model else load_settings()
    with TriageDesk.open(settings) as desk, Progress() as progress:
        found = evaluate_table(table, desk, by=by, text_column=text_column, on_done=progress.add)
    if json_file != Path("-"):
        click.echo(as_text(found))
    if json_file:
        _write_json(found, json_file)
    if report:
        click.echo(f"The report is {write_report(found, report)}", err=True)


def _write_json(found: "Evaluation", file: Path) -> None:
    from core.errors import TableError

    text = json.dumps(found.as_dict(), ensure_ascii=False, indent=1)
    if file == Path("-"):
        click.echo(text)
        return
    try:
        file.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise TableError(
            f"{file} can't be written ({error.strerror}); the figures are above. Name another file."
        ) from None


@click.group()
def models() -> None:
    """The bundles of this installation, and which one answers."""


def _registry() -> "Registry":
    from core.model.registry import Registry
    from core.settings import load_settings

    return Registry(load_settings().data_dir)


@models.command("list")
def list_models() -> None:
    """List the bundles; a star marks the one that answers."""
    from core.model.bundle import read_manifest
    from core.model.registry import MANIFEST, Registry
    from core.settings import load_settings

    settings = load_settings()
    registry = Registry(settings.data_dir)
    folders = [registry.default, *(bundle.path for bundle in registry.bundles())]
    folders += [settings.model] if settings.model and settings.model not in folders else []
    for folder in folders:
        if (folder / MANIFEST).is_file():
            manifest = read_manifest(folder)
            star = "*" if folder == registry.resolve(settings) else " "
            click.echo(f"{star} {manifest.name}/{manifest.version}  {folder}")
    registry.resolve(settings)


@models.command()
@click.argument("bundle", required=False)
def verify(bundle: str | None) -> None:
    """Check a bundle's files: BUNDLE is a version in the registry or a folder [default: the one in use]."""
    from core.model.bundle import verify_bundle
    from core.settings import load_settings

    registry = _registry()
    if bundle is None:
        path = registry.resolve(load_settings())
    else:
        path = Path(bundle) if Path(bundle).is_dir() else registry.find(bundle).path
    manifest = verify_bundle(path)
    click.echo(f"{manifest.name}/{manifest.version} is whole: {len(manifest.files)} files in {path}")


@models.command()
@click.argument("bundle")
def promote(bundle: str) -> None:
    """Let a bundle answer from now on: BUNDLE is a version in the registry, or a folder, which is copied into it."""
    from core.model.bundle import verify_bundle
    from core.records.acts import Act

    registry = _registry()
    if Path(bundle).is_dir():
        manifest = verify_bundle(Path(bundle))
        bundle = registry.add(Path(bundle), manifest.name, manifest.version, verify_bundle).reference
    before = registry.pointer().current
    now = registry.promote(bundle, verify_bundle).reference
    click.echo(f"{now} answers from now on. Restart a desk that is running.")
    if now != before:
        note_model_change(Act.MODEL_PROMOTED, before, now)


@models.command()
def rollback() -> None:
    """Let the bundle answer that answered before the last promotion."""
    from core.model.bundle import verify_bundle
    from core.records.acts import Act

    registry = _registry()
    before = registry.pointer().current
    found = registry.rollback(verify_bundle)
    name = found.reference if found else "The bundle shipped with the desk"
    click.echo(f"{name} answers from now on. Restart a desk that is running.")
    note_model_change(Act.MODEL_ROLLED_BACK, before, found.reference if found else None)
