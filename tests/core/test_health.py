import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.embedding.client import Embedder
from core.embedding.embedded import MODEL
from core.embedding.open import open_embedder
from core.embedding.space import EmbeddingSpace
from core.errors import BundleCorrupt, EndpointTimeout, SpaceMismatch, TriageError
from core.health import (
    Kind,
    check_bundle,
    check_cache,
    check_embedding,
    check_records,
    settings_in_force,
)
from core.model.bundle import Bundle
from core.records.database import open_records
from core.settings import Settings


def settings(folder: Path, **given: object) -> Settings:
    return Settings(data_dir=folder, _env_file=None, **given)  # type: ignore[arg-type]


def raising(error: Exception) -> Embedder:
    raise error


def test_a_test_note_gets_its_vector(embedded: Embedder) -> None:
    found = check_embedding(lambda: embedded, timeout=60)
    assert found.trouble is None
    assert found.space is not None
    assert (found.space.model, found.space.dimension) == (MODEL, 384)
    assert found.seconds is not None
    assert found.seconds > 0


@pytest.fixture
def nobody(tmp_path: Path, free_port: int) -> Iterator[Embedder]:
    given = settings(tmp_path, embedding_url=f"http://nurse:secret@127.0.0.1:{free_port}/v1", embedding_timeout=2)
    with open_embedder(given, EmbeddingSpace("some-model", 384)) as embedder:
        yield embedder


def test_an_endpoint_that_is_not_there_is_told_without_its_password(nobody: Embedder, free_port: int) -> None:
    found = check_embedding(lambda: nobody, timeout=2)
    assert found.trouble is not None
    assert found.trouble.kind == "unreachable"
    assert found.seconds is None
    assert found.address == f"http://127.0.0.1:{free_port}/v1"
    assert "secret" not in found.trouble.message


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (SpaceMismatch("Another model."), "other space"),
        (BundleCorrupt("A file has changed."), "bundle"),
        (EndpointTimeout("Too late."), "late"),
        (TriageError("Something else."), "failed"),
    ],
)
def test_a_desk_that_can_t_be_opened_is_told_by_kind_and_in_its_own_words(error: TriageError, kind: Kind) -> None:
    found = check_embedding(lambda: raising(error))
    assert found.trouble is not None
    assert (found.trouble.kind, found.trouble.message) == (kind, str(error))


def test_what_nobody_expected_goes_to_the_log_by_its_type_alone(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "core.health"):
        found = check_embedding(lambda: raising(RuntimeError("words of a note")))
    assert found.trouble is not None
    assert (found.trouble.kind, found.trouble.message) == ("unexpected", "")
    assert "RuntimeError" in caplog.text
    assert "words of a note" not in caplog.text


def test_a_file_cache_gives_back_what_was_put_in(tmp_path: Path) -> None:
    found = check_cache(settings(tmp_path))
    assert (found.kind, found.address, found.trouble) == ("sqlite", "", None)
    assert found.seconds is not None


def test_a_cache_that_is_switched_off_is_no_trouble(tmp_path: Path) -> None:
    found = check_cache(settings(tmp_path, cache_url="none"))
    assert (found.kind, found.seconds, found.trouble) == ("none", None, None)


def test_a_cache_whose_file_can_t_be_made_does_not_keep(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where a folder is wanted")
    found = check_cache(settings(tmp_path, cache_url=f"sqlite:///{tmp_path / 'taken' / 'cache.sqlite'}"))
    assert found.trouble is not None
    assert found.trouble.kind == "not kept"


def test_a_redis_server_that_is_not_there_does_not_keep_and_its_password_is_not_shown(
    tmp_path: Path, free_port: int
) -> None:
    found = check_cache(settings(tmp_path, cache_url=f"redis://:secret@127.0.0.1:{free_port}/0"))
    assert (found.kind, found.address) == ("redis", f"127.0.0.1:{free_port}")
    assert found.trouble is not None
    assert found.trouble.kind == "not kept"


def test_records_that_can_be_read_are_well(tmp_path: Path) -> None:
    given = settings(tmp_path)
    records = open_records(given)
    try:
        found = check_records(given, lambda: records)
    finally:
        records.close()
    assert (found.kind, found.trouble) == ("sqlite", None)
    assert found.seconds is not None


def test_records_whose_database_can_t_be_opened_are_in_trouble(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where a folder is wanted")
    given = settings(tmp_path, database_url=f"sqlite:///{tmp_path / 'taken' / 'records.sqlite'}")
    found = check_records(given, lambda: open_records(given))
    assert found.trouble is not None
    assert found.trouble.kind == "records"


def test_a_bundle_whose_files_are_as_saved_is_whole(tmp_path: Path, small_bundle: tuple[Path, Bundle]) -> None:
    folder, bundle = small_bundle
    found = check_bundle(settings(tmp_path, model=folder))
    assert found.trouble is None
    assert found.reference == f"small/{bundle.manifest.version}"
    assert found.files == len(bundle.manifest.files)


def test_a_bundle_that_is_not_there_is_in_trouble(tmp_path: Path) -> None:
    found = check_bundle(settings(tmp_path, model=tmp_path / "nothing"))
    assert found.trouble is not None
    assert (found.reference, found.trouble.kind) == ("", "bundle")


def test_settings_are_told_with_where_they_come_from_and_without_secrets(tmp_path: Path) -> None:
    given = settings(
        tmp_path,
        embedding_url="https://nurse:hidden1@host:30000/v1, https://nurse:hidden6@other/v1/",
        embedding_api_key="hidden2",
        cache_url="redis://:hid#den3@cache:6379/0?password=hidden4",
        database_url="postgresql+psycopg://desk:hidden5@db/records",
    )
    found = {each.variable: each for each in settings_in_force(given)}
    assert len(found) == len(Settings.model_fields)
    assert found["TRIAGE_EMBEDDING_URL"].value == "https://host:30000/v1, https://other/v1"
    assert found["TRIAGE_CACHE_URL"].value == "redis://cache:6379/0"
    assert (found["TRIAGE_EMBEDDING_API_KEY"].value, found["TRIAGE_EMBEDDING_API_KEY"].secret) == ("set", True)
    assert (found["TRIAGE_DATABASE_URL"].value, found["TRIAGE_DATABASE_URL"].origin) == ("set", "set")
    assert (found["TRIAGE_EMBEDDING_CONCURRENCY"].value, found["TRIAGE_EMBEDDING_CONCURRENCY"].origin) == (
        "8",
        "default",
    )
    assert found["TRIAGE_MODEL"].value is None
    assert "hid" not in str(found.values())


def test_a_secret_that_is_not_set_is_told_as_none(tmp_path: Path) -> None:
    found = {each.variable: each for each in settings_in_force(settings(tmp_path))}
    assert found["TRIAGE_EMBEDDING_API_KEY"].value is None
    assert found["TRIAGE_EMBEDDING_API_KEY"].secret
