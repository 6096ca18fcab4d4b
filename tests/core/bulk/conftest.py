"""A Ray cluster of two nodes, and an endpoint and a desk whose settings its workers can use."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.embedding.open import open_embedder
from core.model.train import train_bundle
from core.settings import Settings
from core.triage import TriageDesk
from tests.conftest import SMALL_RECIPE
from tests.fault_server import FaultServer


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """Two worker nodes with a core each; the head has none."""
    import ray
    from ray.cluster_utils import Cluster

    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    for _ in range(2):
        nodes.add_node(num_cpus=1)
    nodes.wait_for_nodes()
    os.environ["RAY_ADDRESS"] = nodes.address
    yield nodes.address
    ray.shutdown()
    nodes.shutdown()
    del os.environ["RAY_ADDRESS"]


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer(delay=0.05) as running:
        yield running


@pytest.fixture(scope="module")
def settings(server: FaultServer, small_table: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("ray")
    found = Settings(
        embedding_url=server.url,
        embedding_model=server.model,
        embedding_concurrency=3,
        data_dir=folder,
        cache_url="none",
        _env_file=None,
    )
    with open_embedder(found) as embedder:
        train_bundle([small_table], folder / "bundle", embedder, SMALL_RECIPE)
    return found.model_copy(update={"model": folder / "bundle"})


@pytest.fixture(scope="module")
def desk(settings: Settings) -> Iterator[TriageDesk]:
    with TriageDesk.open(settings) as opened:
        yield opened
