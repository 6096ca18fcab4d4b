"""Versions of bundles and the pointer to the one in use, with several processes and with one that is killed."""

import hashlib
import json
import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import BundleCorrupt, BundleError
from core.model.registry import MANIFEST, POINTER, Registry
from core.settings import Settings


def make_bundle(folder: Path, content: str = "heads") -> Path:
    folder.mkdir(parents=True)
    (folder / "heads.joblib").write_text(content)
    digest = hashlib.sha256(content.encode()).hexdigest()
    (folder / MANIFEST).write_text(json.dumps({"files": {"heads.joblib": digest}}))
    return folder


def whole(folder: Path) -> None:
    """Verifies as a real bundle is verified: by the digests in its manifest."""
    for name, digest in json.loads((folder / MANIFEST).read_text())["files"].items():
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest:
            raise BundleCorrupt(f"{name} has changed")


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    made = Registry(tmp_path / "data", default=make_bundle(tmp_path / "shipped"))
    for version in ("v1", "v2", "v3"):
        made.add(make_bundle(tmp_path / "trained" / version, version), "site", version, whole)
    return made


@pytest.fixture
def settings(registry: Registry) -> Settings:
    return Settings(_env_file=None, data_dir=registry.folder.parent, model=None)


def current(registry: Registry) -> str | None:
    return registry.pointer().current


def test_an_empty_registry_uses_the_default_bundle(tmp_path: Path) -> None:
    registry = Registry(tmp_path, default=make_bundle(tmp_path / "shipped"))
    assert registry.bundles() == ()
    assert registry.resolve(Settings(_env_file=None, data_dir=tmp_path)) == tmp_path / "shipped"


def test_versions_are_listed_with_the_one_in_use(registry: Registry) -> None:
    registry.promote("site/v2", whole)
    assert [(bundle.reference, bundle.current) for bundle in registry.bundles()] == [
        ("site/v1", False),
        ("site/v2", True),
        ("site/v3", False),
    ]


def test_the_promoted_version_is_resolved(registry: Registry, settings: Settings) -> None:
    registry.promote("v1", whole)
    assert registry.resolve(settings) == registry.folder / "site" / "v1"


def test_a_set_model_goes_before_the_promoted_one(registry: Registry, settings: Settings, tmp_path: Path) -> None:
    registry.promote("v1", whole)
    chosen = make_bundle(tmp_path / "chosen")
    assert registry.resolve(settings.model_copy(update={"model": chosen})) == chosen


def test_no_other_bundle_stands_in_for_a_set_model(registry: Registry, settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"TRIAGE_MODEL names .*nowhere.*site/v1, site/v2, site/v3"):
        registry.resolve(settings.model_copy(update={"model": tmp_path / "nowhere"}))


def test_no_other_bundle_stands_in_for_a_promoted_version_that_was_removed(
    registry: Registry, settings: Settings
) -> None:
    registry.promote("v1", whole)
    (registry.folder / "site" / "v1" / MANIFEST).unlink()
    with pytest.raises(BundleError, match="site/v1"):
        registry.resolve(settings)


def test_rollback_goes_back_version_by_version_and_then_to_the_default(registry: Registry, settings: Settings) -> None:
    for version in ("v1", "v2", "v3"):
        registry.promote(version, whole)
    assert registry.rollback(whole).reference == "site/v2"
    assert registry.rollback(whole).reference == "site/v1"
    assert registry.rollback(whole) is None
    assert registry.resolve(settings) == registry.default
    with pytest.raises(BundleError, match="none to go back to"):
        registry.rollback(whole)


def test_promoting_after_a_rollback_goes_back_to_what_was_in_use_then(registry: Registry) -> None:
    registry.promote("v1", whole)
    registry.promote("v2", whole)
    registry.rollback(whole)
    registry.promote("v3", whole)
    assert registry.rollback(whole).reference == "site/v1"


def test_history_keeps_every_step(registry: Registry) -> None:
    registry.promote("v1", whole)
    registry.promote("v1", whole)
    registry.promote("v2", whole)
    registry.rollback(whole)
    steps = [(event.action, event.reference) for event in registry.pointer().events]
    assert steps == [("promote", "site/v1"), ("promote", "site/v2"), ("rollback", "site/v1")]


def test_a_changed_bundle_is_not_promoted_and_the_one_in_use_stays(registry: Registry) -> None:
    registry.promote("v1", whole)
    (registry.folder / "site" / "v2" / "heads.joblib").write_text("changed")
    with pytest.raises(BundleCorrupt):
        registry.promote("v2", whole)
    with pytest.raises(BundleCorrupt):
        registry.verify("v2", whole)
    assert current(registry) == "site/v1"


def test_rollback_to_a_changed_bundle_is_refused_and_the_one_in_use_stays(registry: Registry) -> None:
    registry.promote("v1", whole)
    registry.promote("v2", whole)
    (registry.folder / "site" / "v1" / "heads.joblib").write_text("changed")
    with pytest.raises(BundleCorrupt):
        registry.rollback(whole)
    assert current(registry) == "site/v2"


