import numpy as np
import pytest

from core.explore.points import Column, NoteSet, unit


@pytest.fixture
def notes() -> NoteSet:
    """Forty notes in two clouds along two directions of eight, the first cloud of one department."""
    random = np.random.default_rng(3)
    vectors = random.normal(0, 0.05, (40, 8))
    vectors[:20, 0] += 1
    vectors[20:, 1] += 1
    departments = np.array(["cardiology"] * 20 + ["dermatology"] * 15 + [""] * 5)
    probabilities = np.linspace(0, 1, 40)
    columns = (Column("predicted", "department", departments), Column("probability", "department", probabilities))
    return NoteSet(np.arange(2, 42), unit(vectors), columns)
