"""The desk's metrics. Names begin with `triage_`, times are seconds, and no label holds a person, a text or a number.

Every label's values are few and known before: kinds of errors are names of classes, rules and tasks come from the
bundle and the files of rules, routes are patterns. What counts here is in `core.telemetry.observe`; what is read only
when somebody asks for `/metrics` is in `core.telemetry.live` and `core.telemetry.shares`.
"""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
)

# Else each series has a second one that says when it began, which nothing here reads.
disable_created_metrics()  # type: ignore[no-untyped-call]

# From 1 ms to a minute: dense around 20 ms (an endpoint on a graphics card) and around 10 s (a note's deadline).
BUCKETS = (
    0.001, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75,
    1.0, 1.5, 2.0, 3.0, 5.0, 7.5, 10.0, 12.5, 15.0, 20.0, 30.0, 60.0,
)  # fmt: skip
STAGES = ("embed", "rules", "heads")
SOURCES = ("page", "api", "table")

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

ASSESSMENTS = Counter(
    "triage_assessments",
    "Notes asked about: answered, review (answered, and a person must decide), refused (nothing was tried) or failed.",
    ("source", "outcome", "error"),
    registry=REGISTRY,
)
ASSESSMENT_SECONDS = Histogram(
    "triage_assessment_seconds",
    "From the question to the answers, the wait for a turn included; a list of notes is one question.",
    ("source",),
    buckets=BUCKETS,
    registry=REGISTRY,
)
STAGE_SECONDS = Histogram(
    "triage_stage_seconds",
    "Parts of one call of the desk: embed (cache and endpoint), rules (red flags; while the endpoint is at work), "
    "heads (classifiers).",
    ("stage",),
    buckets=BUCKETS,
    registry=REGISTRY,
)
ACUITY = Counter("triage_acuity", "Answers by acuity level, after red flags.", ("source", "acuity"), registry=REGISTRY)
LANGUAGES = Counter("triage_languages", "Answers by the note's language.", ("language",), registry=REGISTRY)
REVIEW_REASONS = Counter(
    "triage_review_reasons", "Why a person must decide; an answer can have several reasons.", ("reason",),
    registry=REGISTRY,
)  # fmt: skip
RED_FLAGS = Counter("triage_red_flags", "Red flags met, by rule.", ("rule",), registry=REGISTRY)
DECISIONS = Counter(
    "triage_decisions", "What people decided about a task's answer, as recorded.", ("task", "outcome"),
    registry=REGISTRY,
)  # fmt: skip
OVERRIDES = Counter(
    "triage_overrides",
    "Answers that a person changed. Acuity made more_urgent is under-triage by the desk; less_urgent is over-triage.",
    ("task", "change"),
    registry=REGISTRY,
)

ENDPOINT_REQUESTS = Counter(
    "triage_endpoint_requests", "Requests to the embedding endpoint, each attempt, by what came of it.",
    ("endpoint", "outcome"), registry=REGISTRY,
)  # fmt: skip
ENDPOINT_SECONDS = Histogram(
    "triage_endpoint_request_seconds",
    "One request to the embedding endpoint, whatever came of it.",
    ("endpoint",),
    buckets=BUCKETS,
    registry=REGISTRY,
)
ENDPOINT_TEXTS = Counter(
    "triage_endpoint_texts", "Texts that the endpoint gave vectors for.", ("endpoint",), registry=REGISTRY
)
ENDPOINT_RETRIES = Counter("triage_endpoint_retries", "Attempts that followed a failed one.", registry=REGISTRY)
CACHE_LOOKUPS = Counter("triage_cache_lookups", "Texts looked up in the cache.", ("outcome",), registry=REGISTRY)
CACHE_FAILURES = Counter(
    "triage_cache_failures", "Accesses of the cache that failed; the note is embedded instead.", registry=REGISTRY
)

AUDIT_ROWS = Counter("triage_audit_rows", "Rows written into the audit log.", ("kind",), registry=REGISTRY)
RECORDS_SECONDS = Histogram(
    "triage_records_write_seconds", "One transaction that writes records and audit log.", buckets=BUCKETS,
    registry=REGISTRY,
)  # fmt: skip
RECORDS_FAILURES = Counter(
    "triage_records_failures", "Accesses of the records that failed.", ("operation",), registry=REGISTRY
)

HTTP_REQUESTS = Counter(
    "triage_http_requests", "Requests of the API answered.", ("method", "route", "status"), registry=REGISTRY
)
HTTP_SECONDS = Histogram(
    "triage_http_request_seconds", "From a request's first line to its answer's end.", ("route",), buckets=BUCKETS,
    registry=REGISTRY,
)  # fmt: skip

MODEL = Info("triage_model", "Which bundle answers.", registry=REGISTRY)
DESK = Info("triage_desk", "Which desk this is.", registry=REGISTRY)
EXPECTED_ACUITY = Gauge(
    "triage_expected_acuity_share",
    "Share of each level among the bundle's own answers to its held-out notes: what drift is measured against.",
    ("acuity",),
    registry=REGISTRY,
)

# Always there, so that a rate over them is 0 and not nothing before the first event.
for source in SOURCES:
    for outcome in ("answered", "review"):
        ASSESSMENTS.labels(source, outcome, "")
    for level in "12345":
        ACUITY.labels(source, level)
for stage in STAGES:
    STAGE_SECONDS.labels(stage)
for found in ("hit", "miss"):
    CACHE_LOOKUPS.labels(found)
for operation in ("read", "write"):
    RECORDS_FAILURES.labels(operation)
for change in ("more_urgent", "less_urgent"):
    OVERRIDES.labels("acuity", change)
for decided in ("accepted", "overridden"):
    DECISIONS.labels("acuity", decided)
