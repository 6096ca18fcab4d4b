"""A real desk behind a real nginx."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.settings import REPOSITORY
from tests.conftest import unused_port
from tests.deploy.nginx import MISSING, NGINX, Nginx, nginx

OPENING = 90.0


@contextmanager
def desk_process(folder: Path, port: int, **settings: str) -> Iterator["subprocess.Popen[bytes]"]:
    """`python -m app.server` with a data folder of its own; stopped with SIGTERM."""
    folder.mkdir(parents=True, exist_ok=True)
    foreign = {name: value for name, value in os.environ.items() if not name.startswith("TRIAGE_")}
    own = {"PYTHONPATH": str(REPOSITORY), "TRIAGE_DATA_DIR": str(folder / "data"), "TRIAGE_EMBEDDING_TIMEOUT": "60"}
    with (folder / "desk.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "app.server", "--port", str(port)],
            cwd=folder, env=foreign | own | settings, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            _wait(f"http://127.0.0.1:{port}/readyz", process, folder / "desk.log")
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise


def _wait(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + OPENING
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310 - loopback
                return
        except OSError:
            assert process.poll() is None and time.monotonic() < end, log.read_text(encoding="utf-8")
            time.sleep(0.1)


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    """nginx with short time-outs, before a desk that nobody signs in at, since it listens on this machine only."""
    if NGINX is None:
        pytest.skip(MISSING)
    folder, port = tmp_path_factory.mktemp("behind"), unused_port()
    with (
        nginx(folder / "nginx", desk=port, header_timeout="2s") as running,
        desk_process(folder, port),
    ):
        yield running
