"""What the desk's parts call where the work is done. Each call takes microseconds and never fails a note."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from core.errors import DeskBusy, DeskStopping, NoteError, TriageError
from core.notes import Assessment, RedFlagHit
from core.telemetry import metrics, tracing
from core.telemetry.drift import LEVELS, Drift, expected_shares

if TYPE_CHECKING:
    from core.answers import DeskAnswers
    from core.model.bundle import Bundle
    from core.records.records import Decision

Source = Literal["page", "api", "table"]
REFUSED = (NoteError, DeskBusy, DeskStopping)  # nothing was tried
UNFAMILIAR = ("unfamiliar", "language")
DRIFT = Drift()
_expected: dict[str, float] = {}


@contextmanager
def stage(name: str, notes: int) -> Iterator[None]:
    """Time one part of a call of the desk for so many notes."""
    started = time.perf_counter()
    try:
        with tracing.span(name, notes=notes):
            yield
    finally:
        metrics.STAGE_SECONDS.labels(name).observe(time.perf_counter() - started)


def assessed(source: Source, answers: Iterable[Assessment | TriageError], seconds: float) -> None:
    """A question about notes was answered, each note with an assessment or its own error."""
    metrics.ASSESSMENT_SECONDS.labels(source).observe(seconds)
    for answer in answers:
        if isinstance(answer, TriageError):
            failed(source, answer)
            continue
        _answered(source, bool(answer.needs_review), 1)
        acuity = answer.tasks.get("acuity")
        label = acuity.label if acuity else ""
        _facts(source, (label,), (answer.red_flags,), (answer.reasons,), (answer.language,))
        DRIFT.add(label, unfamiliar=any(_reason(reason) in UNFAMILIAR for reason in answer.reasons))


def failed(source: Source, error: BaseException, notes: int = 1) -> None:
    """Notes got no answer for this error."""
    _failed(source, type(error), notes)


def refused(source: Source, kind: str, notes: int = 1) -> None:
    """Notes were refused for a reason that is no error of the desk: the name of one of the API's problems."""
    metrics.ASSESSMENTS.labels(source, "refused", kind).inc(notes)


def rows(answers: "DeskAnswers", apart: Sequence[int] = ()) -> None:
    """Rows of a table were answered.

    Args:
        answers: the desk's.
        apart: places of rows that are asked about once more.
    """
    asked = sum(map(bool, answers.reasons))
    _answered("table", True, asked)
    _answered("table", False, len(answers.reasons) - asked)
    ended = Counter(type(error) for place, error in answers.errors.items() if place not in apart)
    for kind, count in ended.items():
        _failed("table", kind, count)
    labels = next((column.labels for column in answers.columns if column.task == "acuity"), ())
    _facts("table", labels, answers.red_flags, answers.reasons, answers.languages)


def _failed(source: Source, kind: type[BaseException], notes: int) -> None:
    outcome = "refused" if issubclass(kind, REFUSED) else "failed"
    metrics.ASSESSMENTS.labels(source, outcome, _kind(kind)).inc(notes)


def _answered(source: Source, review: bool, notes: int) -> None:
    if notes:
        metrics.ASSESSMENTS.labels(source, "review" if review else "answered", "").inc(notes)


def _facts(
    source: Source,
    labels: Iterable[str],
    flags: Iterable[Sequence[RedFlagHit]],
    reasons: Iterable[Sequence[str]],
    languages: Iterable[str],
) -> None:
    for label, count in Counter(label if label in LEVELS else "none" for label in labels).items():
        metrics.ACUITY.labels(source, label).inc(count)
    for rule, count in Counter(hit.id for hits in flags for hit in hits).items():
        metrics.RED_FLAGS.labels(rule).inc(count)
    for reason, count in Counter(name for each in reasons for name in set(map(_reason, each))).items():
        metrics.REVIEW_REASONS.labels(reason).inc(count)
    for language, count in Counter(languages).items():
        metrics.LANGUAGES.labels(language).inc(count)


