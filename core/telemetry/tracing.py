"""Traces by OpenTelemetry: with the extra `telemetry`, and where `OTEL_EXPORTER_OTLP_ENDPOINT` names a collector.

Otherwise every function here does nothing. A span has a name, a time, counts and kinds; no text of a note, no person,
and of an error only its class: OpenTelemetry's own way to record one would write its message and its trace.
"""

import contextvars
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, ParamSpec, TypeAlias, TypeVar

from core.errors import TriageError

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span, Tracer

P = ParamSpec("P")
R = TypeVar("R")
Value = str | int | float | bool
Told: TypeAlias = "Span"  # a span under way
Place: TypeAlias = "Context | None"  # where in a trace; none while none are sent
WHERE = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
SERVICE = "triage-desk"
NOT_INSTALLED = "no traces: OTEL_EXPORTER_OTLP_ENDPOINT is set, the extra is not installed (pip install .[telemetry])"
log = logging.getLogger(__name__)
_provider: "TracerProvider | None" = None
_tracer: "Tracer | None" = None


def start() -> bool:
    """Send traces from now on, where a collector is named; whether they are sent."""
    global _provider, _tracer
    if not any(map(os.environ.get, WHERE)):
        return False
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        log.warning(NOT_INSTALLED)
        return False
    name = os.environ.get("OTEL_SERVICE_NAME", SERVICE)
    _provider = TracerProvider(resource=Resource.create({SERVICE_NAME: name}))
    _provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _tracer = _provider.get_tracer(SERVICE)
    return True


def stop() -> None:
    """Send what is left, and nothing more."""
    global _provider, _tracer
    provider, _provider, _tracer = _provider, None, None
    if provider is not None:
        provider.shutdown()


@contextmanager
def span(name: str, **attributes: Value) -> Iterator["Span | None"]:
    """One piece of work; the span, if traces are sent."""
    if _tracer is None:
        yield None
        return
    with _tracer.start_as_current_span(
        name, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as found:
        try:
            yield found
        except BaseException as error:
            from opentelemetry.trace import Status, StatusCode

            known = isinstance(error, TriageError)
            found.set_status(Status(StatusCode.ERROR, type(error).__name__ if known else "unexpected"))
            raise


@contextmanager
def request(headers: Mapping[str, str], **attributes: Value) -> Iterator["Span | None"]:
    """A request that came in, below the span that its `traceparent` names, if it has one that can be read."""
    if _tracer is None:
        yield None
        return
    from opentelemetry import context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    token = context.attach(TraceContextTextMapPropagator().extract(headers))
    try:
        with span("request", **attributes) as found:
            yield found
    finally:
        context.detach(token)


def here() -> Place:
    """Where in a trace this is, to go on from in another thread."""
    if _tracer is None:
        return None
    from opentelemetry import context

    return context.get_current()


@contextmanager
def within(place: Place) -> Iterator[None]:
    """Go on from a place that `here` gave."""
    if place is None:
        yield
        return
    from opentelemetry import context

    token = context.attach(place)
    try:
        yield
    finally:
        context.detach(token)


def carried(work: Callable[P, R]) -> Callable[P, R]:
    """The same work for another thread, there in the trace of this one."""
    if _tracer is None:
        return work
    found = contextvars.copy_context()

    def inside(*arguments: P.args, **named: P.kwargs) -> R:
        return found.run(work, *arguments, **named)

    return inside


def headers() -> dict[str, str]:
    """What tells a server that is asked which trace this belongs to (W3C `traceparent`)."""
    if _tracer is None:
        return {}
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    found: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(found)
    return found
