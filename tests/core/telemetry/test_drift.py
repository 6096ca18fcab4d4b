import pytest

from core.model.bundle import Bundle
from core.telemetry.drift import ENOUGH, Drift, expected_shares

EXPECTED = {"1": 0.02, "2": 0.25, "3": 0.45, "4": 0.26, "5": 0.02}


def filled(levels: str, times: int, *, unfamiliar: bool = False) -> Drift:
    drift = Drift()
    for _ in range(times):
        for level in levels:
            drift.add(level, unfamiliar=unfamiliar)
    return drift


def test_few_notes_have_no_index() -> None:
    assert filled("3", ENOUGH - 1).index(EXPECTED) is None
    assert filled("3", ENOUGH).index(EXPECTED) is not None
    assert Drift().unfamiliar_share is None


def test_notes_that_spread_as_expected_have_an_index_near_0_and_others_a_large_one() -> None:
    alike = "1" + "2" * 12 + "3" * 23 + "4" * 13 + "5"
    assert filled(alike, 4).index(EXPECTED) == pytest.approx(0.0, abs=0.01)
    assert (filled("1" * 25 + "5" * 25, 4).index(EXPECTED) or 0.0) > 1.0


def test_the_share_is_that_of_the_last_notes() -> None:
    drift = filled("3", 500, unfamiliar=True)
    for _ in range(250):
        drift.add("3", unfamiliar=False)
    assert drift.unfamiliar_share == 0.5
    assert drift.notes == 500
    drift.clear()
    assert drift.notes == 0


def test_what_is_expected_is_what_the_bundle_answered_to_its_held_out_notes(
    small_bundle: tuple[object, Bundle],
) -> None:
    shares = expected_shares(small_bundle[1].manifest.tasks["acuity"])
    assert sum(shares.values()) == pytest.approx(1.0)
    assert set(shares) == set("12345")
    assert expected_shares({}) == {}