# The desk's reasons, as `core.triage` and `core.answers` word them; all others say that a task's answer is unsure.
_REASONS = {
    "the note was cut: its middle was not read": "truncated",
    "the note is neither Chinese nor English": "language",
    "the note is unlike those that the model learned from": "unfamiliar",
    "a red flag asks for urgency, which this model does not judge": "red_flag",
    "acuity: a red flag is more urgent than the estimate": "red_flag",
    "acuity: an emergency can't be ruled out": "emergency",
}


def _reason(words: str) -> str:
    return _REASONS.get(words, "unsure")


def _kind(kind: type[BaseException]) -> str:
    """The name of an error's class where it is the desk's own, else `unexpected`."""
    return kind.__name__ if issubclass(kind, TriageError) else "unexpected"


def decided(decision: "Decision") -> None:
    """A person's decision was recorded. One who changes a decision counts again."""
    metrics.DECISIONS.labels(decision.task, "accepted" if decision.accepted else "overridden").inc()
    if decision.accepted:
        return
    change = "other"
    if decision.task == "acuity" and decision.given in LEVELS and decision.decided in LEVELS:
        change = "more_urgent" if decision.decided < decision.given else "less_urgent"
    metrics.OVERRIDES.labels(decision.task, change).inc()


@contextmanager
def endpoint_call(endpoint: str, texts: int) -> Iterator[None]:
    """One request with so many texts to an endpoint, which is named by its address without credentials."""
    started, outcome = time.perf_counter(), "answered"
    try:
        with tracing.span("endpoint", texts=texts, endpoint=endpoint):
            yield
    except BaseException as error:
        outcome = _kind(type(error))
        raise
    finally:
        metrics.ENDPOINT_SECONDS.labels(endpoint).observe(time.perf_counter() - started)
        metrics.ENDPOINT_REQUESTS.labels(endpoint, outcome).inc()
        if outcome == "answered":
            metrics.ENDPOINT_TEXTS.labels(endpoint).inc(texts)


def endpoint_retried() -> None:
    """An attempt follows a failed one."""
    metrics.ENDPOINT_RETRIES.inc()


def looked_up(texts: int, hits: int) -> None:
    """Texts were looked up in the cache."""
    metrics.CACHE_LOOKUPS.labels("hit").inc(hits)
    metrics.CACHE_LOOKUPS.labels("miss").inc(texts - hits)


def cache_failed() -> None:
    """The cache could not be read or written."""
    metrics.CACHE_FAILURES.inc()


def recorded(kinds: Iterable[str], seconds: float) -> None:
    """A transaction of the records has been committed, with rows of these kinds in the audit log."""
    metrics.RECORDS_SECONDS.observe(seconds)
    for kind in kinds:
        metrics.AUDIT_ROWS.labels(kind).inc()


def records_failed(operation: Literal["read", "write"]) -> None:
    """The records could not be read or written."""
    metrics.RECORDS_FAILURES.labels(operation).inc()


def requested(method: str, route: str, status: int, seconds: float) -> None:
    """A request of the API was answered."""
    metrics.HTTP_REQUESTS.labels(method, route, str(status)).inc()
    metrics.HTTP_SECONDS.labels(route).observe(seconds)


def opened(bundle: "Bundle", rules: Iterable[str]) -> None:
    """A desk with this bundle was opened: it answers from now on.

    Args:
        bundle: the trained model.
        rules: ids of the red flags' rules, which are all told of from the start: the first hit of a rule shows only
            where there was a 0 before it.
    """
    for rule in rules:
        metrics.RED_FLAGS.labels(rule)
    for task in bundle.heads:
        for outcome in ("accepted", "overridden"):
            metrics.DECISIONS.labels(task, outcome)
    facts = {"bundle": bundle.identity.bundle, "version": bundle.identity.version, "space": bundle.identity.embedding}
    metrics.MODEL.info(facts)
    expected = expected_shares(bundle.manifest.tasks.get("acuity", {}))
    if expected != _expected:
        DRIFT.clear()
        _expected.clear()
        _expected.update(expected)
    metrics.EXPECTED_ACUITY.clear()
    for level, share in expected.items():
        metrics.EXPECTED_ACUITY.labels(level).set(share)


def expected() -> Mapping[str, float]:
    """What the acuity levels are compared with."""
    return _expected
