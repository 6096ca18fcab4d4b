"""How a desk gets its embedder: from its settings, and from the space that its bundle was trained in."""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from core.embedding.attempts import Patience
from core.embedding.cache import FOR_TRAINING, CacheKeys, VectorCache, installation_secret, open_cache
from core.embedding.client import Embedder, Limits
from core.embedding.courtesy import Courtesy
from core.embedding.embedded import DIMENSION, MAX_TOKENS, MODEL, EmbeddedEndpoint
from core.embedding.endpoint import Endpoint, OpenAIEndpoint, without_credentials
from core.embedding.line import Line
from core.embedding.space import EmbeddingSpace, Fingerprint
from core.embedding.text import estimate_tokens
from core.errors import EndpointError, SettingsError, SpaceMismatch
from core.settings import QWEN3_INSTRUCTION, Settings

LONG_CONTEXT = 8192  # estimated tokens a text to an endpoint of the site's own, unless it says that it takes fewer
# It works at one list at a time: the next one waits there already, and a pasted note waits for a short list at most.
EMBEDDED_LIMITS = Limits(concurrency=2, list_texts=8, list_tokens=4096, batches=False)


def open_embedder(
    settings: Settings, space: EmbeddingSpace | None = None, fingerprint: Fingerprint | None = None
) -> Embedder:
    """The embedder that `settings` describe. `close` stops what it started.

    Args:
        settings: where vectors come from.
        space: a bundle's space, which then rules; None for training: the settings and a first answer make the space.
        fingerprint: the bundle's; compared before a vector is trusted.

    Raises:
        SettingsError: a setting that can't be used.
        SpaceMismatch: a setting contradicts `space`.
        EndpointError: for training only: the endpoint gave no first answer, or there is no embedded endpoint here.
    """
    if space is not None:
        _agree(settings, space)
    endpoints = open_endpoints(settings, space)
    try:
        embedded = settings.embedding_url is None
        line = Line(
            endpoints,
            space or wanted_space(settings, endpoints),
            fingerprint=fingerprint,
            concurrency=limits_for(settings).concurrency,
            longest_attempt=max(60.0, settings.embedding_timeout),
            recheck_after=float("inf") if embedded else 20.0,  # nobody can put another model behind our own child
        )
        if not line.space.dimension:
            _learn(line, settings)
        if line.space.max_tokens - estimate_tokens(line.space.prefix) < 16:
            raise SettingsError("TRIAGE_EMBEDDING_MAX_TOKENS leaves no room for the note beside the instruction")
    except BaseException:
        for endpoint in endpoints:
            endpoint.close()
        raise
    return Embedder(
        line,
        cache=_training_cache(settings) if space is None else open_cache(settings.effective_cache_url),
        keys=CacheKeys(line.space, installation_secret(settings.data_dir)),
        limits=limits_for(settings),
        courtesy=_courtesy(settings),
        timeout=settings.embedding_timeout,
    )


def _courtesy(settings: Settings) -> Courtesy | None:
    """What lets tables give way to notes; the embedded endpoint needs none, it lets a note in between two texts.

    A server with priorities needs it: it puts a note before what waits, but not before the list it works on.
    """
    return None if settings.embedding_url is None else Courtesy(settings.data_dir / "note-at")


def _training_cache(settings: Settings) -> VectorCache:
    """The cache for training, which keeps vectors for longer: a SQLite one is a file of its own beside the other."""
    url = settings.effective_cache_url
    if url.startswith("sqlite:///"):
        url = f"sqlite:///{Path(url.removeprefix('sqlite:///')).with_name('training.sqlite')}"
    return open_cache(url, ttl=FOR_TRAINING)


def limits_for(settings: Settings) -> Limits:
    """What the endpoints that `settings` name are sent at most, all together."""
    if settings.embedding_url is None:
        return EMBEDDED_LIMITS
    return Limits(concurrency=settings.embedding_concurrency * len(settings.embedding_urls))


