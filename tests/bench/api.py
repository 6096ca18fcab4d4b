"""`POST /api/v1/assess`: what it adds to the bare call of the endpoint, and the rate that many clients reach.

The server, the stand-in and the clients are processes of their own, as at a site.
"""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from urllib.error import URLError

import openai

from core.settings import Settings
from tests.bench.notes import unique_texts
from tests.bench.rates import DELAY, SLOTS, timed
from tests.bench.servers import MODEL, ROOT, environment, stand_in, stand_in_settings

OPENING = 60.0
CLIENTS = 16
REPETITIONS = 3
ANY_NUMBER = "1000000"


def adds(folder: Path, scale: float) -> dict[str, Any]:
    """Median milliseconds of `/api/v1/assess` and of the bare call, interleaved, on the stand-in."""
    notes = max(20, int(200 * scale))
    ours: list[float] = []
    bare: list[float] = []
    with stand_in(DELAY, SLOTS) as url:
        settings = stand_in_settings(folder, url)
        with served(settings) as port, openai.OpenAI(base_url=url, api_key="none", max_retries=0) as client:
            connection = http.client.HTTPConnection("127.0.0.1", port)
            client.embeddings.create(model=MODEL, input=["warm"])
            for text in unique_texts(10):
                ask(connection, text)
            for text in unique_texts(notes):
                bare.append(timed(lambda text=text: client.embeddings.create(model=MODEL, input=[text + " a"])))
                ours.append(timed(lambda text=text: ask(connection, text + " b")))
    return {
        "bench": "api_assess_adds",
        "ratio": round(median(ours) / median(bare), 3),
        "added_ms": round(1000 * (median(ours) - median(bare)), 2),
        "added_ms_median_of_pairs": round(1000 * median(a - b for a, b in zip(ours, bare, strict=True)), 2),
        "wanted": "added_ms <= 5",
        "api_ms": round(1000 * median(ours), 2),
        "bare_ms": round(1000 * median(bare), 2),
        "notes": notes,
    }


def rate(folder: Path, scale: float) -> dict[str, Any]:
    """Notes a second of 16 clients of the API, against the same clients at the endpoint itself, interleaved."""
    notes = max(CLIENTS * 10, int(1600 * scale))
    with stand_in(DELAY, SLOTS) as url:
        settings = stand_in_settings(folder, url)
        with served(settings) as port:
            at_api = f"http://127.0.0.1:{port}/api/v1/assess"
            clients(at_api, CLIENTS * 4)  # connections of the desk, and its first answers
            bare: list[float] = []
            ours: list[float] = []
            for _ in range(REPETITIONS):
                bare.append(notes / clients(f"{url}/embeddings", notes))
                ours.append(notes / clients(at_api, notes))
    return {
        "bench": "api_rate",
        "ratio": round(median(mine / other for mine, other in zip(ours, bare, strict=True)), 3),
        "wanted": ">= 0.9",
        "notes": notes,
        "clients": CLIENTS,
        "api_per_second": [round(each, 1) for each in ours],
        "endpoint_per_second": [round(each, 1) for each in bare],
    }


@contextmanager
def served(settings: Settings) -> Iterator[int]:
    """The server with these settings, in a process of its own; gives its port."""
    with serving(settings) as (port, _):
        yield port


@contextmanager
def serving(settings: Settings, more: Callable[[str], Mapping[str, str]] = lambda _: {}) -> Iterator[tuple[int, int]]:
    """The same; gives its port and the id of its process. `more` gives further variables for the server's address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    allowed = {"TRIAGE_API_NOTES_PER_MINUTE": ANY_NUMBER}
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "app.server", "--port", str(port)],
        env=environment(settings) | allowed | more(f"http://127.0.0.1:{port}"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            _wait_until_ready(port)
            yield port, process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def ask(connection: http.client.HTTPConnection, text: str) -> None:
    """One note, answered."""
    connection.request("POST", "/api/v1/assess", json.dumps({"text": text}), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    assert b'"tasks"' in answer.read(), answer.status


def clients(url: str, notes: int) -> float:
    """Seconds that 16 clients, in a process of their own, take for so many notes."""
    command = [sys.executable, "-m", "tests.bench.api", url, str(notes)]
    done = subprocess.run(command, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, check=True)
    return float(done.stdout)


def _wait_until_ready(port: int) -> None:
    deadline = time.monotonic() + OPENING
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
                return
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    raise RuntimeError("the server did not become ready")


def _seconds(url: str, texts: Sequence[str]) -> float:
    """How long 16 threads take to have every text answered at a URL: the endpoint's own or the API's."""
    host, _, path = url.removeprefix("http://").partition("/")
    is_bare = path.endswith("embeddings")

    def one(part: Sequence[str]) -> None:
        connection = http.client.HTTPConnection(host)
        for text in part:
            body = {"model": MODEL, "input": [text], "encoding_format": "base64"} if is_bare else {"text": text}
            connection.request("POST", f"/{path}", json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            content = answer.read()
            assert answer.status == 200, content[:300]
        connection.close()

    started = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(one, [texts[start::CLIENTS] for start in range(CLIENTS)]))
    return time.perf_counter() - started


if __name__ == "__main__":
    print(_seconds(sys.argv[1], unique_texts(int(sys.argv[2]))))  # noqa: T201 - read by `clients`
