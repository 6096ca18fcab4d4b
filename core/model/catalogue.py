"""What this installation can answer with: every bundle it can reach, and every label with its names."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from core.errors import BundleError
from core.model.bundle import Manifest, read_manifest
from core.model.registry import MANIFEST, Registry
from core.settings import Settings
from core.wording import TAXONOMY


@dataclass(frozen=True, slots=True)
class KnownBundle:
    """A bundle on disk, known by its manifest alone.

    Attributes:
        folder: where it stands.
        reference: `name/version` in the registry; elsewhere what its manifest says, or the folder's name.
        manifest: what it is; none where it can't be read.
        trouble: why it can't be read; empty where it can.
        in_use: whether the settings and the registry name it as the one that answers.
        shipped: whether it came with the desk.
        registered: whether the registry holds it, so that it can be promoted.
    """

    folder: Path
    reference: str
    manifest: Manifest | None
    trouble: str
    in_use: bool
    shipped: bool
    registered: bool


@dataclass(frozen=True, slots=True)
class LabelName:
    """A label of a task.

    Attributes:
        task: the question.
        label: as tables and bundles write it.
        zh: its name in Chinese; the label itself where the taxonomy has none.
        en: its name in English.
        answered: whether the bundle can give it as an answer.
    """

    task: str
    label: str
    zh: str
    en: str
    answered: bool


def known_bundles(settings: Settings) -> tuple[KnownBundle, ...]:
    """The bundles: the one in use, the shipped one, then the registry's from new to old. Nothing is unpickled.

    A damaged bundle is listed with its trouble. Where the one in use is gone, none of them is in use.

    Raises:
        BundleError: the registry can't be read.
    """
    registry = Registry(settings.data_dir)
    registered = {bundle.path: bundle.reference for bundle in registry.bundles()}
    try:
        in_use = [registry.resolve(settings)]
    except BundleError:
        in_use = []
    folders = dict.fromkeys((*in_use, registry.default, *reversed(registered)))
    return tuple(
        _known(folder, registered.get(folder), in_use=folder in in_use, shipped=folder == registry.default)
        for folder in folders
        if (folder / MANIFEST).is_file()
    )


def _known(folder: Path, reference: str | None, *, in_use: bool, shipped: bool) -> KnownBundle:
    manifest, trouble = None, ""
    try:
        manifest = read_manifest(folder)
    except BundleError as error:
        trouble = str(error)
    told = f"{manifest.name}/{manifest.version}" if manifest else folder.name
    return KnownBundle(folder, reference or told, manifest, trouble, in_use, shipped, reference is not None)


def label_names(manifest: Manifest | None) -> tuple[LabelName, ...]:
    """The labels that the taxonomy names and those that the bundle answers, levels of acuity aside."""
    taxonomy = tomllib.loads(TAXONOMY.read_text(encoding="utf-8"))
    named = {task: dict(labels) for task, labels in taxonomy.items() if task != "task"}
    answers = {
        task: list(map(str, facts.get("classes", ()))) for task, facts in (manifest.tasks if manifest else {}).items()
    }
    return tuple(
        LabelName(task, label, names.get("zh", label), names.get("en", label), label in answers.get(task, ()))
        for task in dict.fromkeys((*named, *answers))
        if task != "acuity"
        for label in dict.fromkeys((*named.get(task, ()), *answers.get(task, ())))
        for names in (named.get(task, {}).get(label, {}),)
    )
