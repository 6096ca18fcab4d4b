"""How much of a table is sent while notes come in."""

from collections.abc import Callable

import pytest

from core.embedding.pace import LITTLE, PROBE_EACH, Pace


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def sizes(seconds: Callable[[int], float], lists: int = 200) -> list[int]:
    """The lists that are sent to an endpoint that takes so many seconds for so many texts."""
    clock = Clock()
    pace = Pace(1, 256, clock)
    found = []
    for _ in range(lists):
        found.append(pace.size())
        with pace.turn(found[-1], 1.0) as came:
            assert came
            clock.now += seconds(found[-1])
    return found


def test_lists_stay_short_where_each_text_takes_its_time() -> None:
    assert max(sizes(lambda texts: 0.01 + 0.03 * texts)) == 2


def test_lists_grow_to_their_most_where_many_texts_take_no_longer_than_one() -> None:
    found = sizes(lambda texts: 0.05)
    assert found[0] == 1
    assert found[-2] == 256
    assert found.index(256) < 40


def test_lists_find_the_length_that_takes_little_longer_than_one_text() -> None:
    def seconds(texts: int) -> float:
        return 0.02 + 0.0005 * texts

    found = sizes(seconds)[50:]
    allowed = [texts for texts in range(256) if seconds(texts) <= LITTLE * seconds(1)][-1]
    assert allowed / 2 < max(found) <= 1.25 * allowed + 1
    assert found.count(1) >= len(found) // PROBE_EACH  # what one text takes is measured again and again


def test_an_endpoint_that_has_become_slow_is_measured_anew() -> None:
    clock = Clock()
    pace = Pace(1, 256, clock)
    found = []
    for number in range(400):
        found.append(pace.size())
        with pace.turn(found[-1], 1.0):
            clock.now += 0.02 if number < 100 else 0.2
    assert found[-2] == 256


def test_a_list_waits_for_its_turn_and_no_longer_than_it_may() -> None:
    pace = Pace(1, 256)
    with pace.turn(1, 1.0) as came:
        assert came
        with pace.turn(1, 0.01) as second:
            assert not second
    with pace.turn(1, 0.01) as third:
        assert third


def test_each_endpoint_gets_a_list() -> None:
    pace = Pace(2, 256)
    with pace.turn(1, 1.0) as first, pace.turn(1, 1.0) as second, pace.turn(1, 0.01) as third:
        assert (first, second, third) == (True, True, False)


def test_nothing_is_learnt_while_long_lists_are_under_way_and_all_is_forgotten() -> None:
    clock = Clock()
    pace = Pace(1, 256, clock)
    for _ in range(3):
        with pace.turn(pace.size(), 1.0):
            clock.now += 1
    assert pace.size() > 1
    with pace.at_full_length():
        assert pace.size() == 1
        with pace.turn(1, 1.0):
            clock.now += 40
        assert pace.size() == 1


def test_a_list_that_fails_teaches_nothing() -> None:
    pace = Pace(1, 256)
    with pytest.raises(ValueError, match="broken"), pace.turn(1, 1.0):
        raise ValueError("broken")
    assert pace.size() == 1
    with pace.turn(1, 0.01) as came:
        assert came
