import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from threading import Event

import pytest

from core.errors import RecordsError
from core.notes import Assessment
from core.records.database import DatabaseRecords
from core.records.records import NewAnswer
from core.records.together import Together
from core.records.verify import verify

PATIENCE = 10.0  # seconds


class Writer:
    """Writes when it may, and remembers what was written together."""

    def __init__(self) -> None:
        self.may, self.began = Event(), Event()
        self.written: list[list[int]] = []

    def write(self, items: Sequence[int]) -> list[int]:
        self.began.set()
        assert self.may.wait(PATIENCE)
        self.written.append(list(items))
        if -1 in items:
            raise RecordsError("The disk is full.")
        return [10 * item for item in items]


def behind_one_another(writer: Writer, *given: Sequence[int]) -> list[Future[list[int]]]:
    """The outcomes of what threads gave, the others while the first one's was being written."""
    together, end = Together(writer.write), time.monotonic() + PATIENCE
    with ThreadPoolExecutor(len(given)) as pool:
        found = [pool.submit(together.outcomes, given[0])]
        assert writer.began.wait(PATIENCE)
        found += [pool.submit(together.outcomes, items) for items in given[1:]]
        while len(together._waiting) < len(given) - 1:
            assert time.monotonic() < end, "not all of them wait"
            time.sleep(0.001)
        writer.may.set()
    return found


def test_what_comes_while_one_is_written_is_written_together_and_each_gets_its_own_outcome() -> None:
    writer = Writer()
    found = behind_one_another(writer, [0], *([number, number + 100] for number in range(1, 5)))
    assert [each.result() for each in found] == [[0], *([10 * n, 10 * n + 1000] for n in range(1, 5))]
    assert [len(each) for each in writer.written] == [1, 8]


def test_a_failed_transaction_is_told_to_everybody_in_it_and_to_nobody_else() -> None:
    first, *others = behind_one_another(Writer(), [0], [1], [-1])
    assert first.result() == [0]
    for each in others:
        with pytest.raises(RecordsError, match="disk is full"):
            each.result()


def test_after_a_failed_transaction_others_are_written() -> None:
    writer = Writer()
    writer.may.set()
    together = Together(writer.write)
    with pytest.raises(RecordsError):
        together.outcomes([-1])
    assert together.outcomes([7]) == [70]


def test_answers_of_many_threads_are_each_recorded_once_in_a_whole_chain(
    records: DatabaseRecords, assessment: Assessment
) -> None:
    def add(number: int) -> list[int]:
        return records.add_many([NewAnswer(assessment, f"nurse{number}", f"{number:02}{each}") for each in "ab"])

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(add, range(40)))
    recorded = {answer.id: answer.person for answer in records.answers()}
    assert len(recorded) == 80
    assert all(recorded[number] == f"nurse{place}" for place, numbers in enumerate(found) for number in numbers)
    with records.one_view() as connection:
        verdict = verify(connection, records.chain)
    assert (verdict.rows, verdict.breach) == (80, None)


def test_of_answers_recorded_together_all_stand_or_none(records: DatabaseRecords, assessment: Assessment) -> None:
    too_long = NewAnswer(replace(assessment, reasons=("x" * 401,)), "nurse2", "cd")
    with pytest.raises(RecordsError):
        records.add_many([NewAnswer(assessment, "nurse1", "ab"), too_long])
    assert records.answers() == []
    records.add(assessment, person="nurse1", note_hash="ab")
    with records.one_view() as connection:
        verdict = verify(connection, records.chain)
    assert (verdict.rows, verdict.breach) == (1, None)


def test_nothing_to_record_asks_nothing_of_the_database(records: DatabaseRecords) -> None:
    records.close()
    assert records.add_many([]) == []
