"""The log of a process: one line an event, as JSON or for people, with the id of the request at hand.

No line holds a note's text. What the desk itself logs is written so (`core.errors`); of what libraries log, only the
first line is kept, and in it each exception is only the name of its class; an exception's message and trace, which can
hold data, never. Where an exception came from is told as files and lines.
"""

import logging
import sys
import threading
import traceback
from types import TracebackType
from typing import Literal, TextIO

import structlog
from structlog.typing import Processor

from core.errors import TriageError

OURS = ("app", "core")
LIBRARIES = ("uvicorn", "streamlit", "websockets", "asyncio", "concurrent", "sqlalchemy", "opentelemetry")
LONGEST = 300  # characters of a library's line
FRAMES = 6  # of an exception's way that are told
Form = Literal["json", "text"]
bound = structlog.contextvars.bound_contextvars  # `with bound(request_id=…)`: what lines below are told with


def open_log(form: Form | None, stream: TextIO | None = None) -> None:
    """Write this process's log to standard error from now on.

    Args:
        form: none: for people on a terminal, else JSON.
        stream: where to, instead.
    """
    to = stream or sys.stderr
    handler = logging.StreamHandler(to)
    handler.setFormatter(_formatter(form or ("text" if to.isatty() else "json"), colours=to.isatty()))
    root = logging.getLogger()
    for old in [each for each in root.handlers if getattr(each, "of_the_desk", False)]:
        root.removeHandler(old)
    handler.of_the_desk = True  # type: ignore[attr-defined]
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    for name in OURS:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("app.api").setLevel(logging.INFO)  # each request
    logging.captureWarnings(True)
    sys.excepthook = _uncaught
    threading.excepthook = lambda failed: _uncaught(failed.exc_type, failed.exc_value, failed.exc_traceback)
    take_over()


def take_over() -> None:
    """Have libraries that write their own lines write them here; again after they have set up themselves."""
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in LIBRARIES or name == "py.warnings":
            logger = logging.getLogger(name)
            logger.handlers.clear()
            logger.propagate = True
            logger.setLevel(logging.WARNING)


def _formatter(form: Form, *, colours: bool) -> logging.Formatter:
    render: list[Processor] = [structlog.processors.JSONRenderer(ensure_ascii=False)]
    if form == "text":
        render = [structlog.dev.ConsoleRenderer(colors=colours, pad_event_to=0, exception_formatter=lambda *_: None)]
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(allow=ADDED),
    ]
    return _Formatter(
        foreign_pre_chain=before, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render]
    )


# What a line of ours may have beside its event.
ADDED = ("method", "route", "status", "ms", "key", "error", "where")


class _Formatter(structlog.stdlib.ProcessorFormatter):
    """Takes from a record what may hold data before anything else reads it."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        kept = logging.makeLogRecord(record.__dict__)
        kept.msg, kept.args = _words(record), None
        if isinstance(record.exc_info, tuple) and record.exc_info[0] is not None:
            kept.error, kept.where = record.exc_info[0].__name__, _where(record.exc_info[2])
        kept.exc_info = kept.exc_text = kept.stack_info = None
        return super().format(kept)


def _words(record: logging.LogRecord) -> str:
    """The message, in which an exception that is not the desk's own is only its class."""
    arguments = record.args
    if isinstance(arguments, tuple):
        arguments = tuple(map(_plain, arguments))
    try:
        words = str(record.msg) % arguments if arguments else str(_plain(record.msg))
    except (TypeError, ValueError):
        words = str(record.msg)
    if record.name.partition(".")[0] in OURS:
        return words
    if record.name == "py.warnings":  # `file:line: Category: words`
        words = ": ".join(words.split(": ")[:2])
    return words.strip().partition("\n")[0][:LONGEST]


def _plain(value: object) -> object:
    if isinstance(value, BaseException) and not isinstance(value, TriageError):
        return type(value).__name__
    return value


def _where(trace: TracebackType | None) -> list[str]:
    """The last places that an exception came through, without the lines' text."""
    frames = traceback.extract_tb(trace)[-FRAMES:]
    return [f"{'/'.join(frame.filename.split('/')[-2:])}:{frame.lineno} {frame.name}" for frame in frames]


def _uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("core").critical("ended by an error that nothing caught", exc_info=(kind, error or kind(), trace))
