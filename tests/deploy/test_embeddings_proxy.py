"""What of SGLang can be reached through nginx: embeddings, and nothing that stops the server."""

import json
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from core.embedding.contract import check_endpoint
from core.settings import Settings
from tests.deploy.nginx import MISSING, NGINX, Nginx, nginx
from tests.fault_server import FaultServer

pytestmark = [pytest.mark.slow, pytest.mark.skipif(NGINX is None, reason=MISSING)]


class StandIn(ThreadingHTTPServer):
    """Answers whatever it is asked with 200, and remembers it.

    Attributes:
        asked: method and address as they came.
    """

    daemon_threads = True

    def __init__(self) -> None:
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), _Answer)


class _Answer(BaseHTTPRequestHandler):
    def _answer(self) -> None:
        assert isinstance(self.server, StandIn)
        self.server.asked.append(f"{self.command} {self.path}")
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_GET = do_POST = do_PUT = do_DELETE = do_OPTIONS = do_HEAD = do_PATCH = _answer

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def sglang() -> Iterator[StandIn]:
    with StandIn() as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def front(sglang: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    with nginx(tmp_path_factory.mktemp("front"), desk=1, sglang=sglang.server_port) as running:
        yield running


def ask(front: Nginx, method: str, path: str, body: bytes | None = None) -> int:
    with closing(HTTPConnection("127.0.0.1", front.embeddings, timeout=10)) as to:
        to.request(method, path, body, {"Content-Type": "application/json"})
        answer = to.getresponse()
        answer.read()
        return answer.status


@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/embeddings"), ("GET", "/v1/models"), ("GET", "/ready")])
def test_what_the_desk_needs_is_passed_on(front: Nginx, sglang: StandIn, method: str, path: str) -> None:
    sglang.asked.clear()
    assert ask(front, method, path, b"{}" if method == "POST" else None) == 200
    assert sglang.asked == [f"{method} {path}"]


@pytest.mark.parametrize(
    "path",
    ["/generate", "/v1/chat/completions", "/v1/completions", "/v1/tokenize", "/v1/loads", "/model_info", "/metrics",
     "/health", "/health_generate", "/flush_cache", "/update_weights_from_disk", "/start_profile", "/", "/docs",
     "/openapi.json", "/v1/embeddings/", "/v1/embeddings/../chat/completions", "/v1/embeddings/..%2f..%2fgenerate",
     "/v1/%2e%2e/generate", "/generate;/v1/embeddings", "//generate", "/V1/EMBEDDINGS", "/v1/embeddings%00"],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nothing_else_reaches_it(front: Nginx, sglang: StandIn, method: str, path: str) -> None:
    sglang.asked.clear()
    assert ask(front, method, path, b"{}" if method == "POST" else None) in (400, 403, 404)
    assert sglang.asked == []


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_embeddings_take_no_other_method(front: Nginx, sglang: StandIn, method: str) -> None:
    sglang.asked.clear()
    assert ask(front, method, "/v1/embeddings") == 403
    assert sglang.asked == []


@pytest.mark.parametrize("path", ["/generate/../v1/embeddings", "//v1/embeddings", "/v1/%65mbeddings"])
def test_another_spelling_of_the_address_arrives_as_the_address(front: Nginx, sglang: StandIn, path: str) -> None:
    sglang.asked.clear()
    assert ask(front, "POST", path, json.dumps({"input": "x"}).encode()) == 200
    assert sglang.asked == ["POST /v1/embeddings"]


def test_an_endpoint_keeps_its_contract_behind_it(tmp_path: Path) -> None:
    with FaultServer() as endpoint, nginx(tmp_path, desk=1, sglang=endpoint.port) as front:
        url = f"http://127.0.0.1:{front.embeddings}/v1"
        settings = Settings(
            embedding_url=url, embedding_model=endpoint.model, data_dir=tmp_path / "data", cache_url="none",
            _env_file=None,
        )  # fmt: skip
        report = check_endpoint(settings)
        assert report.passed, [check for check in report.checks if not check.passed]
