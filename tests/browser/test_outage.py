"""The endpoint fails while a note is on its way: nothing typed is lost, and it goes on when the endpoint is back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from core.embedding.open import open_embedder
from core.model.train import train_bundle
from core.settings import Settings
from tests.browser.serving import Served, desk_served
from tests.browser.triage_steps import CHEST_PAIN, RASH, answer, ask, box, level, send
from tests.conftest import SMALL_RECIPE
from tests.fault_server import Behaviour, FaultServer


@pytest.fixture(scope="module")
def endpoint() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running


@pytest.fixture(scope="module")
def elsewhere(endpoint: FaultServer, small_table: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A desk at that endpoint, with a bundle trained for it, and no cache, so that every note travels."""
    folder = tmp_path_factory.mktemp("elsewhere")
    settings = Settings(
        embedding_url=endpoint.url, embedding_model=endpoint.model, data_dir=folder, cache_url="none", _env_file=None
    )
    with open_embedder(settings) as embedder:
        train_bundle([small_table], folder / "bundle", embedder, SMALL_RECIPE)
    with desk_served(
        folder / "desk",
        TRIAGE_EMBEDDING_URL=endpoint.url,
        TRIAGE_EMBEDDING_MODEL=endpoint.model,
        TRIAGE_EMBEDDING_TIMEOUT="3",
        TRIAGE_CACHE_URL="none",
        TRIAGE_MODEL=str(folder / "bundle"),
    ) as running:
        yield running


def test_the_endpoint_stops_under_a_note_and_comes_back(visit, endpoint: FaultServer, elsewhere: Served) -> None:
    nurse = visit("en", at=elsewhere)
    nurse.open()
    ask(nurse, RASH)

    endpoint.behaviour = Behaviour(hang="middle")
    send(nurse, CHEST_PAIN)
    expect(answer(nurse).get_by_text(nurse.say("Reading the note…"))).to_be_visible()
    endpoint.stop_listening()
    expect(answer(nurse).get_by_text(nurse.say("No answer. Triage by hand, or try again."))).to_be_visible()
    nurse.rest()
    expect(box(nurse)).to_have_value(CHEST_PAIN)
    expect(level(nurse)).to_have_count(0)
    assert "127.0.0.1" not in answer(nurse).inner_text()
    assert CHEST_PAIN not in elsewhere.log.read_text(encoding="utf-8")

    endpoint.behaviour = Behaviour()
    endpoint.listen_again()
    nurse.button("Assess").click()
    expect(level(nurse)).to_be_visible()
    expect(box(nurse)).to_have_value(CHEST_PAIN)


def test_a_lost_connection_keeps_what_was_typed(visit, elsewhere: Served) -> None:
    nurse = visit("en", at=elsewhere)
    nurse.open()
    box(nurse).fill(RASH)
    nurse.page.context.set_offline(True)
    nurse.page.keyboard.press("Control+Enter")
    nurse.page.context.set_offline(False)
    expect(box(nurse)).to_have_value(RASH)
    nurse.rest()
    ask(nurse, RASH)
