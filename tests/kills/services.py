"""Server processes that a test kills and starts again at the same address."""

import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from core.settings import REPOSITORY


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Service:
    """A server process at a fixed port."""

    def __init__(self, command: Sequence[str], port: int) -> None:
        self._command, self.port = command, port
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        self._child = subprocess.Popen(
            self._command, cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError(f"{self._command[0]} did not start")

    def kill(self) -> None:
        """End it with SIGKILL."""
        if self._child:
            self._child.kill()
            self._child.wait()


def stand_in(delay: float) -> Service:
    """An embedding server that takes `delay` seconds a request."""
    port = free_port()
    return Service([sys.executable, "-m", "tests.fault_server", "--port", str(port), "--delay", str(delay)], port)


def redis(folder: Path) -> Service:
    """Debian's Redis, in memory only."""
    port = free_port()
    return Service(
        ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)], port
    )
