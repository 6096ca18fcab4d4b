"""What the embedding tests share: a fault server, and a client of it without waits between attempts."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.embedding.client import Embedder
from core.embedding.open import open_embedder
from core.settings import Settings
from tests.fault_server import FaultServer


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running


@pytest.fixture
def settings(server: FaultServer, tmp_path: Path) -> Settings:
    return Settings(_env_file=None, embedding_url=server.url, embedding_timeout=5, cache_url="none", data_dir=tmp_path)


@pytest.fixture
def open_client(settings: Settings) -> Iterator[Callable[..., Embedder]]:
    opened: list[Embedder] = []

    def open_one(**changes: object) -> Embedder:
        opened.append(open_embedder(settings.model_copy(update=changes)))
        return opened[-1]

    yield open_one
    for embedder in opened:
        embedder.close()
