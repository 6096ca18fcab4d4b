"""The contract that an embedding endpoint must keep, as checks that `triage check-endpoint` runs and prints.

Texts sent are the module's own; no note is needed and nothing is kept.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median

import numpy as np

from core.embedding.client import Limits
from core.embedding.endpoint import Endpoint, normalised
from core.embedding.open import limits_for, open_endpoints, wanted_space
from core.embedding.space import CANARIES, EmbeddingSpace, Vectors
from core.embedding.text import cut
from core.errors import EndpointBadAnswer, EndpointError, EndpointRefused
from core.settings import Settings

SAME = 0.999  # lowest cosine between two vectors of one text
PATIENCE = 60.0  # seconds that a check waits for one answer
SHORT = "患者主诉头痛三天，伴恶心。Patient reports headache for three days."


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the table.

    Attributes:
        name: what was checked.
        passed: whether the endpoint keeps it.
        detail: what was seen, in a few words.
    """

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True)
class ContractReport:
    """What the contract's run found.

    Attributes:
        endpoint: address of the endpoint.
        model: model name that was sent.
        checks: one for each line of the table, in order.
    """

    endpoint: str
    model: str
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)


class BrokenContractError(Exception):
    """A check failed; the message is its detail."""


def check_endpoint(settings: Settings, *, on_check: Callable[[Check], None] | None = None) -> ContractReport:
    """Run the contract against the endpoint that `settings` name, or the embedded one.

    Args:
        settings: the address, model, key, instruction and limits of one endpoint.
        on_check: told of each check as it ends.

    Raises:
        SettingsError: a setting can't be used.
        EndpointUnavailable: there is no embedded endpoint for this platform.
    """
    (endpoint,) = open_endpoints(settings)
    try:
        run = _Run(endpoint, settings)
        checks: list[Check] = []
        for name, check in _CHECKS:
            checks.append(_outcome(name, check, run))
            if on_check:
                on_check(checks[-1])
            if name == "ready" and not checks[-1].passed:
                break
        model = run.space.model if checks[0].passed else settings.embedding_model or ""
        return ContractReport(endpoint.name, model, tuple(checks))
    finally:
        endpoint.close()


class _Run:
    """What the checks share: the endpoint, its space, and vectors that several of them look at."""

    def __init__(self, endpoint: Endpoint, settings: Settings) -> None:
        self.endpoint, self.settings = endpoint, settings
        self.limits: Limits = limits_for(settings)
        self.texts = [*CANARIES, SHORT, *(f"第{day}天仍有发热 day {day} of fever" for day in (2, 5, 9))]

    @cached_property
    def space(self) -> EmbeddingSpace:
        return wanted_space(self.settings, [self.endpoint])

    @cached_property
    def together(self) -> Vectors:
        return self.ask(self.texts)

    @cached_property
    def alone(self) -> Vectors:
        return np.vstack([self.ask([text]) for text in self.texts])

    def ask(self, texts: Sequence[str]) -> Vectors:
        prefixed = [self.space.prefix + text for text in texts]
        return normalised(self.endpoint.embed(prefixed, timeout=PATIENCE).vectors)


def _outcome(name: str, check: Callable[[_Run], str], run: _Run) -> Check:
    try:
        return Check(name, True, check(run))
    except (BrokenContractError, EndpointError) as error:
        return Check(name, False, str(error))


def _ready(run: _Run) -> str:
    model = run.space.model
    started = time.perf_counter()
    run.ask([SHORT])
    return f"{model} answers in {_ms(time.perf_counter() - started)}"


def _order(run: _Run) -> str:
    likeness = run.alone @ run.together.T
    if not np.array_equal(likeness.argmax(axis=1), np.arange(len(run.texts))):
        raise BrokenContractError("vectors of a list are not in the order of its texts")
    return f"{len(run.texts)} texts, each vector at its own place"


def _batch_equals_single(run: _Run) -> str:
    return _lowest(run.alone, run.together, "between a text alone and in a list")


def _determinism(run: _Run) -> str:
    return _lowest(run.together, run.ask(run.texts), "between two calls")


def _finite(run: _Run) -> str:
    run.ask([*run.texts, "🙂", "a", "1", "x" * 60])  # an answer that is not finite raises
    return "no NaN, no infinity, no zero vector"


def _dimension(run: _Run) -> str:
    has, wanted = run.together.shape[1], run.settings.embedding_dimensions
    if wanted and wanted > has:
        raise BrokenContractError(f"{has} components, fewer than TRIAGE_EMBEDDING_DIMENSIONS={wanted}")
    return f"{has} components" + (f", cut to {wanted}" if wanted and wanted < has else "")


def _blank(run: _Run) -> str:
    return _survives(run, ["", SHORT], "a blank text")


def _over_long(run: _Run) -> str:
    if run.settings.embedding_url is None:
        return "not sent: the client cuts to what this endpoint reads at once"
    return _survives(run, [SHORT * 20_000], "a text of a million characters")


def _longest(run: _Run) -> str:
    text, _ = cut(SHORT * 20_000, run.space.max_tokens)
    try:
        run.ask([text])
    except EndpointRefused:
        raise BrokenContractError(
            f"refuses a text cut to {run.space.max_tokens} estimated tokens; set TRIAGE_EMBEDDING_MAX_TOKENS lower"
        ) from None
    return f"{run.space.max_tokens} estimated tokens, {len(text):,} characters"


def _list_limit(run: _Run) -> str:
    count = run.limits.list_texts
    try:
        run.ask([f"{SHORT} {number}" for number in range(count)])
    except EndpointRefused:
        raise BrokenContractError(f"refuses a list of {count} texts") from None
    return f"a list of {count} texts is answered"


def _latency(count: int) -> Callable[[_Run], str]:
    def check(run: _Run) -> str:
        seconds = []
        for turn in range(3):
            started = time.perf_counter()
            run.ask([f"{SHORT} {turn}-{number}" for number in range(count)])
            seconds.append(time.perf_counter() - started)
        typical = median(seconds)
        if typical > run.settings.embedding_timeout:
            raise BrokenContractError(f"{_ms(typical)} is over TRIAGE_EMBEDDING_TIMEOUT")
        return f"{_ms(typical)}, {count / typical:,.0f} texts a second"

    return check


def _survives(run: _Run, texts: Sequence[str], what: str) -> str:
    """The endpoint may answer or refuse this, but must go on answering others."""
    try:
        run.endpoint.embed(texts, timeout=PATIENCE)
        outcome = "answered"
    except EndpointRefused as refusal:
        outcome = f"refused with HTTP {refusal.status}"
    except EndpointBadAnswer:
        outcome = "answered badly"
    run.ask([SHORT])
    return f"{what} is {outcome}; the client never sends it"


def _lowest(some: Vectors, others: Vectors, where: str) -> str:
    cosine = float(np.einsum("ij,ij->i", some, others).min())
    if cosine < SAME:
        raise BrokenContractError(f"lowest cosine {where} is {cosine:.4f}, {SAME} is needed")
    return f"lowest cosine {where} is {cosine:.5f}"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


_CHECKS: tuple[tuple[str, Callable[[_Run], str]], ...] = (
    ("ready", _ready),
    ("order", _order),
    ("batch equals single", _batch_equals_single),
    ("determinism", _determinism),
    ("finite", _finite),
    ("dimension", _dimension),
    ("blank text", _blank),
    ("over-long text", _over_long),
    ("longest text", _longest),
    ("longest list", _list_limit),
    ("latency of 1", _latency(1)),
    ("latency of 8", _latency(8)),
    ("latency of 32", _latency(32)),
)
