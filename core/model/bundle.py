"""A trained model on disk: heads, reference vectors, manifest and card; verified before anything is unpickled."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any, Self

import joblib
import numpy as np
from numpy.typing import NDArray

from core.embedding.space import EmbeddingSpace, Fingerprint
from core.errors import BundleCorrupt, BundleError, BundleVersion
from core.model.familiarity import Familiarity
from core.model.head import Head
from core.model.registry import MANIFEST
from core.notes import ModelIdentity

CARD = "MODEL_CARD.md"
CARD_JSON = "model_card.json"
REFERENCE = "reference.npz"
FAMILIARITY = "familiarity.joblib"
FORMAT = 2
LIBRARIES = ("scikit-learn", "numpy", "scipy", "joblib")
RETRAIN = "Train it again: triage train TABLE... --out DIR (the default bundle: make model)."


@dataclass(frozen=True, slots=True)
class Reference:
    """Notes that serve the map and neighbours: vectors and labels, and the texts that may be shown.

    Attributes:
        vectors: shape (n, dimension), float16.
        labels: a column of labels a task, shape (n,) each; an empty string where the note has none.
        texts: the notes' texts, n of them, an empty string where a text may not be shown; empty: of none.
    """

    vectors: NDArray[np.float16]
    labels: Mapping[str, NDArray[np.str_]]
    texts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a bundle is, and the SHA-256 of each of its files.

    Attributes:
        name: the bundle's name.
        version: date and time of training (UTC) and a digest of the heads.
        space: the embedding space that it is bound to.
        fingerprint: vectors of the canary texts in that space.
        tasks: classes, chosen candidate and held-out figures by task.
        data: rows and labels by source.
        libraries: versions that wrote the files.
        commit: git commit of the code, empty when unknown.
        created: ISO date and time (UTC).
        files: SHA-256 by file name.
    """

    name: str
    version: str
    space: EmbeddingSpace
    fingerprint: Fingerprint
    tasks: Mapping[str, Any]
    data: Mapping[str, Any]
    libraries: Mapping[str, str]
    commit: str
    created: str
    files: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The manifest as JSON types."""
        facts: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        return {"format": FORMAT} | facts | {"space": asdict(self.space), "fingerprint": self.fingerprint.as_json()}

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> Self:
        """The manifest from what `as_json` gave."""
        facts = {name: value for name, value in facts.items() if name != "format"}
        space, fingerprint = facts.pop("space"), facts.pop("fingerprint")
        return cls(**facts, space=EmbeddingSpace(**space), fingerprint=Fingerprint.from_json(fingerprint))


@dataclass(frozen=True, slots=True)
class Bundle:
    """A loaded bundle.

    Attributes:
        manifest: what it is.
        heads: one a task.
        reference: reference notes, if it has them.
        familiarity: tells notes apart that are unlike all it was trained on; none in bundles of before.
    """

    manifest: Manifest
    heads: Mapping[str, Head]
    reference: Reference | None
    familiarity: Familiarity | None = None

    @property
    def identity(self) -> ModelIdentity:
        """Which model this is, as every assessment says it."""
        return ModelIdentity(self.manifest.name, self.manifest.version, self.manifest.space.id)


def library_versions() -> dict[str, str]:
    """Versions of the libraries whose objects a bundle holds."""
    return {name: installed_version(name) for name in LIBRARIES}


def save_bundle(folder: Path, bundle: Bundle, cards: Mapping[str, str]) -> Bundle:
    """Write a bundle into `folder`, all or nothing; a bundle that stood there is replaced.

    Args:
        folder: where it is to stand.
        bundle: what to write.
        cards: texts for people and systems to read, by file name.

    Raises:
        BundleError: `folder` holds something that is not a bundle, or can't be written.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / MANIFEST).is_file():
        raise BundleError(f"{folder} is not empty and holds no bundle; nothing was written. Choose another folder.")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise BundleError(f"{folder} can't be written: {error.strerror}.") from None
    try:
        saved = _write(draft, bundle, cards)
        draft.chmod(0o755)
        _swap(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return saved


def _write(draft: Path, bundle: Bundle, cards: Mapping[str, str]) -> Bundle:
    for task, head in bundle.heads.items():
        joblib.dump(head, draft / f"{task}.joblib", compress=("zlib", 6))
    if bundle.familiarity is not None:
        joblib.dump(bundle.familiarity, draft / FAMILIARITY, compress=("zlib", 6))
    if bundle.reference is not None:
        labels = {f"label_{task}": column for task, column in bundle.reference.labels.items()}
        texts = np.frombuffer("\0".join(bundle.reference.texts).encode(), np.uint8)
        np.savez_compressed(
            draft / REFERENCE, allow_pickle=False, vectors=bundle.reference.vectors, texts=texts, **labels
        )
    for name, text in cards.items():
        (draft / name).write_text(text, encoding="utf-8")
    files = {path.name: _sha256(path) for path in sorted(draft.iterdir())}
    manifest = Manifest(**{name: getattr(bundle.manifest, name) for name in Manifest.__slots__} | {"files": files})
    written = json.dumps(manifest.as_json(), ensure_ascii=False, indent=1)
    (draft / MANIFEST).write_text(written + "\n", encoding="utf-8")
    return Bundle(manifest, bundle.heads, bundle.reference, bundle.familiarity)


def _swap(draft: Path, folder: Path) -> None:
    """Put `draft` where `folder` is; the old one goes only after the new one stands."""
    if not folder.exists():
        draft.rename(folder)
        return
    old = folder.with_name(f".{folder.name}-replaced-{draft.name}")
    folder.rename(old)
    draft.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def read_manifest(folder: Path) -> Manifest:
    """The manifest of the bundle in `folder`; nothing is unpickled.

    Raises:
        BundleError: there is no bundle.
        BundleCorrupt: the manifest can't be read.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise BundleError(f"There is no bundle in {folder}. {RETRAIN}")
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        if facts["format"] != FORMAT:
            raise BundleVersion(f"The bundle in {folder} has format {facts['format']}, not {FORMAT}. {RETRAIN}")
        return Manifest.from_json(facts)
    except (ValueError, KeyError, TypeError, OSError):
        raise BundleCorrupt(f"The manifest of the bundle in {folder} can't be read. {RETRAIN}") from None


def verify_bundle(folder: Path) -> Manifest:
    """Check every file against the manifest, and the libraries' versions, before anything is unpickled.

    Raises:
        BundleCorrupt: a file is missing, or has changed.
        BundleVersion: made with another scikit-learn, or another release series of numpy, scipy or joblib.
    """
    manifest = read_manifest(folder)
    for name, expected in manifest.files.items():
        path = folder / name
        if Path(name).name != name or not path.is_file():
            raise BundleCorrupt(f"The bundle in {folder} lacks its file {name}. Restore it, or: {RETRAIN}")
        if _sha256(path) != expected:
            raise BundleCorrupt(
                f"{name} in {folder} has changed since it was saved; not loaded. Restore it, or: {RETRAIN}"
            )
    for name, present in library_versions().items():
        trained = manifest.libraries.get(name, "unknown")
        exact = name == "scikit-learn"
        if (trained if exact else _series(trained)) != (present if exact else _series(present)):
            raise BundleVersion(
                f"The bundle in {folder} was made with {name} {trained}, here is {present}. "
                f"Install that one, or: {RETRAIN}"
            )
    return manifest


def load_bundle(folder: Path) -> Bundle:
    """The bundle in `folder`, verified first.

    Raises:
        BundleError: as `read_manifest` and `verify_bundle` do.
    """
    manifest = verify_bundle(folder)
    heads = {
        task: joblib.load(folder / f"{task}.joblib") for task in manifest.tasks if f"{task}.joblib" in manifest.files
    }
    familiarity = joblib.load(folder / FAMILIARITY) if FAMILIARITY in manifest.files else None
    return Bundle(manifest, heads, _load_reference(folder, manifest), familiarity)


def _load_reference(folder: Path, manifest: Manifest) -> Reference | None:
    if REFERENCE not in manifest.files:
        return None
    with np.load(folder / REFERENCE, allow_pickle=False) as stored:
        labels = {name.removeprefix("label_"): stored[name] for name in stored.files if name.startswith("label_")}
        texts = bytes(stored["texts"]).decode() if "texts" in stored.files else ""
        return Reference(stored["vectors"], labels, tuple(texts.split("\0")) if texts else ())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _series(version: str) -> str:
    return ".".join(version.split(".")[:2])
