"""One note: what `desk.assess` adds to the bare call of the endpoint, and what an explanation takes."""

from pathlib import Path
from statistics import median
from typing import Any

import openai
import pandas as pd

from core.triage import TriageDesk
from core.why import PHRASES, phrases_of
from tests.bench.notes import unique_texts
from tests.bench.quality import MESSAGES
from tests.bench.rates import timed
from tests.bench.servers import address_of, embedded_settings


def assess(folder: Path, scale: float) -> dict[str, Any]:
    """Median milliseconds of `assess` and of the bare call, interleaved, on the embedded endpoint."""
    notes = max(10, int(100 * scale))
    settings = embedded_settings(folder)
    ours: list[float] = []
    bare: list[float] = []
    with TriageDesk.open(settings) as desk:
        url, model = address_of(desk, settings)
        with openai.OpenAI(base_url=url, api_key="none", max_retries=0) as client:
            client.embeddings.create(model=model, input=["warm"])
            for text in unique_texts(notes):
                bare.append(timed(lambda text=text: client.embeddings.create(model=model, input=[text + " a"])))
                ours.append(timed(lambda text=text: desk.assess(text + " b")))
    added = 1000 * (median(ours) - median(bare))
    return {
        "bench": "assess_adds",
        "ratio": round(median(ours) / median(bare), 3),
        "added_ms": round(added, 2),
        "added_ms_median_of_pairs": round(1000 * median(a - b for a, b in zip(ours, bare, strict=True)), 2),
        "wanted": "added_ms <= 10",
        "assess_ms": round(1000 * median(ours), 2),
        "bare_ms": round(1000 * median(bare), 2),
        "notes": notes,
    }


def explain(folder: Path, scale: float) -> dict[str, Any]:
    """What an explanation takes beside the bare call for its note, interleaved, on the embedded endpoint.

    The notes are messages of several clauses; each is assessed before it is explained, as on the page.
    """
    settings = embedded_settings(folder)
    table = pd.concat([pd.read_csv(path) for path in sorted(MESSAGES.glob("messages_*.csv"))])
    texts = [text for text in table["text"] if len(phrases_of(text, PHRASES)) == PHRASES]
    texts = texts[:: max(1, len(texts) // max(10, int(100 * scale)))]
    ours: list[float] = []
    bare: list[float] = []
    with TriageDesk.open(settings) as desk:
        url, model = address_of(desk, settings)
        with openai.OpenAI(base_url=url, api_key="none", max_retries=0) as client:
            for text in texts:
                desk.assess(text)
                bare.append(timed(lambda text=text: client.embeddings.create(model=model, input=[text + " a"])))
                ours.append(timed(lambda text=text: desk.explain(text)))
    return {
        "bench": "explain",
        "ratio": round(median(a / b for a, b in zip(ours, bare, strict=True)), 2),
        "wanted": "ratio <= 2",
        "explain_ms": round(1000 * median(ours), 1),
        "bare_ms": round(1000 * median(bare), 1),
        "notes": len(texts),
    }
