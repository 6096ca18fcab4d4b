import json

import numpy as np
import pytest

from core.embedding.embedded import EmbeddedEndpoint
from core.embedding.endpoint import OpenAIEndpoint, normalised
from core.embedding.space import CANARIES, SAME_SPACE, EmbeddingSpace, Fingerprint
from core.errors import SpaceMismatch


def test_a_fingerprint_survives_json() -> None:
    vectors = normalised(np.random.default_rng(0).standard_normal((len(CANARIES), 48)).astype(np.float32))
    read = Fingerprint.from_json(json.loads(json.dumps(Fingerprint(vectors).as_json())))
    np.testing.assert_array_equal(read.vectors, vectors)
    assert read.compare(vectors) == pytest.approx(1)
    assert read.compare(vectors[:, :40]) == -1


@pytest.mark.parametrize("change", [{"canaries": "old"}, {"vectors": "x"}, {"dimension": 7}, {"dimension": None}])
def test_a_damaged_fingerprint_is_refused(change: dict[str, object]) -> None:
    whole = Fingerprint(np.ones((len(CANARIES), 8), np.float32)).as_json()
    with pytest.raises(SpaceMismatch):
        Fingerprint.from_json({**whole, **change})


def test_every_part_of_a_space_changes_its_id() -> None:
    space = EmbeddingSpace("org/model", 384)
    others = [
        EmbeddingSpace("org/other", 384),
        EmbeddingSpace("org/model", 256),
        EmbeddingSpace("org/model", 384, instruction="x"),
        EmbeddingSpace("org/model", 384, max_tokens=100),
        EmbeddingSpace("org/model", 384, matryoshka=True),
    ]
    assert len({space.id, *(other.id for other in others)}) == 6
    assert space.id.startswith("model-384-")


def test_the_same_model_with_another_prefix_is_told_apart(tmp_path_factory: pytest.TempPathFactory) -> None:
    endpoint = EmbeddedEndpoint(tmp_path_factory.mktemp("desk"))
    try:
        whole = Fingerprint(normalised(endpoint.embed(CANARIES, timeout=30).vectors))
        single = np.vstack([normalised(endpoint.embed([text], timeout=30).vectors) for text in CANARIES])
        passage = OpenAIEndpoint(endpoint.url, "e5-passage", loopback=True)
        other = normalised(passage.embed(CANARIES, timeout=30).vectors)
        passage.close()
    finally:
        endpoint.close()
    assert whole.compare(single) > 0.9999
    assert whole.compare(other) < SAME_SPACE - 0.02
