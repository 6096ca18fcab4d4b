import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from core.model.bundle import Bundle
from core.settings import REPOSITORY

OPENING = 60.0


def command(port: int) -> list[str]:
    return [sys.executable, "-m", "core.cli", "serve", "--port", str(port)]


def environment(**more: str) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(REPOSITORY)} | more


def wait_for(address: str, server: "subprocess.Popen[str]") -> str:
    """The page's HTML, once it is served."""
    deadline = time.monotonic() + OPENING
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - loopback
                return str(answer.read().decode())
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    raise AssertionError("the server did not open its page")


@pytest.fixture
def server(
    fresh_installation: Path, small_bundle: tuple[Path, Bundle], free_port: int
) -> Iterator["subprocess.Popen[str]"]:
    settings = environment(TRIAGE_MODEL=str(small_bundle[0]))
    with subprocess.Popen(
        command(free_port), env=settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as p:
        yield p
        p.kill()


def test_it_serves_on_loopback_refuses_a_busy_port_and_stops_what_it_started(
    server: "subprocess.Popen[str]", free_port: int
) -> None:
    assert "<title>" in wait_for(f"http://127.0.0.1:{free_port}/", server)
    process = psutil.Process(server.pid)
    assert {one.laddr.ip for one in process.net_connections("tcp") if one.status == "LISTEN"} == {"127.0.0.1"}

    with pytest.raises(InvalidStatus) as refused:  # a name of another site that leads here
        connect(f"ws://evil.example:{free_port}/_stcore/stream", address=("127.0.0.1", free_port), proxy=None)
    assert refused.value.response.status_code == 403

    second = subprocess.run(command(free_port), env=environment(), capture_output=True, text=True)
    assert (second.returncode, second.stdout) == (1, "")
    assert second.stderr.startswith(f"127.0.0.1:{free_port} can't be used")
    assert second.stderr.count("\n") == 1

    children = process.children(recursive=True)
    server.send_signal(signal.SIGTERM)
    said, failed = server.communicate(timeout=30)
    assert said.startswith(f"The desk is opening on http://127.0.0.1:{free_port}")
    assert re.fullmatch(r".*Rejecting WebSocket connection with disallowed Origin or Host header.*\n", failed)
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive


@pytest.mark.parametrize(
    ("setting", "value", "complaint"),
    [("LANGUAGE", "fr", "TRIAGE_LANGUAGE='fr'"), ("ACUITY_SCHEME", "zebra", "TRIAGE_ACUITY_SCHEME='zebra'")],
)
def test_a_wrong_setting_ends_with_2(
    fresh_installation: Path, free_port: int, setting: str, value: str, complaint: str
) -> None:
    settings = environment(**{f"TRIAGE_{setting}": value})
    done = subprocess.run(command(free_port), env=settings, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(complaint)


def test_an_address_that_is_none_is_one_line(fresh_installation: Path, free_port: int) -> None:
    done = subprocess.run(
        [*command(free_port), "--host", "no.such.host.invalid"],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
