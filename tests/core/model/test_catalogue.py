from pathlib import Path

import pytest

from core.model.bundle import Bundle, read_manifest, verify_bundle
from core.model.catalogue import known_bundles, label_names
from core.model.registry import DEFAULT_BUNDLE, MANIFEST, Registry
from core.settings import Settings


@pytest.fixture
def site(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, _env_file=None)


def test_a_new_installation_knows_the_shipped_bundle_which_is_in_use(site: Settings) -> None:
    (only,) = known_bundles(site)
    assert (only.folder, only.in_use, only.shipped, only.registered) == (DEFAULT_BUNDLE, True, True, False)


def test_the_promoted_version_stands_first(site: Settings, small_bundle: tuple[Path, Bundle]) -> None:
    registry, version = Registry(site.data_dir), small_bundle[1].manifest.version
    registry.promote(registry.add(small_bundle[0], "small", version, verify_bundle).reference, verify_bundle)
    first, second = known_bundles(site)
    assert (first.reference, first.in_use, first.registered) == (f"small/{version}", True, True)
    assert (second.shipped, second.in_use) == (True, False)


def test_a_damaged_bundle_is_listed_with_its_trouble(site: Settings) -> None:
    folder = site.data_dir / "models" / "broken" / "1"
    folder.mkdir(parents=True)
    (folder / MANIFEST).write_text("{")
    broken = known_bundles(site)[1]
    assert (broken.reference, broken.manifest) == ("broken/1", None)
    assert "can't be read" in broken.trouble


def test_where_the_bundle_in_use_is_gone_the_others_are_still_listed(tmp_path: Path) -> None:
    found = known_bundles(Settings(data_dir=tmp_path, model=tmp_path / "gone", _env_file=None))
    assert [bundle.in_use for bundle in found] == [False]


def test_labels_have_both_names_and_a_bundle_s_own_label_keeps_its_own(small_bundle: tuple[Path, Bundle]) -> None:
    found = {(each.task, each.label): each for each in label_names(small_bundle[1].manifest)}
    cardiology, other = found["department", "cardiology"], found["department", "neurology"]
    assert (cardiology.zh, cardiology.en, cardiology.answered) == ("心血管内科", "Cardiology", True)
    assert not other.answered
    assert not any(task == "acuity" for task, _ in found)


def test_every_label_of_the_shipped_bundle_has_a_chinese_name() -> None:
    assert all(not each.zh.isascii() for each in label_names(read_manifest(DEFAULT_BUNDLE)))
