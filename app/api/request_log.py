"""The log of the server: a line a request, each line with the request's id. No line holds a note's text."""

import logging
import sys

from app.api.names import request_id

FORM = "%(asctime)s %(levelname)s %(name)s [%(request)s] %(message)s"


class _WithRequest(logging.Filter):
    """Puts the id of the request at hand on a line."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep the line."""
        record.request = request_id.get() or "-"
        return True


def open_log() -> None:
    """Write the desk's own lines to standard error: warnings of everything, and each request of the API."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_WithRequest())
    handler.setFormatter(logging.Formatter(FORM))
    for name in ("app", "core"):
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.setLevel(logging.WARNING)
        logger.propagate = False
    logging.getLogger("app.api").setLevel(logging.INFO)
