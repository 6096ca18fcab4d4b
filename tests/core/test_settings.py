from pathlib import Path

import pytest

from core.errors import SettingsError
from core.settings import load_settings

pytestmark = pytest.mark.usefixtures("fresh_installation")


def test_without_a_word_the_endpoint_is_the_embedded_one_and_the_cache_a_file() -> None:
    settings = load_settings()
    assert settings.embedding_url is None
    assert settings.effective_cache_url == f"sqlite:///{settings.data_dir / 'cache' / 'embeddings.sqlite'}"


def test_a_dotenv_file_sets_what_the_environment_does_not(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "TRIAGE_LANGUAGE=zh\nTRIAGE_EMBEDDING_TIMEOUT=3\nTRIAGE_EMBEDDING_INSTRUCTION=判断科室\n", encoding="utf-8"
    )
    monkeypatch.setenv("TRIAGE_EMBEDDING_TIMEOUT", "4")
    settings = load_settings()
    assert (settings.language, settings.embedding_timeout, settings.embedding_instruction) == ("zh", 4.0, "判断科室")


def test_what_a_command_asks_for_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRIAGE_MODEL", "elsewhere")
    assert load_settings(model=tmp_path).model == tmp_path


def test_an_address_loses_its_last_slash_and_an_empty_one_is_none() -> None:
    assert load_settings(embedding_url="http://127.0.0.1:30000/v1/").embedding_url == "http://127.0.0.1:30000/v1"
    assert load_settings(embedding_url="").embedding_url is None
    assert load_settings(model="").model is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EMBEDDING_URL", "host:30000"),
        ("EMBEDDING_CONCURRENCY", "0"),
        ("EMBEDDING_TIMEOUT", "soon"),
        ("EMBEDDING_DIMENSIONS", "-1"),
        ("EMBEDDING_MAX_TOKENS", "3"),
        ("CACHE_URL", "memcached://host"),
        ("LANGUAGE", "fr"),
    ],
)
def test_a_wrong_setting_is_named_with_its_value(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"TRIAGE_{name}", value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert str(caught.value).startswith(f"TRIAGE_{name}={value!r}: ")
    assert "\n" not in str(caught.value)


def test_the_api_key_does_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAGE_EMBEDDING_API_KEY", "very-secret")
    settings = load_settings()
    assert settings.embedding_api_key is not None
    assert settings.embedding_api_key.get_secret_value() == "very-secret"
    assert "very-secret" not in repr(settings)


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings().language = "zh"  # type: ignore[misc]


def test_texts_are_kept_only_with_a_key_and_the_message_tells_how_to_make_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings(texts_key="").texts_key is None
    monkeypatch.setenv("TRIAGE_KEEP_TEXTS_DAYS", "30")
    for key in (None, "", "very-secret"):
        if key is not None:
            monkeypatch.setenv("TRIAGE_TEXTS_KEY", key)
        with pytest.raises(SettingsError, match="make one with: triage records key") as caught:
            load_settings()
        assert str(caught.value).startswith("TRIAGE_TEXTS_KEY=")
        assert "very-secret" not in str(caught.value)
    monkeypatch.setenv("TRIAGE_TEXTS_KEY", "A" * 43 + "=")
    assert "A" * 43 not in repr(load_settings())


SIGN_IN = {
    "OIDC_METADATA_URL": "https://id.example.org/.well-known/openid-configuration",
    "OIDC_CLIENT_ID": "desk",
    "OIDC_CLIENT_SECRET": "not-a-real-one",
    "PUBLIC_URL": "https://triage.example.org/",
}


def set_all(monkeypatch: pytest.MonkeyPatch, **changed: str) -> None:
    for name, value in (SIGN_IN | changed).items():
        monkeypatch.setenv(f"TRIAGE_{name}", value)


def test_people_sign_in_where_all_of_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not load_settings().signs_in
    set_all(monkeypatch, ROLES="triage-nurses=nurse")
    settings = load_settings()
    assert settings.signs_in
    assert settings.public_url == "https://triage.example.org"
    assert settings.role_names == {"triage-nurses": "nurse"}
    assert "not-a-real-one" not in repr(settings)


def test_empty_variables_are_none_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, **dict.fromkeys(SIGN_IN, ""))
    assert not load_settings().signs_in


def test_this_machine_s_own_addresses_need_no_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, OIDC_METADATA_URL="http://127.0.0.1:9400/x", PUBLIC_URL="http://LOCALHOST:8501")
    assert load_settings().public_url == "http://localhost:8501"
    set_all(monkeypatch, PUBLIC_URL="https://triage.example.org:443")
    assert load_settings().public_url == "https://triage.example.org"


@pytest.mark.parametrize(
    ("name", "value", "shown", "fix"),
    [
        ("OIDC_METADATA_URL", "http://id.example.org/x", "'http://id.example.org/x'", "https://"),
        ("OIDC_METADATA_URL", "id.example.org", "'id.example.org'", "https://"),
        ("OIDC_CLIENT_ID", "", "''", "all three"),
        ("OIDC_CLIENT_SECRET", "", "", "all three"),
        ("PUBLIC_URL", "", "''", "https://triage.example.org"),
        ("PUBLIC_URL", "http://triage.example.org", "'http://triage.example.org'", "https://"),
        ("PUBLIC_URL", "https://triage.example.org/desk", "'https://triage.example.org/desk'", "without a path"),
        ("COOKIE_SECRET", "short", "(hidden)", "32 characters"),
        ("ROLES", "it=boss", "'it=boss'", "administrator"),
        ("IDLE_MINUTES", "0", "'0'", "greater than"),
    ],
)
def test_a_wrong_setting_of_sign_in_is_one_line_with_its_fix(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, shown: str, fix: str
) -> None:
    set_all(monkeypatch, **{name: value})
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert str(caught.value).startswith(f"TRIAGE_{name}={shown}: ")
    assert fix in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "short" not in str(caught.value)


def test_an_id_without_a_provider_is_wrong_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAGE_OIDC_CLIENT_ID", "desk")
    with pytest.raises(SettingsError, match=r"TRIAGE_OIDC_CLIENT_ID='desk': .*all three"):
        load_settings()
