"""Whatever is changed in the audit log behind the desk's back is found, with the first row that is not right."""

import random
import tracemalloc
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, select, text

from core.errors import RecordsError
from core.records.acts import Act
from core.records.chain import Chain, Entry, Head
from core.records.database import DatabaseRecords, open_records
from core.records.engine import for_writing
from core.records.tables import audit, audit_head
from core.records.verify import Breach, Verdict, verify
from core.settings import Settings
from tests.core.records.conftest import NOON, some_assessment

ROWS = 200
COLUMNS = ("at", "person", "kind", "note_hash", "facts", "previous", "hash")
GUARDS = ("audit_no_update", "audit_no_delete", "audit_no_replace", "audit_head_no_delete")
Expected = tuple[str, int]


@pytest.fixture(scope="module")
def unguarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DatabaseRecords]:
    """Records with 200 rows in their log, whose guards somebody has taken away."""
    data_dir: Path = tmp_path_factory.mktemp("unguarded")
    records = open_records(Settings(data_dir=data_dir, _env_file=None))
    for place in range(ROWS // 4):
        number = records.add(some_assessment(), person=f"nurse{place % 3}", note_hash=f"{place:064x}")
        records.decide(number, "acuity", "2", reason="", person="nurse1")
        records.decide(number, "acuity", "1", reason="other", person="nurse1")
        records.note(Act.EXPORT, "lead", {"rows": place})
    with records._engine.begin() as connection:
        for guard in GUARDS:
            connection.exec_driver_sql(f"DROP TRIGGER {guard}")
    yield records
    records.close()


def change_a_field(connection: Connection, chance: random.Random) -> Expected:
    row, column = chance.randint(1, ROWS), chance.choice(COLUMNS)
    before = connection.execute(text(f"SELECT {column} FROM audit WHERE id = {row}")).scalar_one() or "none"
    place = chance.randrange(len(before))
    other = connection.execute(text(f"SELECT {column} FROM audit WHERE id = {row % ROWS + 1}")).scalar_one() or "x"
    if column == "previous" and row == ROWS:
        other = "0" * 64
    value = chance.choice([
        before[:place] + chr(ord(before[place]) ^ 1) + before[place + 1 :],
        before[:place] + before[place + 1 :],
        before + " ",
        "",
        before.upper() if before.upper() != before else before + "X",
        other if other != before else other[:-1],
    ])  # fmt: skip
    if value == before:
        value = before + "!"
    if chance.random() < 0.1:
        cast = chance.choice(["X'ff00'", "CAST(X'fffe41' AS TEXT)", "7"])
        connection.exec_driver_sql(f"UPDATE audit SET {column} = {cast} WHERE id = {row}")
    else:
        connection.execute(text(f"UPDATE audit SET {column} = :value WHERE id = {row}"), {"value": value})
    return "changed", row


def delete_rows(connection: Connection, chance: random.Random) -> Expected:
    first = chance.choice([1, ROWS, chance.randint(1, ROWS)])
    last = min(ROWS, first + chance.choice([0, 0, 1, 10, ROWS]))
    connection.exec_driver_sql(f"DELETE FROM audit WHERE id BETWEEN {first} AND {last}")
    return "missing", first


def swap_rows(connection: Connection, chance: random.Random) -> Expected:
    one, two = sorted(chance.sample(range(1, ROWS + 1), 2))
    if chance.random() < 0.3:
        one, two = max(1, two - 1), max(2, two)
    for before, now in ((one, -1), (two, one), (-1, two)):
        connection.exec_driver_sql(f"UPDATE audit SET id = {now} WHERE id = {before}")
    return "order", one


def insert_a_copy(connection: Connection, chance: random.Random) -> Expected:
    source, place = chance.randint(1, ROWS), chance.choice([0, 1, ROWS + 1, chance.randint(2, ROWS)])
    row = dict(connection.execute(select(audit).where(audit.c.id == source)).mappings().one())
    if 0 < place <= ROWS:
        connection.exec_driver_sql(f"UPDATE audit SET id = -id WHERE id >= {place}")
        connection.exec_driver_sql("UPDATE audit SET id = 1 - id WHERE id < 0")
    forged = chance.random() < 0.3
    if forged:
        row["person"] = "somebody"
    elif source == place:  # the row itself stays where it was, and its copy comes after it
        connection.execute(insert(audit), {**row, "id": place})
        return ("order", place + 1)
    connection.execute(insert(audit), {**row, "id": place})
    return ("changed" if forged and place > 0 else "order", place)


def move_a_row(connection: Connection, chance: random.Random) -> Expected:
    row, place = chance.randint(1, ROWS), chance.choice([-5, 0, ROWS + 1, ROWS + 50])
    connection.exec_driver_sql(f"UPDATE audit SET id = {place} WHERE id = {row}")
    if place <= 0:
        return "order", place
    return ("order", row) if row == place else ("missing", row)


def change_the_head(connection: Connection, chance: random.Random) -> Expected:
    change = chance.choice([
        "UPDATE audit_head SET rows = rows - 1",
        "UPDATE audit_head SET rows = rows - 1, last_id = last_id - 1",
        "UPDATE audit_head SET last_hash = (SELECT previous FROM audit ORDER BY id DESC LIMIT 1)",
        "UPDATE audit_head SET mac = last_hash",
        "UPDATE audit_head SET key_id = 'x'",
        "UPDATE audit_head SET at = '2020'",
        "UPDATE audit_head SET at = CAST(X'ff' AS TEXT)",
        "DELETE FROM audit_head",
    ])  # fmt: skip
    connection.exec_driver_sql(change)
    return "head", ROWS


CHANGES = (change_a_field, delete_rows, swap_rows, insert_a_copy, move_a_row, change_the_head)


def test_a_thousand_changes_are_each_found_where_they_were_made(unguarded: DatabaseRecords) -> None:
    chance, writing = random.Random(20260304), for_writing(unguarded._engine)
    missed = []
    for turn in range(1000):
        change = CHANGES[turn % len(CHANGES)]
        with writing.connect() as connection:
            expected = change(connection, chance)
            breach = verify(connection, unguarded.chain).breach
            connection.rollback()
        if breach != Breach(*expected):  # type: ignore[arg-type]
            missed.append((turn, change.__name__, expected, breach))
    assert missed == []
    with unguarded.one_view() as connection:
        assert verify(connection, unguarded.chain).breach is None


def test_rows_after_a_head_that_was_put_back_are_found(unguarded: DatabaseRecords) -> None:
    chain = unguarded.chain
    with for_writing(unguarded._engine).connect() as connection:
        row = connection.execute(select(audit).where(audit.c.id == 150)).one()
        older = Head(150, 150, row.at, row.hash)
        connection.execute(audit_head.update().values(chain._head_row(older)))
        assert verify(connection, chain).breach == Breach("head", ROWS)
        connection.rollback()


def test_two_right_ends_of_one_log_do_not_fit_together(unguarded: DatabaseRecords) -> None:
    """Somebody puts an old copy of the database back, the desk goes on, and later the first rows are changed back."""
    chain = unguarded.chain
    with for_writing(unguarded._engine).connect() as connection:
        connection.exec_driver_sql(f"DELETE FROM audit WHERE id >= {ROWS - 1}")
        row = connection.execute(select(audit).where(audit.c.id == ROWS - 2)).one()
        head = Head(ROWS - 2, ROWS - 2, row.at, row.hash)
        last = connection.execute(select(audit_head.c.last_hash)).scalar_one()
        chain.add(connection, head, [Entry(Act.EXPORT, "other history", {})], at=NOON)
        second = {"id": ROWS, "at": NOON, "person": "x", "kind": "export", "note_hash": None, "facts": "{}"}
        second |= {"previous": last}
        connection.execute(insert(audit), {**second, "hash": chain.seal(second)})
        assert verify(connection, chain).breach == Breach("order", ROWS)
        connection.rollback()


def test_an_empty_log_is_whole_and_needs_its_head(settings: Settings) -> None:
    records = open_records(settings)
    records.tidy()
    with for_writing(records._engine).connect() as connection:
        assert verify(connection, records.chain) == Verdict(0, None, None)
        connection.exec_driver_sql("DROP TRIGGER audit_head_no_delete")
        connection.execute(audit_head.delete())
        assert verify(connection, records.chain).breach == Breach("head", 0)
        connection.rollback()
    records.close()


def test_with_another_key_it_is_said_instead_of_a_fault(unguarded: DatabaseRecords) -> None:
    with unguarded.one_view() as connection, pytest.raises(RecordsError, match="another secret"):
        verify(connection, Chain(bytes(32)))


def fill(records: DatabaseRecords, rows: int) -> None:
    """Put many rows into the log, faster than one after another."""
    chain, head, made = records.chain, Head(0, 0, NOON, ""), []
    for number in range(1, rows + 1):
        at = NOON + timedelta(seconds=number)
        row = {"id": number, "at": at, "person": "nurse1", "kind": "export", "note_hash": None, "facts": '{"rows":1}'}
        row |= {"previous": head.last_hash}
        head = Head(number, number, at, chain.seal(row))
        made.append({**row, "hash": head.last_hash})
    with for_writing(records._engine).begin() as connection:
        connection.execute(insert(audit), made)
        connection.execute(audit_head.update().values(chain._head_row(head)))


def test_memory_stays_flat_however_long_the_log_is(tmp_path: Path) -> None:
    peaks = []
    for rows in (3_000, 15_000):
        records = open_records(Settings(data_dir=tmp_path / str(rows), _env_file=None))
        fill(records, rows)
        tracemalloc.start()
        with records.one_view() as connection:
            assert verify(connection, records.chain).rows == rows
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        records.close()
    assert peaks[1] < peaks[0] * 1.2 < 10_000_000