def open_endpoints(settings: Settings, space: EmbeddingSpace | None = None) -> list[Endpoint]:
    """The endpoints that `settings` name; nothing is asked of them yet.

    Raises:
        EndpointUnavailable: none is named, and there is no embedded endpoint for this platform.
    """
    if settings.embedding_url is None:
        return [EmbeddedEndpoint(settings.data_dir)]
    key = settings.embedding_api_key.get_secret_value() if settings.embedding_api_key else None
    model = settings.embedding_model or (space.model if space else None) or ""
    first = settings.embedding_priority
    return [OpenAIEndpoint(url, model, api_key=key, priority=first) for url in settings.embedding_urls]


def wanted_space(settings: Settings, endpoints: Sequence[Endpoint]) -> EmbeddingSpace:
    """The space of a training run; dimension 0 where an endpoint's first answer has to tell it.

    Raises:
        SettingsError: no model is set, and the endpoint names none.
        EndpointError: the endpoint was asked for its model and gave no answer.
    """
    model, longest = MODEL, MAX_TOKENS
    served = [endpoint for endpoint in endpoints if isinstance(endpoint, OpenAIEndpoint)]
    if served:
        model, longest = _served(settings, served)
        for endpoint in served:
            endpoint.model = model
    elif settings.embedding_model not in (None, MODEL):
        raise SettingsError(
            f"TRIAGE_EMBEDDING_MODEL={settings.embedding_model!r}: the embedded endpoint serves {MODEL} only. "
            "Set TRIAGE_EMBEDDING_URL to a server of that model, or leave the model unset."
        )
    instruction = settings.embedding_instruction
    if instruction is None:
        instruction = QWEN3_INSTRUCTION if "qwen3-embedding" in model.lower() else ""
    cut = settings.embedding_dimensions
    known = 0 if served else DIMENSION
    return EmbeddingSpace(
        model=model,
        dimension=cut or known,
        instruction=instruction,
        max_tokens=settings.embedding_max_tokens or longest,
        matryoshka=cut is not None and cut != known,
    )


def _served(settings: Settings, endpoints: Sequence[OpenAIEndpoint]) -> tuple[str, int]:
    """The model's name and how many tokens it takes, asked of the first server that answers if need be."""
    model, longest = settings.embedding_model, settings.embedding_max_tokens
    if model and longest:
        return model, longest
    endpoint, *others = endpoints
    try:
        models = endpoint.models(timeout=settings.embedding_timeout)
    except EndpointError:
        if others:
            return _served(settings, others)
        if model is None:
            raise
        return model, LONG_CONTEXT
    offered = next((found for found in models if found.get("id") == model), models[0] if models else {})
    name = model or str(offered.get("id") or "")
    if not name:
        raise SettingsError(f"{endpoint.name} names no model; set TRIAGE_EMBEDDING_MODEL")
    takes = offered.get("max_model_len")
    return name, min(LONG_CONTEXT, takes) if isinstance(takes, int) and takes >= 64 else LONG_CONTEXT


def _learn(line: Line, settings: Settings) -> None:
    """Ask for the canaries, so that the dimension is known."""
    line.canaries(Patience(time.monotonic() + settings.embedding_timeout))


def _agree(settings: Settings, space: EmbeddingSpace) -> None:
    """Refuse settings that would make vectors of another space than the bundle's."""
    asked = replace(
        space,
        model=settings.embedding_model or (MODEL if settings.embedding_url is None else space.model),
        dimension=settings.embedding_dimensions or space.dimension,
        instruction=space.instruction if settings.embedding_instruction is None else settings.embedding_instruction,
        max_tokens=settings.embedding_max_tokens or space.max_tokens,
    )
    if asked == space:
        return
    where = ", ".join(map(without_credentials, settings.embedding_urls)) or "the embedded endpoint"
    raise SpaceMismatch(
        f"The bundle was trained in another embedding space than the one set. Bundle: {space.describe()}, "
        f"{space.max_tokens} tokens a text. Set: {asked.describe()}, {asked.max_tokens} tokens a text, at {where}. "
        "Nothing was classified. Change the TRIAGE_EMBEDDING_* settings, or train a bundle for this endpoint."
    )
