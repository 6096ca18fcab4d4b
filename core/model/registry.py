"""Versions of bundles under the data directory, and one pointer to the version in use.

::

    models/
    ├── current.json             which version is in use, those in use before it, and what was done when
    ├── .lock                    held while one process changes something
    └── <name>/<version>/        a bundle, as it was saved

The pointer is replaced in one step and a bundle is copied beside its place before it is moved there, so a process that
is killed leaves the registry as it was before or as it is after, never between.
"""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.errors import BundleError
from core.settings import REPOSITORY, Settings

DEFAULT_BUNDLE = REPOSITORY / "models" / "default"
MANIFEST = "manifest.json"
POINTER = "current.json"
INCOMING = ".incoming-"
LOCK_SECONDS = 30.0
_SAFE_NAME = re.compile(r"[^\W_][\w.+-]*")

Verify = Callable[[Path], object]
"""Checks the bundle in a folder; raises BundleError when it can't be used."""


@dataclass(frozen=True, slots=True)
class RegisteredBundle:
    """A version that the registry holds, and whether it is the one in use."""

    name: str
    version: str
    path: Path
    current: bool = False

    @property
    def reference(self) -> str:
        """How a command names it: `name/version`."""
        return f"{self.name}/{self.version}"


@dataclass(frozen=True, slots=True)
class Event:
    """What was done (`promote`, `rollback`), when (UTC), and the version in use since; none: the default bundle."""

    action: str
    at: str
    reference: str | None


@dataclass(frozen=True, slots=True)
class Pointer:
    """Which version is in use.

    Attributes:
        line: versions in the order of their promotion; the last is in use, a rollback takes it off.
        events: everything that was done, oldest first.
    """

    line: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()

    @property
    def current(self) -> str | None:
        """The version in use as `name/version`; none: nothing was promoted, or all was rolled back."""
        return self.line[-1] if self.line else None


