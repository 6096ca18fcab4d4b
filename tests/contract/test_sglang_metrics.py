"""What dashboards and alerts read of SGLang and its router is what the real ones tell."""

import urllib.request

import pytest

from tests.contract.servers import NOT_SET_UP, SET_UP, Router, SGLang
from tests.deploy.queries import of_alerts, of_dashboards

pytestmark = [pytest.mark.sglang, pytest.mark.skipif(not SET_UP, reason=NOT_SET_UP)]


def test_every_name_that_is_read_is_told() -> None:
    with SGLang("--enable-metrics") as server, Router(server) as router:
        body = b'{"model": "m", "input": ["chest pain"]}'
        asked = urllib.request.Request(f"{router.url}/embeddings", body, {"Content-Type": "application/json"})  # noqa: S310
        with urllib.request.urlopen(asked, timeout=60) as answer:  # noqa: S310
            assert answer.status == 200
        told = server.get("/metrics") + router.metrics()
    read = {name for query in (*of_dashboards(), *of_alerts()) for name in query.metrics}
    others = {name for name in read if name.startswith(("sglang:", "smg_"))}
    assert len(others) > 10
    assert not [name for name in others if f"\n{name}{{" not in f"\n{told}"]
