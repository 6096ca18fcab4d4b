"""Lines of the log: one JSON object each, with the request's id, and with nothing that an exception says."""

import asyncio
import io
import json
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from core.errors import EndpointTimeout
from core.telemetry.logs import bound, open_log

CANARY = "Mrs Wang has had chest pain since noon"


class Log(io.StringIO):
    """What was written."""

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


@pytest.fixture
def log() -> Iterator[Log]:
    """A log of JSON; what was set up before comes back."""
    root, hooks, shown = logging.getLogger(), (sys.excepthook, threading.excepthook), warnings.showwarning
    handlers, levels = (
        root.handlers[:],
        {name: logging.getLogger(name).level for name in (None, "app", "core", "app.api")},
    )
    for handler in handlers:
        root.removeHandler(handler)
    found = Log()
    open_log(None, found)
    yield found
    logging.captureWarnings(False)
    warnings.showwarning = shown
    root.handlers[:] = handlers
    sys.excepthook, threading.excepthook = hooks
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def test_a_line_is_an_object_with_time_level_logger_and_request(log: Log) -> None:
    with bound(request_id="4711"):
        logging.getLogger("core.records").warning("records: %s", "locked")
    logging.getLogger("core.records").info("not told")
    (line,) = log.lines
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "records: locked", "level": "warning", "logger": "core.records", "request_id": "4711"}


def test_an_exception_is_told_by_its_class_and_its_way_alone(log: Log) -> None:
    def fail() -> None:
        raise ValueError(CANARY)

    for name in ("uvicorn.error", "app.page", "streamlit.runtime"):
        try:
            fail()
        except ValueError:
            logging.getLogger(name).exception("Exception in ASGI application\n")
    assert [line["error"] for line in log.lines] == ["ValueError"] * 3
    assert all("fail" in line["where"][-1] for line in log.lines)
    assert CANARY not in log.getvalue()


def test_an_exception_within_a_message_is_only_its_class_unless_it_is_the_desks_own(log: Log) -> None:
    logging.getLogger("websockets.server").error("failed: %s", ValueError(CANARY))
    logging.getLogger("app").error("failed: %s", ValueError(CANARY))
    logging.getLogger("app").error("failed: %s", EndpointTimeout("No answer in time."))
    assert [line["event"] for line in log.lines] == [
        "failed: ValueError",
        "failed: ValueError",
        "failed: No answer in time.",
    ]


def test_a_task_whose_error_nobody_took_is_told_without_what_it_says(log: Log) -> None:
    async def forgotten() -> None:
        async def fail() -> None:
            raise ValueError(CANARY)

        loop = asyncio.get_running_loop()
        task = loop.create_task(fail())
        await asyncio.sleep(0.01)
        loop.call_exception_handler(
            {"message": "Task exception was never retrieved", "exception": task.exception(), "future": task}
        )

    asyncio.run(forgotten())
    assert log.lines[0]["event"] == "Task exception was never retrieved"
    assert CANARY not in log.getvalue()


def test_what_nothing_caught_and_warnings_are_lines_as_all_others(log: Log) -> None:
    def fail() -> None:
        raise ValueError(CANARY)

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    warnings.showwarning(UserWarning(CANARY), UserWarning, "library.py", 12)
    caught, warned = log.lines
    assert (caught["level"], caught["error"]) == ("critical", "ValueError")
    assert warned["event"] == "library.py:12: UserWarning"
    assert CANARY not in log.getvalue()


def test_on_demand_the_same_is_written_for_people(log: Log) -> None:
    open_log("text", log)
    logging.getLogger("app.api").info("request", extra={"route": "/api/v1/assess", "status": 200, "patient": CANARY})
    assert "request" in log.getvalue()
    assert "route=/api/v1/assess status=200" in log.getvalue()
    assert not log.getvalue().startswith("{")
    assert CANARY not in log.getvalue()
