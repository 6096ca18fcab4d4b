import numpy as np
import pytest

from core.explore.points import NoteSet, reference_notes
from core.explore.projection import draw_map, fit_axes
from core.model.bundle import Reference


def test_the_same_notes_give_the_same_axes_in_any_order(notes: NoteSet) -> None:
    axes, again = fit_axes(notes.vectors), fit_axes(notes.vectors[::-1])
    np.testing.assert_allclose(axes.directions, again.directions, atol=1e-5)
    assert (axes.directions[np.arange(3), np.abs(axes.directions).argmax(axis=1)] > 0).all()


def test_the_first_axis_parts_the_two_clouds_and_explains_most(notes: NoteSet) -> None:
    data = draw_map(notes, fit_axes(notes.vectors))
    first = data.coordinates[:, 0]
    assert min(first[:20]) > max(first[20:]) or max(first[:20]) < min(first[20:])
    assert data.explained[0] > 0.9
    assert sum(data.explained) <= 1
    assert data.ids.tolist() == notes.ids.tolist()


@pytest.mark.parametrize("dimensions", [2, 3])
def test_a_map_has_as_many_coordinates_and_shares_as_dimensions(notes: NoteSet, dimensions: int) -> None:
    data = draw_map(notes, fit_axes(notes.vectors), dimensions)
    assert data.coordinates.shape == (40, dimensions)
    assert len(data.explained) == dimensions


def test_new_notes_are_placed_and_nothing_is_fitted(notes: NoteSet) -> None:
    axes = fit_axes(notes.vectors[:30])
    alone = axes.place(notes.vectors[35:36])
    np.testing.assert_allclose(alone, axes.place(notes.vectors)[35:36], atol=1e-6)
    assert abs(axes.place(axes.mean[None])).max() < 1e-6


def test_axes_apart_from_two_groups_do_not_part_them(notes: NoteSet) -> None:
    cloud = np.array(["one"] * 20 + ["other"] * 20)
    assert fit_axes(notes.vectors).explained[0] > 0.9
    axes = fit_axes(notes.vectors, apart_from=cloud)
    placed = axes.place(notes.vectors)
    assert abs(placed[:20].mean(axis=0) - placed[20:].mean(axis=0)).max() < 1e-4
    assert axes.explained[0] < 0.1  # of all variance, which is mostly between the clouds


@pytest.mark.parametrize("groups", [["a"] * 40, ["a"] * 39 + ["b"]])
def test_one_large_group_leaves_the_axes_as_they_are(notes: NoteSet, groups: list[str]) -> None:
    axes, alone = fit_axes(notes.vectors, apart_from=np.array(groups)), fit_axes(notes.vectors)
    np.testing.assert_allclose(axes.directions, alone.directions, atol=1e-5)
    np.testing.assert_allclose(axes.explained, alone.explained, atol=1e-5)


def test_notes_that_are_all_alike_lie_on_one_place() -> None:
    axes = fit_axes(np.ones((12, 8), np.float32))
    assert axes.explained.tolist() == [0, 0, 0]
    assert np.isfinite(axes.place(np.ones((1, 8), np.float32))).all()


def test_the_reference_of_a_bundle_is_a_note_set_without_text() -> None:
    labels = {name: np.array(["a", "", "b"]) for name in ("department", "source", "language")}
    found = reference_notes(Reference(np.full((3, 4), 3, np.float16), labels))
    assert [column.key for column in found.columns] == ["label:department", "source:", "language:"]
    assert found.texts is None
    assert found.ids.tolist() == [1, 2, 3]
    np.testing.assert_allclose(np.linalg.norm(found.vectors, axis=1), 1, atol=1e-6)


def test_notes_are_found_by_id_and_a_column_by_key(notes: NoteSet) -> None:
    assert notes.places(frozenset({2, 41, 99})).tolist() == [0, 39]
    assert notes.column("probability:department").is_amount
    assert notes.column("gone").key == "predicted:department"
