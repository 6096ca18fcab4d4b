"""Names that several modules of the API share: addresses, media types, the id of the request at hand."""

import re
import secrets
from contextvars import ContextVar

API, V1, FHIR, CDS = "/api", "/api/v1", "/api/v1/fhir", "/cds-services"
HEALTHZ, READYZ, METRICS = PROBES = "/healthz", "/readyz", "/metrics"
PROBLEM_JSON, FHIR_JSON = "application/problem+json", "application/fhir+json"
REQUEST_ID = "X-Request-ID"
_SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")

request_id: ContextVar[str] = ContextVar("request_id", default="")
asked_by: ContextVar[list[str] | None] = ContextVar("asked_by", default=None)


def sane_id(given: str | None) -> str:
    """The id that a client gave, where it is one that a log can hold; else a new one."""
    return given if given and _SANE.fullmatch(given) else secrets.token_hex(16)


def is_api(path: str) -> bool:
    """Whether an address belongs to the API, and not to the pages."""
    return path in PROBES or any(path == place or path.startswith(f"{place}/") for place in (API, CDS))
