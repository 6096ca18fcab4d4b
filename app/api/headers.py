"""Headers on every answer, pages included, that keep a browser from doing what nobody meant."""

from collections.abc import Mapping

# What Streamlit's pages need beyond themselves: styles and scripts that they write into the page, code compiled at run
# time (charts, and components, which come as `blob:` modules), workers and pictures made in the browser. Nothing comes
# from another host.
_PAGE_POLICY = {
    "default-src": "'self'",
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval' blob:",
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
