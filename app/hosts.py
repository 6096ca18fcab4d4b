"""The names that the desk's pages are served under; one that leads here by somebody else's choice is refused."""

from urllib.parse import urlsplit

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def allowed_hosts(public_url: str | None) -> list[str]:
    """Names for Streamlit's `server.allowedHosts`: those of this machine, and the one that people use.

    Without them a page of another site whose own name is made to lead to 127.0.0.1 (DNS rebinding) could open the
    pages' WebSocket from a browser on this machine.

    Args:
        public_url: as people reach the desk; none: from this machine only.
    """
    host = urlsplit(public_url).hostname if public_url else None
    return [*LOOPBACK, *([host] if host and host not in LOOPBACK else [])]
