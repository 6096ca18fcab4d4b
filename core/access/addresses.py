"""Addresses that sign-in may use: HTTPS, or this machine's own, on which nobody listens in."""

import ipaddress
from urllib.parse import SplitResult, urlsplit

SAFE = "expected an https:// address, or http:// on this machine's own (127.0.0.1, localhost)"


def is_loopback(host: str) -> bool:
    """Whether a host's name or address is this machine's own."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def checked_address(url: str) -> str:
    """An address whose words nobody can read or change on their way.

    Raises:
        ValueError: it is none.
    """
    parts = _parts(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.fragment:
        raise ValueError(SAFE)
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError(SAFE)
    return url.strip()


def checked_origin(url: str) -> str:
    """Scheme, host and port alone, without a slash at the end.

    Raises:
        ValueError: it is no such address, or has a path.
    """
    parts = _parts(checked_address(url))
    if parts.path.strip("/") or parts.query:
        raise ValueError("expected only scheme, host and port, such as https://triage.example.org, without a path")
    usual = {"http": 80, "https": 443}[parts.scheme]  # browsers leave it out of what they call an origin
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port not in (None, usual) else "")


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url.strip())
        _ = parts.port
    except ValueError:
        raise ValueError(SAFE) from None
    return parts
