"""The real server: keys from the command line while it runs, its log, and its end while notes are under way."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from app.sockets import send_at_once
from core.model.bundle import Bundle
from core.settings import REPOSITORY

pytestmark = pytest.mark.slow
OPENING = 90.0
CANARY = "canary-phrase-4711"
LONG = "She has had a cough and fever for three days and feels weak. " * 30


@dataclass(frozen=True, slots=True)
class Running:
    """A server under test."""

    port: int
    process: "subprocess.Popen[bytes]"
    log: Path
    environment: dict[str, str]

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        key: str = "",
        connection: http.client.HTTPConnection | None = None,
    ) -> tuple[int, dict[str, str], bytes]:
        to = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
        to.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = to.getresponse()
        content = answer.read()
        if connection is None:
            to.close()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, content

    def command(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "core.cli", *words], env=self.environment, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()


@pytest.fixture
def running(fresh_installation: Path, small_bundle: tuple[Path, Bundle], free_port: int) -> Iterator[Running]:
    environment = os.environ | {
        "PYTHONPATH": str(REPOSITORY),
        "TRIAGE_MODEL": str(small_bundle[0]),
        "TRIAGE_EMBEDDING_TIMEOUT": "60",
        "TRIAGE_API_NOTES_PER_MINUTE": "10000",
    }
    log = fresh_installation / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "core.cli", "serve", "--port", str(free_port)],
            env=environment, stdout=output, stderr=output,
        )  # fmt: skip
    found = Running(free_port, process, log, environment)
    deadline = time.monotonic() + OPENING
    while True:
        try:
            if found.ask("GET", "/readyz")[0] == 200:
                break
        except OSError:
            pass
        assert time.monotonic() < deadline and process.poll() is None, log.read_text()
        time.sleep(0.2)
    yield found
    if process.poll() is None:
        process.kill()
    process.wait()


def test_keys_come_and_go_while_it_runs(running: Running) -> None:
    assert b"No key was ever made" in running.log.read_bytes()
    assert running.ask("POST", "/api/v1/assess", {"text": f"咽痛两天 {CANARY}"})[0] == 200
    key = running.command("keys", "create", "ward", "--scope", "assess")
    assert running.ask("POST", "/api/v1/assess", {"text": "咽痛"})[0] == 401
    status, headers, body = running.ask("POST", "/api/v1/assess", {"text": f"咽痛 {CANARY}"}, key)
    assert (status, headers["cache-control"]) == (200, "no-store")
    assert json.loads(body)["model"]["bundle"] == "small"
    assert running.ask("GET", "/cds-services", key=key)[0] == 403
    assert "ward" in running.command("keys", "list")
    running.command("keys", "revoke", key.split("_")[1])
    assert running.ask("POST", "/api/v1/assess", {"text": "咽痛"}, key)[0] == 401

    assert running.ask("GET", "/api/nope")[1]["content-type"] == "application/problem+json"
    status, headers, page = running.ask("GET", "/quality")
    assert (status, headers["x-frame-options"]) == (200, "DENY")
    assert b"<title>" in page
    status, _, _ = running.ask("POST", "/api/v1/assess", {"text": CANARY, CANARY: 1}, key)
    assert status == 401

    log = running.log.read_text()
    assert headers["x-request-id"] != ""
    assert '"route": "/api/v1/assess", "status": 200' in log
    assert '"key": "ward"' in log
    assert CANARY not in log
    assert key.rpartition("_")[2] not in log


def test_the_examples_of_the_documentation_run(running: Running, tmp_path: Path) -> None:
    document = (REPOSITORY / "docs" / "api.md").read_text(encoding="utf-8")
    script = "\n".join(re.findall(r"^```bash\n(.*?)^```", document, re.MULTILINE | re.DOTALL))
    script = script.replace("http://127.0.0.1:8501", f"http://127.0.0.1:{running.port}")
    script = script.replace("triage keys", f"{sys.executable} -m core.cli keys").replace(
        "curl -sS ", "curl -sS --fail-with-body "
    )
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path, env=running.environment, capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"assessments"' in done.stdout
    assert '"RiskAssessment"' in done.stdout
    assert "needs_review" in (tmp_path / "result.csv").read_text(encoding="utf-8-sig")


def test_it_ends_calmly_while_notes_are_under_way(running: Running) -> None:
    kept = http.client.HTTPConnection("127.0.0.1", running.port, timeout=60)
    assert running.ask("GET", "/healthz", connection=kept)[0] == 200
    begun = threading.Barrier(9)

    def one(number: int) -> int:
        begun.wait()
        return running.ask("POST", "/api/v1/assess", {"notes": [{"text": f"{LONG} {number} {i}"} for i in range(6)]})[0]

    children = psutil.Process(running.process.pid).children(recursive=True)
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(one, number) for number in range(8)]
        begun.wait()
        time.sleep(1.0)
        assert not all(answer.done() for answer in answers), "the machine is too fast for this test"
        running.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        status, _, body = running.ask("GET", "/readyz", connection=kept)
        assert (status, json.loads(body)["status"]) == (503, "stopping")
    told = sorted({answer.result() for answer in answers})
    assert told == [200]
    assert running.process.wait(30) in (0, -signal.SIGTERM)
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive
    assert "Traceback" not in running.log.read_text()


def test_what_comes_while_it_ends_is_told_to_come_again(running: Running) -> None:
    kept = http.client.HTTPConnection("127.0.0.1", running.port, timeout=60)
    assert running.ask("GET", "/healthz", connection=kept)[0] == 200
    with ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(
            running.ask, "POST", "/api/v1/assess", {"notes": [{"text": f"{LONG} {number}"} for number in range(24)]}
        )
        time.sleep(0.5)
        running.process.send_signal(signal.SIGTERM)
        time.sleep(0.1)
        status, headers, body = running.ask("POST", "/api/v1/assess", {"text": "咽痛"}, connection=kept)
        assert (status, headers["retry-after"]) == (503, "10")
        assert json.loads(body)["type"] == "urn:triage-desk:problem:stopping"
        assert under_way.result()[0] == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])  # noqa: S104 - it must be refused
def test_no_other_machine_is_served(fresh_installation: Path, free_port: int, host: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "core.cli", "serve", "--host", host, "--port", str(free_port)],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert "can be reached from other machines" in done.stderr
    assert "TRIAGE_OIDC_METADATA_URL" in done.stderr


def test_answers_leave_at_once() -> None:
    with socket.socket(socket.AF_INET) as listening:  # as Streamlit opens it
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        assert send_at_once(listening.getsockname()[1])
        with socket.create_connection(listening.getsockname()):
            accepted, _ = listening.accept()
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            accepted.close()
    assert not send_at_once(1)
