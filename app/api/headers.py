"""Headers on every answer, pages included, that keep a browser from doing what nobody meant."""

import base64
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

import streamlit

_INLINE = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


def _inline_scripts() -> str:
    """Hashes of the scripts that stand in Streamlit's page itself, so that no other one there is run."""
    page = (Path(streamlit.__file__).parent / "static" / "index.html").read_bytes()
    hashes = (base64.b64encode(hashlib.sha256(script).digest()).decode() for script in _INLINE.findall(page))
    return " ".join(f"'sha256-{each}'" for each in hashes)


# What Streamlit's pages need beyond their own files, seen in the browser: styles that they write into the page, modules
# made of components' code (`blob:`), code that plotly compiles to draw on the graphics card ('unsafe-eval'), fonts and
# pictures within styles. Nothing comes from another host.
_PAGE_POLICY = {
    "default-src": "'self'",
    "script-src": f"'self' 'unsafe-eval' blob: {_inline_scripts()}".strip(),
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "media-src": "'self' data: blob:",
    "connect-src": "'self'",
    "worker-src": "'self' blob:",
    "frame-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
API_POLICY = "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_NOT_NEEDED = ("accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "magnetometer", "microphone",
               "midi", "payment", "serial", "usb", "xr-spatial-tracking")  # fmt: skip
EVERYWHERE: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",  # for browsers that know no frame-ancestors
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in _NOT_NEEDED),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
ON_PAGES: Mapping[str, str] = {
    **EVERYWHERE,
    "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in _PAGE_POLICY.items()),
}
ON_API: Mapping[str, str] = {**EVERYWHERE, "Content-Security-Policy": API_POLICY, "Cache-Control": "no-store"}