class Registry:
    """The bundles of one data directory; safe with several processes at once.

    Args:
        data_dir: the desk's data directory; bundles stand in its folder `models`.
        default: the bundle in use while none is promoted.
    """

    def __init__(self, data_dir: Path, default: Path = DEFAULT_BUNDLE) -> None:
        self.folder = data_dir / "models"
        self.default = default

    def resolve(self, settings: Settings) -> Path:
        """The folder of the bundle in use: the one that is set, else the promoted one, else the default.

        Raises:
            BundleError: that folder holds no bundle; another one is never used in its place.
        """
        if settings.model is not None:
            return self._with_manifest(settings.model, "TRIAGE_MODEL names")
        current = self.pointer().current
        if current is not None:
            return self._with_manifest(self.folder / current, f"The version in use, {current}, should stand in")
        return self._with_manifest(self.default, "The bundle shipped with the desk should stand in")

    def bundles(self) -> tuple[RegisteredBundle, ...]:
        """Every version, by name and then oldest first."""
        current = self.pointer().current
        found = (RegisteredBundle(path.parent.name, path.name, path) for path in self._paths())
        return tuple(replace(bundle, current=bundle.reference == current) for bundle in found)

    def find(self, reference: str) -> RegisteredBundle:
        """The version called `name/version`, or `version` where only one name has it.

        Raises:
            BundleError: there is none, or more than one; names what there is.
        """
        bundles = self.bundles()
        found = [bundle for bundle in bundles if reference in (bundle.reference, bundle.version)]
        if len(found) != 1:
            listed = ", ".join(bundle.reference for bundle in bundles) or "nothing yet"
            which = "more than one version" if found else "no version"
            raise BundleError(f"The registry has {which} called {reference}; nothing was changed. It holds: {listed}.")
        return found[0]

    def pointer(self) -> Pointer:
        """Which version is in use, and what was done so far.

        Raises:
            BundleError: the pointer can't be read.
        """
        try:
            facts = json.loads((self.folder / POINTER).read_text(encoding="utf-8"))
            return Pointer(tuple(map(str, facts["line"])), tuple(Event(**event) for event in facts["events"]))
        except FileNotFoundError:
            return Pointer()
        except (OSError, ValueError, KeyError, TypeError):
            raise BundleError(
                f"{self.folder / POINTER} can't be read, so the version in use is not known; no bundle was touched. "
                "Move that file away and name the version to use: triage models promote NAME/VERSION."
            ) from None

    def add(self, source: Path, name: str, version: str, verify: Verify) -> RegisteredBundle:
        """Copy the bundle in `source` into the registry, once it is verified; adding the same one again is no error.

        Raises:
            BundleError: it can't be used, another bundle has its name and version, or it can't be written.
        """
        if not (_SAFE_NAME.fullmatch(name) and _SAFE_NAME.fullmatch(version)):
            raise BundleError(f"{name}/{version} can't be a bundle's name and version: letters, digits, . + - only.")
        self._with_manifest(source, "The bundle to add should stand in")
        verify(source)
        target = self.folder / name / version
        with self._locked():
            self._clear_incoming()
            if not (target / MANIFEST).is_file():
                self._copy(source, target, verify)
            elif (target / MANIFEST).read_bytes() != (source / MANIFEST).read_bytes():
                raise BundleError(f"The registry holds another bundle called {name}/{version}; nothing was changed.")
        return self.find(f"{name}/{version}")

    def verify(self, reference: str, verify: Verify) -> RegisteredBundle:
        """The version, if `verify` finds nothing wrong with it.

        Raises:
            BundleError: there is no such version, or it can't be used.
        """
        found = self.find(reference)
        verify(found.path)
        return found

    def promote(self, reference: str, verify: Verify) -> RegisteredBundle:
        """Put a version in use, once it is verified; promoting the one in use changes nothing.

        Raises:
            BundleError: there is no such version, or it can't be used; the version in use stays.
        """
        with self._locked():
            found, before = self.verify(reference, verify), self.pointer()
            if before.current != found.reference:
                self._write("promote", (*before.line, found.reference), before)
        return replace(found, current=True)

    def rollback(self, verify: Verify) -> RegisteredBundle | None:
        """Put the version in use that was in use before, once it is verified; none: the default bundle is in use again.

        Raises:
            BundleError: nothing was promoted, or the version before can't be used; the version in use stays.
        """
        with self._locked():
            before = self.pointer()
            if not before.line:
                raise BundleError("No version was promoted, so there is none to go back to; nothing was changed.")
            earlier = before.line[:-1]
            found = self.verify(earlier[-1], verify) if earlier else None
            if found is None:
                verify(self._with_manifest(self.default, "The bundle shipped with the desk should stand in"))
            self._write("rollback", earlier, before)
        return replace(found, current=True) if found else None

    def _with_manifest(self, folder: Path, what: str) -> Path:
        """`folder`, if it holds a bundle."""
        if (folder / MANIFEST).is_file():
            return folder
        listed = ", ".join(path.relative_to(self.folder).as_posix() for path in self._paths())
        raise BundleError(
            f"{what} {folder}, where there is no bundle. In the registry: {listed or 'nothing yet'}. "
            "Name another with TRIAGE_MODEL or `triage models promote`, or make one: triage train TABLE... --out DIR."
        )

    def _paths(self) -> list[Path]:
        """The folders of all bundles; drafts, whose names begin with a dot, are none."""
        found = (path.parent for path in self.folder.glob(f"[!.]*/[!.]*/{MANIFEST}"))
        return sorted(found)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the registry for one change. The system frees the lock when its holder ends, whatever ends it."""
        from filelock import FileLock, Timeout  # costs as much as the rest of this module, and only changes need it

        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self.folder / ".lock", timeout=LOCK_SECONDS):
                yield
        except Timeout:
            raise BundleError(
                f"Another process has been changing {self.folder} for {LOCK_SECONDS:.0f} s; nothing was changed. "
                "Try again later."
            ) from None
        except OSError as error:
            why = error.strerror or "a file can't be copied"
            raise BundleError(f"{self.folder} can't be changed: {why}. The version in use stays.") from None

    def _write(self, action: str, line: tuple[str, ...], before: Pointer) -> None:
        """Replace the pointer in one step."""
        event = Event(action, datetime.now(UTC).isoformat(timespec="seconds"), line[-1] if line else None)
        facts: dict[str, Any] = asdict(Pointer(line, (*before.events, event)))
        handle, draft = tempfile.mkstemp(prefix=".current-", dir=self.folder)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(facts, file, ensure_ascii=False, indent=1)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(draft, 0o644)
            os.replace(draft, self.folder / POINTER)
        finally:
            Path(draft).unlink(missing_ok=True)

    def _copy(self, source: Path, target: Path, verify: Verify) -> None:
        """Copy a bundle beside its place, verify the copy, and move it there in one step."""
        target.parent.mkdir(exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=INCOMING, dir=self.folder))
        try:
            copy = Path(shutil.copytree(source, draft / target.name))
            verify(copy)
            if target.exists():  # a folder without a manifest: not a bundle, and in the way
                raise BundleError(f"{target} is in the way and holds no bundle; nothing was added. Move it away.")
            copy.rename(target)
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def _clear_incoming(self) -> None:
        """Remove what a killed process left; nobody else copies while the lock is held."""
        for left in (*self.folder.glob(f"{INCOMING}*"), *self.folder.glob(".current-*")):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
