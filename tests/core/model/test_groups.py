from core.model.groups import near_duplicate_groups

LONG = "My father has had a burning pain behind the breastbone after meals for three weeks now"
CHINESE = "孩子昨天晚上开始发烧三十九度，吃了退烧药又反复，今天精神不太好，不愿意吃东西"


def test_copies_that_differ_in_digits_case_and_punctuation_share_a_group() -> None:
    groups = near_duplicate_groups(["Fever 38.5 since 2 days!", "fever 39.1 since 3 days", "Broken wrist"])
    assert groups[0] == groups[1] != groups[2]


def test_a_text_with_a_few_changed_characters_shares_the_group() -> None:
    groups = near_duplicate_groups([LONG, LONG + " ok", CHINESE, CHINESE[:-1], "另一件完全不同的事情，想开点降压药"])
    assert groups[0] == groups[1]
    assert groups[2] == groups[3]
    assert len(set(groups.tolist())) == 3


def test_texts_without_letters_are_no_trouble() -> None:
    assert len(near_duplicate_groups(["", "123", "头疼"])) == 3