def test_an_unknown_version_is_refused_with_those_that_exist(registry: Registry) -> None:
    with pytest.raises(BundleError, match=r"no version called v9.*site/v1, site/v2, site/v3"):
        registry.promote("v9", whole)


def test_a_version_of_two_names_must_be_named_in_full(registry: Registry, tmp_path: Path) -> None:
    registry.add(make_bundle(tmp_path / "other"), "ward", "v1", whole)
    with pytest.raises(BundleError, match="more than one version called v1"):
        registry.promote("v1", whole)
    assert registry.promote("ward/v1", whole).path == registry.folder / "ward" / "v1"


def test_a_changed_bundle_is_not_added(registry: Registry, tmp_path: Path) -> None:
    folder = make_bundle(tmp_path / "changed")
    (folder / "heads.joblib").write_text("other")
    with pytest.raises(BundleCorrupt):
        registry.add(folder, "site", "v4", whole)
    assert len(registry.bundles()) == 3


def test_adding_twice_is_no_error_but_another_bundle_under_that_name_is(registry: Registry, tmp_path: Path) -> None:
    assert registry.add(tmp_path / "trained" / "v1", "site", "v1", whole).reference == "site/v1"
    with pytest.raises(BundleError, match="holds another bundle"):
        registry.add(tmp_path / "trained" / "v2", "site", "v1", whole)


@pytest.mark.parametrize("name", ["", "..", "a/b", ".hidden", "../up"])
def test_a_name_that_is_no_folder_name_is_refused(registry: Registry, tmp_path: Path, name: str) -> None:
    with pytest.raises(BundleError, match="can't be"):
        registry.add(tmp_path / "trained" / "v1", name, "v1", whole)


def test_a_pointer_that_cannot_be_read_is_said_and_nothing_else_is_used(registry: Registry, settings: Settings) -> None:
    registry.promote("v1", whole)
    (registry.folder / POINTER).write_text("{")
    with pytest.raises(BundleError, match="can't be read"):
        registry.resolve(settings)
    with pytest.raises(BundleError, match="can't be read"):
        registry.promote("v2", whole)


def test_a_place_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file where the folder should be")
    registry = Registry(tmp_path, default=make_bundle(tmp_path / "shipped"))
    with pytest.raises(BundleError, match=r"can't be changed.*stays\.$"):
        registry.add(make_bundle(tmp_path / "trained"), "site", "v1", whole)


def add_and_promote(data_dir: Path, trained: Path, name: str, versions: int) -> None:
    registry = Registry(data_dir)
    for number in range(versions):
        folder = make_bundle(trained / name / str(number), f"{name} {number}")
        registry.promote(registry.add(folder, name, f"v{number}", whole).reference, whole)


def test_two_processes_lose_no_step(registry: Registry, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [
        context.Process(target=add_and_promote, args=(registry.folder.parent, tmp_path / "trained", name, 15))
        for name in ("ward", "clinic")
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=60)
    assert [worker.exitcode for worker in workers] == [0, 0]
    expected = {f"{name}/v{number}" for name in ("ward", "clinic") for number in range(15)}
    assert set(registry.pointer().line) == expected
    assert [event.reference for event in registry.pointer().events] == list(registry.pointer().line)
    assert {bundle.reference for bundle in registry.bundles()} >= expected
    assert not list(registry.folder.glob(".current-*"))


STUCK = """
import sys
from pathlib import Path
from core.model.registry import Registry

def stuck(folder):
    if "{where}" in str(folder):
        print("holding", flush=True)
        sys.stdin.read()

registry = Registry(Path(sys.argv[1]), default=Path(sys.argv[2]))
{step}
"""


@pytest.mark.parametrize(
    ("where", "step"),
    [
        ("v2", 'registry.promote("v2", stuck)'),
        (".incoming-", 'registry.add(Path(sys.argv[3]), "site", "v4", stuck)'),
    ],
    ids=["promote", "add"],
)
def test_a_process_killed_midway_leaves_the_registry_as_it_was(
    registry: Registry, tmp_path: Path, where: str, step: str
) -> None:
    registry.promote("v1", whole)
    new = make_bundle(tmp_path / "trained" / "v4", "v4")
    program = STUCK.format(where=where, step=step)
    root = str(Path(__file__).resolve().parents[3])
    with subprocess.Popen(
        [sys.executable, "-c", program, str(registry.folder.parent), str(registry.default), str(new)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": root},
    ) as process:
        assert process.stdout.readline() == b"holding\n"
        process.send_signal(signal.SIGKILL)
    assert current(registry) == "site/v1"
    assert [bundle.version for bundle in registry.bundles()] == ["v1", "v2", "v3"]
    assert registry.add(new, "site", "v4", whole).version == "v4"
    assert registry.promote("v4", whole).current
    assert not list(registry.folder.glob(".incoming-*"))
