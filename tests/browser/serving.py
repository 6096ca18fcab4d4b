"""`triage serve` with a port and a data folder of its own, and a browser to see it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError

from playwright.sync_api import Browser, sync_playwright

from core.settings import REPOSITORY

OPENING = 90.0
STOPPING = 30.0
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
# Root has no sandbox; the map needs WebGL where there is no graphics card.
ARGUMENTS = ("--no-sandbox", "--disable-dev-shm-usage", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")


@dataclass(frozen=True, slots=True)
class Served:
    """A desk that is being served.

    Attributes:
        address: of its start page, without a slash at the end.
        folder: its data folder.
        log: what it has written on both of its streams.
        pid: of its process.
    """

    address: str
    folder: Path
    log: Path
    pid: int


def port_nobody_uses() -> int:
    """A port of this machine on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def desk_served(folder: Path, port: int | None = None, **settings: str) -> Iterator[Served]:
    """`triage serve` under `folder`, with settings such as `TRIAGE_MODEL="…"`; stopped with SIGTERM at the end.

    Without a `port` it takes one that nobody uses.

    Raises:
        AssertionError: it did not open, or did not stop when asked.
    """
    port = port or port_nobody_uses()
    own = {"PYTHONPATH": str(REPOSITORY), "TRIAGE_DATA_DIR": str(folder / "data"), "TRIAGE_EMBEDDING_TIMEOUT": "30"}
    command = [sys.executable, "-P", "-m", "core.cli", "serve", "--port", str(port)]
    with served_by(command, port, folder, own | settings) as served:
        yield served


@contextmanager
def served_by(command: list[str], port: int, folder: Path, settings: dict[str, str]) -> Iterator[Served]:
    """Whatever Streamlit server a command starts on a port, run in `folder`, where its log is kept too."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "server.log"
    foreign = {name: value for name, value in os.environ.items() if not name.startswith("TRIAGE_")}
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, env=foreign | settings, stdout=output, stderr=output)
        try:
            _wait_until_open(f"http://127.0.0.1:{port}/_stcore/health", process, log)
            yield Served(f"http://127.0.0.1:{port}", folder / "data", log, process.pid)
        finally:
            _stop(process)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOPPING)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise AssertionError("the server did not stop when asked") from None


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


def _wait_until_open(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + OPENING
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310 - loopback
                return
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise AssertionError(f"the server did not open: {log.read_text(encoding='utf-8', errors='replace')[-2000:]}")
