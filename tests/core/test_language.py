import pytest

from core.language import chinese_share, language_of


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


def test_the_share_of_chinese_runs_from_none_to_all() -> None:
    assert chinese_share("chest pain") == 0.0
    assert chinese_share("胸口疼") == 1.0
    assert 0 < chinese_share("胸口疼 with cough") < 1
