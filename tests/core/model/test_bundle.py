import json
import shutil
from pathlib import Path

import joblib
import pytest

from core.errors import BundleCorrupt, BundleError, BundleVersion
from core.model.bundle import Bundle, load_bundle, save_bundle, verify_bundle


@pytest.fixture
def copy(small_bundle: tuple[Path, Bundle], tmp_path: Path) -> Path:
    return Path(shutil.copytree(small_bundle[0], tmp_path / "bundle"))


def change_manifest(folder: Path, **facts: object) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | facts), encoding="utf-8")


def test_a_saved_bundle_comes_back_as_it_was(small_bundle: tuple[Path, Bundle]) -> None:
    folder, bundle = small_bundle
    loaded = load_bundle(folder)
    assert loaded.identity == bundle.identity
    assert loaded.heads.keys() == bundle.heads.keys()
    assert loaded.manifest.fingerprint.compare(bundle.manifest.fingerprint.vectors) == pytest.approx(1)


@pytest.mark.parametrize("name", ["department.joblib", "reference.npz", "MODEL_CARD.md"])
def test_a_changed_byte_is_found_before_anything_is_unpickled(
    copy: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = bytearray((copy / name).read_bytes())
    data[len(data) // 2] ^= 1
    (copy / name).write_bytes(bytes(data))
    monkeypatch.setattr(joblib, "load", lambda *_: pytest.fail("unpickled"))
    with pytest.raises(BundleCorrupt, match=f"{name}.*has changed"):
        load_bundle(copy)


def test_a_missing_file_is_named(copy: Path) -> None:
    (copy / "acuity.joblib").unlink()
    with pytest.raises(BundleCorrupt, match=r"lacks its file acuity\.joblib"):
        load_bundle(copy)


def test_another_scikit_learn_is_refused_with_the_way_on(copy: Path) -> None:
    libraries = json.loads((copy / "manifest.json").read_text(encoding="utf-8"))["libraries"]
    change_manifest(copy, libraries=libraries | {"scikit-learn": "1.2.3"})
    with pytest.raises(BundleVersion, match=r"scikit-learn 1\.2\.3.*triage train"):
        load_bundle(copy)


def test_another_patch_release_of_numpy_is_no_trouble(copy: Path) -> None:
    libraries = json.loads((copy / "manifest.json").read_text(encoding="utf-8"))["libraries"]
    series = ".".join(libraries["numpy"].split(".")[:2])
    change_manifest(copy, libraries=libraries | {"numpy": f"{series}.99"})
    assert verify_bundle(copy).name == "small"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 2}'])
def test_a_manifest_that_is_none_is_said_to_be_unreadable(copy: Path, text: str) -> None:
    (copy / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(BundleCorrupt, match="can't be read"):
        load_bundle(copy)


def test_a_file_outside_the_folder_is_never_taken_for_a_part(copy: Path) -> None:
    change_manifest(copy, files={"../secret": "0"})
    with pytest.raises(BundleCorrupt):
        load_bundle(copy)


def test_a_folder_without_a_bundle_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="triage train"):
        load_bundle(tmp_path)


def test_a_folder_of_other_things_is_not_overwritten(small_bundle: tuple[Path, Bundle], tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(BundleError, match="holds no bundle"):
        save_bundle(tmp_path, small_bundle[1], {"MODEL_CARD.md": "card"})
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_saving_again_replaces_the_old_bundle_and_leaves_no_draft(
    small_bundle: tuple[Path, Bundle], tmp_path: Path
) -> None:
    for card in ("first", "second"):
        save_bundle(tmp_path / "b", small_bundle[1], {"MODEL_CARD.md": card})
    assert (tmp_path / "b" / "MODEL_CARD.md").read_text() == "second"
    assert [path.name for path in tmp_path.iterdir()] == ["b"]
