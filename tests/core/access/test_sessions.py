from datetime import UTC, datetime, timedelta

import pytest

from core.access.sessions import LONGEST, SKEW, Ending, SignIn, expiry_of

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
IDLE = timedelta(minutes=15)
SECOND = timedelta(seconds=1)


def sign_in(*, seen: timedelta = timedelta(), expires: timedelta = timedelta(hours=8)) -> SignIn:
    return SignIn("nurse1", NOON, NOON + seen, NOON + expires)


@pytest.mark.parametrize(
    ("after", "ending"), [(timedelta(), None), (IDLE - SECOND, None), (IDLE, "idle"), (timedelta(days=9), "expired")]
)
def test_it_ends_when_nobody_used_it_for_so_long(after: timedelta, ending: Ending | None) -> None:
    assert sign_in().ending(NOON + after, IDLE) == ending


def test_it_ends_with_its_token_however_busy_the_person_is() -> None:
    busy = sign_in(seen=timedelta(minutes=59, seconds=59), expires=timedelta(hours=1))
    assert busy.ending(NOON + timedelta(minutes=59, seconds=59), IDLE) is None
    assert busy.ending(NOON + timedelta(hours=1), IDLE) == "expired"
    assert busy.left(NOON + timedelta(minutes=59, seconds=59), IDLE) == SECOND


def test_a_clock_that_runs_back_a_little_ends_nothing() -> None:
    assert sign_in().ending(NOON - SKEW, IDLE) is None


def test_a_clock_that_was_put_back_ends_it_since_nobody_can_tell_how_long_it_was_left_alone() -> None:
    assert sign_in().ending(NOON - timedelta(hours=1), IDLE) == "clock"


def test_what_has_ended_stays_so() -> None:
    ended = SignIn("nurse1", NOON, NOON, NOON + IDLE, "signed_out")
    assert ended.ending(NOON, IDLE) == "signed_out"


def test_no_time_is_left_after_the_end() -> None:
    assert sign_in().left(NOON + timedelta(days=1), IDLE) == timedelta()


def test_the_token_says_when_it_expires() -> None:
    assert expiry_of({"exp": 1_772_625_600}, NOON) == datetime.fromtimestamp(1_772_625_600, UTC)


@pytest.mark.parametrize("exp", [None, "soon", True, [1], float("nan"), 1e40])
def test_a_token_that_does_not_say_so_ends_with_the_working_day(exp: object) -> None:
    assert expiry_of({"exp": exp}, NOON) == NOON + LONGEST
