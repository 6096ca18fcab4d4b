"""What runs that are killed have around them: an endpoint, a cache, a bundle and a table."""

import csv
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from core.embedding.open import open_embedder
from core.model.train import train_bundle
from core.settings import Settings
from tests.conftest import SMALL_RECIPE
from tests.kills.services import Service, redis, stand_in

ROWS = 50_000


@pytest.fixture(scope="package")
def endpoint() -> Iterator[Service]:
    service = stand_in(0.05)
    service.start()
    yield service
    service.kill()


@pytest.fixture(scope="package")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    service = redis(tmp_path_factory.mktemp("redis"))
    service.start()
    yield service
    service.kill()


@pytest.fixture(scope="package")
def environment(
    endpoint: Service, cache: Service, small_table: Path, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, str]:
    """The environment of a desk at the stand-in, with a bundle of its space and Redis as cache."""
    folder = tmp_path_factory.mktemp("site")
    given = {
        "embedding_url": f"http://127.0.0.1:{endpoint.port}/v1",
        "embedding_model": "fault-model",
        "data_dir": str(folder / "data"),
    }
    with open_embedder(Settings(_env_file=None, cache_url="none", **given)) as embedder:  # type: ignore[arg-type]
        train_bundle([small_table], folder / "bundle", embedder, SMALL_RECIPE)
    given |= {"model": str(folder / "bundle"), "cache_url": f"redis://127.0.0.1:{cache.port}/0"}
    return os.environ | {f"TRIAGE_{name.upper()}": value for name, value in given.items()}


@pytest.fixture(scope="package")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """50,000 rows; every fifth text has been there before, every hundredth row is empty."""
    path = tmp_path_factory.mktemp("tables") / "notes.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text"])
        for number in range(ROWS):
            text = f'note {number // 5 * 5 if number % 5 == 4 else number} 咳嗽三天, cough "at" night'
            writer.writerow([number, "" if number % 100 == 99 else text])
    return path
