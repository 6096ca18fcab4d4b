from pathlib import Path

from core.records.hashing import note_hash


def test_the_same_note_has_the_same_hash_and_another_note_another(tmp_path: Path) -> None:
    assert note_hash("胸痛", tmp_path) == note_hash("胸痛", tmp_path)
    assert note_hash("胸痛", tmp_path) != note_hash("腹痛", tmp_path)
    assert len(note_hash("胸痛", tmp_path)) == 64
    assert int(note_hash("", tmp_path), 16)


def test_another_installation_gives_the_same_note_another_hash(tmp_path: Path) -> None:
    assert note_hash("胸痛", tmp_path / "here") != note_hash("胸痛", tmp_path / "there")


def test_half_a_character_has_a_hash_too(tmp_path: Path) -> None:
    assert note_hash("\ud800", tmp_path) != note_hash("?", tmp_path)


def test_a_secret_that_could_not_be_kept_at_first_is_not_held_on_to(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.write_text("no folder")
    before = note_hash("胸痛", folder)
    folder.unlink()
    kept = note_hash("胸痛", folder)
    assert kept != before
    assert note_hash("胸痛", folder) == kept
