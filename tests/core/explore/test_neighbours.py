import numpy as np

from core.explore.neighbours import nearest
from core.explore.points import NoteSet


def test_a_note_is_its_own_nearest_unless_left_out(notes: NoteSet) -> None:
    with_itself = nearest(notes.vectors[7], notes, 3)
    without = nearest(notes.vectors[7], notes, 3, but=9)
    assert with_itself[0].id == 9
    assert abs(with_itself[0].similarity - 1) < 1e-6
    assert [each.id for each in without[:2]] == [each.id for each in with_itself[1:]]


def test_neighbours_come_with_what_is_known_of_them_the_most_similar_first(notes: NoteSet) -> None:
    found = nearest(notes.vectors[0], notes, 10)
    assert {each.facts["predicted:department"] for each in found} == {"cardiology"}
    similarities = [each.similarity for each in found]
    assert similarities == sorted(similarities, reverse=True)
    assert "probability:department" not in found[0].facts


def test_there_are_no_more_neighbours_than_notes(notes: NoteSet) -> None:
    assert len(nearest(np.zeros(8, np.float32), notes, 100)) == 40
