"""Each page as nobody, as each role, as a person without a role, and after the sign-in has ended."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from app import desk
from core.access.roles import OPEN_TO, ROLES, ROOMS, Role, Room
from core.bulk.jobs import Jobs
from core.errors import RecordsError
from core.model.bundle import Bundle
from core.records.database import now
from core.records.tables import audit
from tests.app.signed_in import page_of, said, set_up, signed_in

NOBODY = {"is_logged_in": False}
REFUSED = "This page is not open to you."
NOTE = "胸口压着痛半小时，出冷汗"


@pytest.fixture(autouse=True)
def sign_in_is_set_up(
    fresh_installation: Path, small_bundle: tuple[Path, Bundle], monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    monkeypatch.setenv("TRIAGE_MODEL", str(small_bundle[0]))
    monkeypatch.setenv("TRIAGE_EMBEDDING_TIMEOUT", "60")
    set_up(monkeypatch)
    st.cache_resource.clear()  # what a desk of another test, without sign-in, has left
    yield
    st.cache_resource.clear()


def titles(page: AppTest) -> str:
    return " ".join(str(each.proto.title) for each in (*page.error, *page.warning, *page.info))


def acts() -> list[tuple[str, str, dict[str, Any]]]:
    with desk.records().one_view() as connection:
        return [(row.kind, row.person, json.loads(row.facts)) for row in connection.execute(select(audit))]


@pytest.mark.parametrize("room", ROOMS)
def test_nobody_sees_only_the_way_in(room: Room) -> None:
    page = page_of(NOBODY, room)
    assert not page.exception
    assert [button.key for button in page.button] == ["sign_in"]
    assert page.title[0].value == "Triage desk"


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("role", ROLES)
def test_a_role_opens_its_pages_and_no_other(role: Role, room: Room) -> None:
    page = page_of(signed_in([role]), room)
    assert not page.exception
    if room in OPEN_TO[role]:
        assert REFUSED not in titles(page)
        assert page.title[0].value == room.capitalize()
        return
    assert REFUSED in titles(page)
    assert not [button.key for button in page.button if button.key not in ("sign_out", "sign_out_everywhere")]
    page.run()
    assert acts()[1:] == [("page_refused", "person1", {"page": room})]


@pytest.mark.parametrize("room", ["triage", "administration"])
@pytest.mark.parametrize("roles", [[], ["porter"], {"nurse": True}, 7, None])
def test_without_a_role_the_page_says_whom_to_ask_and_where_it_looked_but_not_what_it_saw(
    roles: object, room: Room
) -> None:
    page = page_of(signed_in(roles), room)
    assert not page.exception
    assert "have no role here" in titles(page)
    assert "`roles`" in said(page)
    assert "Ask whoever runs this desk" in said(page)
    assert "porter" not in said(page)
    assert page.title[0].value == "Triage desk"


@pytest.mark.parametrize("room", ROOMS)
def test_an_expired_token_opens_nothing(room: Room) -> None:
    page = page_of(signed_in(ROLES, expires=now() - timedelta(seconds=1)), room)
    assert not page.exception
    assert "Your sign-in has expired." in titles(page)
    assert [button.key for button in page.button] == ["sign_in"]


@pytest.mark.parametrize(
    "changed", [{"sid": "guessed"}, {"sid": None}, {"sid": ["x"]}, {"is_logged_in": False}, {"is_logged_in": None}]
)
def test_claims_without_a_session_of_ours_are_nobody_s(changed: dict[str, Any]) -> None:
    page = page_of(signed_in(["nurse"]) | changed)
    assert [button.key for button in page.button] == ["sign_in"]


def test_who_they_are_comes_from_the_session_and_not_from_the_claims() -> None:
    page = page_of(signed_in(["nurse"], "nurse1") | {"sub": "nurse2"})
    page.text_area(key="text").input(NOTE)
    page.button(key="assess").click().run()
    assert [answer.person for answer in desk.records().answers()] == ["nurse1"]


def test_when_the_sign_in_ends_the_note_is_gone_from_page_and_session() -> None:
    user = signed_in(["nurse"])
    page = page_of(user)
    page.text_area(key="text").input(NOTE)
    page.button(key="assess").click().run()
    assert page.session_state["sitting"].assessment
    desk.sign_ins().end(user["sid"], "idle")
    page.run()
    assert "because nobody used this page" in titles(page)
    assert not page.text_area
    assert "sitting" not in page.session_state
    assert "text" not in page.session_state
    assert page.session_state["language"] == "en"


def test_a_click_after_the_end_records_nothing() -> None:
    user = signed_in(["nurse"])
    page = page_of(user)
    page.text_area(key="text").input(NOTE)
    page.button(key="assess").click().run()
    desk.sign_ins().end_all("person1")
    before = acts()
    page.button(key="accept_all").click().run()
    assert "signed out on all devices" in titles(page)
    assert acts() == before


def test_signing_out_everywhere_ends_the_other_page_too() -> None:
    here, there = page_of(signed_in(["nurse"])), page_of(signed_in(["nurse"]))
    here.button(key="sign_out_everywhere").click().run()
    there.run()
    for page in (here, there):
        assert "You were signed out on all devices." in titles(page)


def test_signing_out_ends_this_page_alone() -> None:
    here, there = page_of(signed_in(["nurse"])), page_of(signed_in(["nurse"]))
    here.button(key="sign_out").click().run()
    there.run()
    assert "You are signed out." in titles(here)
    assert there.title[0].value == "Triage"
    assert acts()[-1] == ("sign_out", "person1", {"everywhere": 0})


def test_the_model_is_not_changed_by_somebody_whose_role_was_taken_away_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("TRIAGE_MODEL")
    page = page_of(signed_in(["administrator"]), "administration")
    page.session_state["administration_asked"] = ("rollback", "the one that came with the desk")
    page.run()
    page.user = {**page.user, "roles": ["nurse"]}
    page.button(key="change_yes").click().run()
    assert REFUSED in titles(page)
    assert "model_rolled_back" not in {kind for kind, _, _ in acts()}


def test_over_the_limit_the_page_says_how_long_to_wait_and_keeps_the_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAGE_API_NOTES_PER_MINUTE", "1")
    page, other = page_of(signed_in(["nurse"], "nurse1")), page_of(signed_in(["nurse"], "nurse2"))
    for one in (page, other):
        one.text_area(key="text").input(NOTE)
        one.button(key="assess").click().run()
        assert one.session_state["sitting"].assessment
    page.text_area(key="text").input("头痛两天了")
    page.button(key="assess").click().run()
    assert "Too many notes at once" in titles(page)
    assert "seconds, then send it again" in said(page)
    assert page.text_area(key="text").value == "头痛两天了"
    assert len(desk.records().answers()) == 2


def test_a_table_over_the_limit_is_not_taken(monkeypatch: pytest.MonkeyPatch, fresh_installation: Path) -> None:
    monkeypatch.setenv("TRIAGE_API_JOBS_PER_HOUR", "1")
    page = page_of(signed_in(["lead"], "lead1"), "spreadsheet")
    for _ in range(2):
        page.file_uploader[0].upload("notes.csv", b"text\nchest pain for an hour\n", "text/csv").run()
        if page.button and "other_tables" in {button.key for button in page.button}:
            page.button(key="other_tables").click().run()
    assert "as many tables as one person may in an hour" in said(page)
    assert len(Jobs(fresh_installation / "data", "lead1").all()) == 1


def test_nobody_opens_another_s_table_by_its_id(fresh_installation: Path) -> None:
    import io

    job = Jobs(fresh_installation / "data", "lead1").create("theirs.csv", io.BytesIO(b"text\nchest pain\n"))
    page = page_of(signed_in(["lead"], "lead2"), "spreadsheet")
    page.session_state["spreadsheet_job"] = job.id
    page.run()
    assert not page.exception
    assert "theirs" not in said(page)
    assert page.file_uploader
    assert job.folder.exists()


def test_without_the_records_nobody_signs_in_but_whoever_is_in_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    page = page_of(signed_in(["nurse"]))

    def fail(*_: object) -> None:
        raise RecordsError("The records can't be read now. Nothing was lost; try again in a moment.")

    monkeypatch.setattr(desk.records(), "reading", fail)
    monkeypatch.setattr(desk.records(), "writing", fail)
    page.text_area(key="text").input(NOTE)
    page.button(key="assess").click().run()
    assert page.session_state["sitting"].assessment
    with pytest.raises(RecordsError):
        signed_in(["nurse"])
