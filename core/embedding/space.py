"""What makes vectors comparable (the embedding space), and how to notice that they are not (the fingerprint)."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from core.errors import SpaceMismatch

Vectors = NDArray[np.float32]

# Never change these: every bundle holds their vectors. Both languages, short and long, a number, a line end.
CANARIES: tuple[str, ...] = (
    "胸口闷痛两个小时，向左肩放射，出冷汗。",
    "A small cut on the left hand, bleeding has stopped, tetanus vaccination four years ago.",
    "宝宝8个月，昨晚起发烧39.2℃，不吃奶，没有咳嗽。请问要去医院吗？",
    "Follow-up after cataract surgery.\nNo pain, vision clear, drops used as told.",
)

# Lowest cosine that passes. Between batches and repeats SGLang's bf16 vectors keep 0.9999 and the embedded endpoint's
# 1.0; the same model with another prefix falls below 0.99 on at least one canary.
SAME_SPACE = 0.998


@dataclass(frozen=True, slots=True)
class EmbeddingSpace:
    """Model, dimension, instruction, cut and normalisation: vectors compare only within one space.

    Attributes:
        model: the model's name as sent to the endpoint.
        dimension: components a vector has after any Matryoshka cut.
        instruction: Qwen3's task instruction, or empty for none.
        max_tokens: estimated tokens a text is cut to, instruction included.
        matryoshka: whether `dimension` is a cut of a longer vector, renormalised.
        normalised: vectors have length 1; always true today.
    """

    model: str
    dimension: int
    instruction: str = ""
    max_tokens: int = 512
    matryoshka: bool = False
    normalised: bool = True

    @property
    def id(self) -> str:
        """A short name for this space, the same on every machine: the model's last name part, dimension, digest."""
        digest = hashlib.blake2b(json.dumps(asdict(self), sort_keys=True).encode(), digest_size=4).hexdigest()
        return f"{self.model.rsplit('/', 1)[-1]}-{self.dimension}-{digest}"

    @property
    def prefix(self) -> str:
        """What stands before each text on the wire (the form that Qwen3-Embedding's model card gives)."""
        return f"Instruct: {self.instruction}\nQuery:" if self.instruction else ""

    def describe(self) -> str:
        """The space in words, for a message."""
        instruction = f"instruction {self.instruction!r}" if self.instruction else "no instruction"
        cut = " (cut and renormalised)" if self.matryoshka else ""
        return f"{self.id} (model {self.model}, {self.dimension} components{cut}, {instruction})"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The canaries' vectors in a space: what an endpoint must reproduce to be trusted.

    Attributes:
        vectors: (number of canaries, dimension) float32, each of length 1.
    """

    vectors: Vectors

    def compare(self, others: Vectors) -> float:
        """The lowest cosine between a canary's vector here and in `others`; -1 if the shapes differ."""
        if others.shape != self.vectors.shape:
            return -1.0
        lengths = np.linalg.norm(self.vectors, axis=1) * np.linalg.norm(others, axis=1)
        return float(np.min(np.einsum("ij,ij->i", self.vectors, others, dtype=np.float64) / lengths))

    def as_json(self) -> dict[str, Any]:
        """Plain JSON types: dimension, digest of the canaries, vectors as base64 of little-endian float32."""
        coded = base64.b64encode(self.vectors.astype("<f4").tobytes()).decode()
        return {"canaries": _canaries_digest(), "dimension": self.vectors.shape[1], "vectors": coded}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """The fingerprint that `as_json` wrote.

        Raises:
            SpaceMismatch: it can't be read, or was taken with other canaries.
        """
        try:
            known = found["canaries"] == _canaries_digest()
            flat = np.frombuffer(base64.b64decode(found["vectors"], validate=True), "<f4")
            vectors = flat.reshape(len(CANARIES), int(found["dimension"])).astype(np.float32)
        except (KeyError, TypeError, ValueError):
            known, vectors = False, np.empty((0, 0), np.float32)
        if not known or not np.isfinite(vectors).all():
            raise SpaceMismatch("The bundle's fingerprint can't be read by this version. Train the bundle again.")
        return cls(vectors)


class CanarySource(Protocol):
    """Gives the canaries' vectors, fresh from its endpoint."""

    def canaries(self) -> Vectors:
        """(number of canaries, dimension) float32, each of length 1."""
        ...


def take_fingerprint(source: CanarySource) -> Fingerprint:
    """The fingerprint of the space that `source` embeds into.

    Raises:
        EndpointError: the endpoint gave no vectors.
    """
    return Fingerprint(source.canaries())


def _canaries_digest() -> str:
    return hashlib.blake2b("\0".join(CANARIES).encode(), digest_size=8).hexdigest()
