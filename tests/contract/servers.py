"""The real SGLang server and the real sglang-router, each a process of its own on loopback.

`TRIAGE_TEST_SGLANG_PYTHON` names the interpreter that has both, `TRIAGE_TEST_SGLANG_MODEL` the folder of a tiny model
whose vectors mean nothing but whose wire is real.
"""

import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from typing import ClassVar, Self

import psutil

PYTHON, MODEL = os.environ.get("TRIAGE_TEST_SGLANG_PYTHON"), os.environ.get("TRIAGE_TEST_SGLANG_MODEL")
SET_UP = bool(PYTHON and MODEL)
NOT_SET_UP = "SGLang is not set up: `make test-sglang` sets it up, or set its two variables"
MODEL_NAME = "Qwen/Qwen3-Embedding-0.6B"
MAX_TOKENS = 200  # the tiny model reads 1,024, and its 500-word tokenizer takes three for a Chinese character
START = 180  # seconds that a start may take on a busy machine
PRIORITY = ("--enable-priority-scheduling", "--max-running-requests", "8")


class Server:
    """A process that serves HTTP on a port of its own, and that can be killed and brought back.

    Attributes:
        url: the base URL of its `/v1`.
    """

    ready = "/ready"
    environment: ClassVar[dict[str, str]] = {}

    def __init__(self, *command: str) -> None:
        self._port = free_port()
        self._command = [str(PYTHON), "-W", "ignore", "-m", *command, "--host", "127.0.0.1", "--port", str(self._port)]
        self.url = f"http://127.0.0.1:{self._port}/v1"
        self._log = tempfile.TemporaryFile()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def root(self) -> str:
        """Its address without `/v1`."""
        return self.url.removesuffix("/v1")

    @property
    def running(self) -> bool:
        """Whether its process lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the server; `wait_ready` tells when it answers."""
        self._process = subprocess.Popen(
            self._command, env={**os.environ, **self.environment}, stdout=self._log, stderr=subprocess.STDOUT
        )

    def wait_ready(self) -> None:
        """Return when the server answers."""
        end = time.monotonic() + START
        while self.running and time.monotonic() < end:
            try:
                self.get(self.ready)
            except OSError:  # urllib's errors are of this kind
                time.sleep(0.5)
            else:
                return
        raise AssertionError(f"{self._command[4]} did not start")

    def get(self, path: str) -> str:
        """What it answers to a GET."""
        with urllib.request.urlopen(f"{self.root}{path}", timeout=5) as answer:  # noqa: S310
            return str(answer.read().decode())

    def kill(self) -> None:
        """SIGKILL the server and the processes that it started."""
        if self._process is None:
            return
        family = []
        if self.running:
            parent = psutil.Process(self._process.pid)
            family = [*parent.children(recursive=True), parent]
        for process in family:
            process.send_signal(signal.SIGKILL)
        self._process.wait()
        psutil.wait_procs(family, timeout=10)
        self._process = None

    def close(self) -> None:
        """Kill it and let go of its log."""
        self.kill()
        self._log.close()

    def __enter__(self) -> Self:
        self.start()
        try:
            self.wait_ready()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class SGLang(Server):
    """A real SGLang server with the tiny model.

    Args:
        flags: of its command line, beside those that a processor needs.
        key: what it asks of its clients; none: nothing.
    """

    # One thread: several wait for each other where clients and other servers share the cores.
    environment: ClassVar[dict[str, str]] = {
        "SGLANG_USE_CPU_ENGINE": "1",
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
    }

    def __init__(self, *flags: str, key: str | None = None) -> None:
        processor = "--is-embedding --device cpu --attention-backend torch_native --max-total-tokens 65536".split()
        guard = ["--api-key", key] if key else []
        super().__init__("sglang.launch_server", "--model-path", str(MODEL), *processor, *guard, *flags)

    def texts_answered(self) -> int:
        """How many texts it has embedded since it was started; it has to have `--enable-metrics`."""
        return int(total(self.get("/metrics"), "sglang:num_requests_total"))

    def texts_queued(self) -> int:
        """How many texts wait in it."""
        return int(total(self.get("/metrics"), "sglang:num_queue_reqs"))


class Router(Server):
    """A real sglang-router in front of servers."""

    ready = "/readiness"

    def __init__(self, *workers: Server, policy: str = "round_robin") -> None:
        # SGLang's `/health` stands in the queue behind a table's notes; `/ready` answers at once.
        health = "--health-check-endpoint /ready --health-check-interval-secs 2 --health-failure-threshold 1".split()
        self._metrics_port = free_port()
        metrics = ["--prometheus-host", "127.0.0.1", "--prometheus-port", str(self._metrics_port)]
        roots = [worker.root for worker in workers]
        super().__init__("sglang_router.launch_router", "--policy", policy, *health, *metrics, "--worker-urls", *roots)

    def metrics(self) -> str:
        """What it tells at its port for Prometheus."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._metrics_port}/metrics", timeout=5) as answer:
            return str(answer.read().decode())


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def total(metrics: str, name: str) -> float:
    """The sum of a metric over its labels, in Prometheus' text form."""
    lines = [line for line in metrics.splitlines() if line.startswith((f"{name}{{", f"{name} "))]
    return sum(float(line.rpartition(" ")[2]) for line in lines)
