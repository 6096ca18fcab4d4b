import pytest

from core.language import chinese_shares, language_of, languages_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("胸口疼", "zh"),
        ("男67 突发胸闷2h BP 90/60", "zh"),
        ("chest pain since morning", "en"),
        ("昨天做了 CT 医生说 ground glass nodule 要不要 worry", "mixed"),
        ("胸が痛いです、昨日からずっと", "other"),
        ("Болит голова", "other"),
        ("12345", "other"),
        ("", "other"),
    ],
)
def test_a_note_is_placed_by_its_script(text: str, language: str) -> None:
    assert language_of(text) == language


def test_many_notes_are_placed_as_each_alone() -> None:
    texts = ["ab", "c 胸痛", "", "abc defg hi", "두통이 심해요"]
    assert languages_of(texts) == [language_of(text) for text in texts]
    assert languages_of([]) == []


def test_the_share_of_chinese_runs_from_none_to_all() -> None:
    none, all_of_it, some, without_words = chinese_shares(["chest pain", "胸口疼", "胸口疼 with cough", "12"])
    assert (none, all_of_it, without_words) == (0.0, 1.0, 0.0)
    assert some == 3 / 5
