import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from app import administration_words as words
from app.desk import open_desk, records
from app.text import Voice
from core.embedding.contract import _CHECKS
from core.model.bundle import Bundle, verify_bundle
from core.model.registry import Registry
from core.records.tables import audit
from core.settings import REPOSITORY, Settings

MAIN = str(REPOSITORY / "app" / "main.py")


@pytest.fixture(autouse=True)
def installation(fresh_installation: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("TRIAGE_EMBEDDING_TIMEOUT", "60")
    yield fresh_installation
    open_desk.clear()
    records.clear()


@pytest.fixture
def registry(installation: Path, small_bundle: tuple[Path, Bundle]) -> Registry:
    """A registry that holds the small bundle, which is not in use."""
    found = Registry(installation / "data")
    found.add(small_bundle[0], "small", small_bundle[1].manifest.version, verify_bundle)
    return found


def opened(language: str = "en") -> AppTest:
    page = AppTest.from_file(MAIN, default_timeout=120)
    page.session_state["language"] = language
    return page.run().switch_page("app_pages/administration.py").run()


def alerts(page: AppTest) -> list[str]:
    return [alert.value for alert in (*page.success, *page.error)]


@pytest.mark.parametrize(("language", "works"), [("en", "Works"), ("zh", "正常")])
def test_a_check_says_that_endpoint_cache_and_records_work(language: str, works: str) -> None:
    page = opened(language)
    assert not page.exception
    assert works not in alerts(page)
    page.button(key="check_now").click().run()
    assert not page.exception
    assert alerts(page).count(works) == 3


def test_an_endpoint_that_is_not_there_says_what_happened_what_works_and_what_to_do(
    monkeypatch: pytest.MonkeyPatch, small_bundle: tuple[Path, Bundle], free_port: int
) -> None:
    monkeypatch.setenv("TRIAGE_MODEL", str(small_bundle[0]))
    monkeypatch.setenv("TRIAGE_EMBEDDING_URL", f"http://nurse:secret@127.0.0.1:{free_port}/v1")
    monkeypatch.setenv("TRIAGE_EMBEDDING_TIMEOUT", "2")
    page = opened()
    page.button(key="check_now").click().run()
    assert not page.exception
    said = page.error[0].value
    for sentence in ("Nobody answers", "triage by hand", "See whether its server runs"):
        assert sentence in said
    assert "secret" not in " ".join(str(each.value) for each in (*page.markdown, *page.table, *page.dataframe))


def test_the_contract_is_checked_line_by_line() -> None:
    page = opened("zh")
    page.button(key="check_contract").click().run()
    assert not page.exception
    table = next(each.value for each in page.dataframe if "检查项" in each.value)
    assert len(table) == len(_CHECKS)
    assert set(table["结果"]) == {"符合"}


def test_promoting_asks_first_and_then_the_new_model_answers_until_it_is_rolled_back(
    registry: Registry, small_bundle: tuple[Path, Bundle]
) -> None:
    reference = f"small/{small_bundle[1].manifest.version}"
    page = opened()
    assert page.button(key="rollback").disabled
    page.selectbox(key="administration_version").select(reference).run()
    page.button(key="promote").click().run()
    assert registry.pointer().current is None
    page.button(key="change_yes").click().run()
    assert not page.exception
    assert registry.pointer().current == reference
    assert open_desk().bundle.manifest.name == "small"
    assert any("answers from now on" in said for said in alerts(page))

    page.button(key="rollback").click().run()
    assert registry.pointer().current == reference
    page.button(key="change_yes").click().run()
    assert registry.pointer().current is None
    assert open_desk().bundle.manifest.name == "default"
    with records().one_view() as connection:
        rows = connection.execute(select(audit).order_by(audit.c.id)).all()
    assert [(row.kind, row.person, json.loads(row.facts)) for row in rows] == [
        ("model_promoted", "local", {"before": None, "now": reference}),
        ("model_rolled_back", "local", {"before": reference, "now": None}),
    ]


def test_a_change_that_the_audit_log_can_t_take_is_made_and_said(
    registry: Registry, small_bundle: tuple[Path, Bundle], installation: Path
) -> None:
    (installation / "data" / "records.sqlite").write_text("no database\n" * 500)
    reference = f"small/{small_bundle[1].manifest.version}"
    page = opened()
    page.selectbox(key="administration_version").select(reference).run()
    page.button(key="promote").click().run()
    page.button(key="change_yes").click().run()
    assert not page.exception
    assert registry.pointer().current == reference
    assert any("could not be written into the audit log" in warning.value for warning in page.warning)


def test_who_says_no_changes_nothing(registry: Registry, small_bundle: tuple[Path, Bundle]) -> None:
    page = opened()
    page.selectbox(key="administration_version").select(f"small/{small_bundle[1].manifest.version}").run()
    page.button(key="promote").click().run()
    page.button(key="change_no").click().run()
    assert not page.exception
    assert registry.pointer().current is None
    assert "change_yes" not in {button.key for button in page.button}


def test_a_changed_file_is_found_and_the_version_not_promoted(
    registry: Registry, small_bundle: tuple[Path, Bundle]
) -> None:
    found = registry.find(f"small/{small_bundle[1].manifest.version}")
    (found.path / "MODEL_CARD.md").write_text("changed")
    page = opened()
    page.selectbox(key="administration_version").select(found.reference).run()
    page.button(key="verify").click().run()
    assert any("A file of the model is missing or was changed" in said for said in alerts(page))
    page.button(key="promote").click().run()
    page.button(key="change_yes").click().run()
    assert not page.exception
    assert registry.pointer().current is None


def test_whole_files_are_said_to_be_whole(registry: Registry) -> None:
    page = opened()
    page.button(key="verify").click().run()
    assert any("is whole" in said for said in alerts(page))


def test_a_version_promoted_on_the_command_line_can_be_loaded(
    registry: Registry, small_bundle: tuple[Path, Bundle]
) -> None:
    open_desk()
    registry.promote(f"small/{small_bundle[1].manifest.version}", verify_bundle)
    page = opened()
    assert "Another version was put in use" in page.warning[0].value
    page.button(key="load_now").click().run()
    assert open_desk().bundle.manifest.name == "small"
    assert not page.warning


def test_a_model_that_is_set_can_t_be_changed_here(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, small_bundle: tuple[Path, Bundle]
) -> None:
    monkeypatch.setenv("TRIAGE_MODEL", str(small_bundle[0]))
    page = opened()
    versions = page.selectbox(key="administration_version")
    assert len(versions.options) == 3
    versions.select_index(2).run()
    assert page.button(key="promote").disabled
    assert any("TRIAGE_MODEL" in each.value for each in page.info)


def test_where_the_model_in_use_is_gone_the_page_says_so_and_lists_the_others(
    installation: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIAGE_MODEL", str(installation / "gone"))
    page = opened()
    assert not page.exception
    assert any("is gone" in said for said in alerts(page))
    assert page.selectbox(key="administration_version").options


def test_settings_are_shown_without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAGE_EMBEDDING_API_KEY", "hidden1")
    page = opened()
    table = next(each.value for each in page.dataframe if "Setting" in each.value)
    shown = dict(zip(table["Setting"], table["Value"], strict=True))
    assert shown["TRIAGE_EMBEDDING_API_KEY"] == "set, hidden"
    assert shown["TRIAGE_EMBEDDING_URL"] == "the endpoint that comes with the desk"
    assert "hidden1" not in str(shown)


def test_every_check_and_setting_has_words() -> None:
    assert {name for name, _ in _CHECKS} == set(words.CHECKS)
    assert {f"TRIAGE_{name.upper()}" for name in Settings.model_fields} == set(words.SETTINGS)


def test_every_advice_is_there_in_chinese() -> None:
    say = Voice("zh")
    advices = [*words.ENDPOINT.values(), *words.STORES.values(), words.UNFORESEEN]
    spoken = [part for each in advices for part in (each.happened, each.do)]
    for table in (words.STILL_WORKS, words.CHECKS, words.SETTINGS, words.UNSET):
        spoken += table.values()
    assert all(not say(sentence).isascii() for sentence in spoken)
