"""A folder of tables: a file a part, in order, each kept on its own; what changed since is refused by name."""

import csv
import io
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.bulk.classify import classify_table
from core.bulk.csv_table import CsvTable
from core.bulk.folder import classify_folder
from core.bulk.folder_lock import FolderLock
from core.bulk.parquet_table import ParquetTable
from core.bulk.place import place_of
from core.bulk.run import RunStopped
from core.bulk.shard import classify_shard
from core.bulk.tables import open_table
from core.errors import EndpointUnavailable, SettingsError, TableError
from core.notes import Note
from tests.core.bulk.stub_desk import StubDesk

TEXTS = ["胸痛两小时", "a cough\nfor two days", 'she said "it hurts", then left', "头疼", "  ", "=1+1"]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    (folder / "2025").mkdir(parents=True)
    frame = pd.DataFrame({"id": range(250), "text": [TEXTS[i % 6] for i in range(250)], "age": [30] * 250})
    frame.to_csv(folder / "2025" / "january.csv", index=False)
    frame.to_parquet(folder / "2025" / "february.parquet", row_group_size=80)
    frame[:40].to_csv(folder / "small.csv", index=False, encoding="gb18030")
    return folder


def run(source: Path, target: Path, desk: StubDesk, **options: object) -> tuple[int, int, int]:
    report = classify_folder(str(source), str(target), desk, part_rows=100, **options)  # type: ignore[arg-type]
    return report.rows, report.errors, report.reused_rows


def files(target: Path) -> list[str]:
    found = (path.relative_to(target) for path in target.rglob("*") if path.is_file())
    return sorted(str(path) for path in found if path.parts[0] != "_triage")


def ids(target: Path, pattern: str) -> list[int]:
    frames = [
        pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path) for path in sorted(target.glob(pattern))
    ]
    return [int(each) for each in pd.concat(frames)["id"]]


def test_every_table_of_the_folder_comes_back_in_parts_in_order(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out"
    assert run(source, target, StubDesk()) == (540, 88, 0)
    assert files(target) == [
        "2025/february-00000-of-00003.parquet", "2025/february-00001-of-00003.parquet",
        "2025/february-00002-of-00003.parquet",
        "2025/january-00000-of-00003.csv", "2025/january-00001-of-00003.csv", "2025/january-00002-of-00003.csv",
        "small.csv",
    ]  # fmt: skip
    for pattern, rows in (("2025/january*", 250), ("2025/february*", 250), ("small.csv", 40)):
        assert ids(target, pattern) == list(range(rows))
    assert (
        pq.read_metadata(target / "2025/february-00000-of-00003.parquet").metadata[b"triage.model"] == b"stub 1 stub-8"
    )


def test_the_rows_are_those_of_a_run_over_the_table_alone(source: Path, tmp_path: Path) -> None:
    run(source, tmp_path / "out", StubDesk())
    classify_table(source / "2025" / "january.csv", tmp_path / "alone.csv", StubDesk())
    parts = [path.read_bytes() for path in sorted((tmp_path / "out").glob("2025/january*"))]
    header = parts[0].split(b"\r\n", 1)[0] + b"\r\n"
    assert parts[0] + b"".join(part.removeprefix(header) for part in parts[1:]) == (tmp_path / "alone.csv").read_bytes()


def test_what_is_finished_is_not_done_again(source: Path, tmp_path: Path) -> None:
    target, desk = tmp_path / "out", StubDesk()
    run(source, target, StubDesk())
    assert run(source, target, desk) == (540, 88, 540)
    assert desk.asked == []
    report = classify_folder(source.as_uri(), target.as_uri(), desk, part_rows=100)
    assert report.reused_rows == 540


def test_an_interrupted_run_goes_on_and_a_damaged_or_missing_file_is_done_again(source: Path, tmp_path: Path) -> None:
    target, away = tmp_path / "out", StubDesk()

    def fail_late(notes: Sequence[Note]) -> None:
        if len(away.asked) >= 300:
            raise EndpointUnavailable("The endpoint does not answer.")

    away.before = fail_late
    with pytest.raises(RunStopped, match=r"of 540 rows are done and kept; run the same command again to go on\."):
        run(source, target, away, patience=0.1)
    kept = files(target)
    assert 0 < len(kept) < 8
    whole = (target / kept[0]).read_bytes()
    (target / kept[0]).write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    (target / kept[1]).unlink()
    rows, errors, reused = run(source, target, StubDesk())
    assert (rows, errors) == (540, 88)
    assert 0 <= reused <= 300
    assert (target / kept[0]).read_bytes() == whole
    assert ids(target, "2025/january*") == list(range(250))


def test_a_shard_is_left_as_it_is_where_it_is_kept(source: Path, tmp_path: Path) -> None:
    from core.bulk.assess_pool import AssessPool
    from core.bulk.folder_plan import plan_folder
    from core.bulk.folder_target import FileTarget

    desk = StubDesk()
    pool = AssessPool(desk, patience=1)
    shard = next(plan_folder(source, tmp_path / "out", None, 100).shards())
    target = FileTarget(tmp_path / "out", shard.target, shard.planned.table, pool.layout, {})
    first = classify_shard(shard, target, pool)
    asked = len(desk.asked)
    again = classify_shard(shard, target, pool)
    pool.close(wait=True)
    assert (first.rows, first.reused, again.rows, again.reused) == (80, False, 80, True)
    assert (first.errors, len(desk.asked)) == (again.errors, asked)


def test_a_part_that_keeps_failing_is_set_aside_and_only_it_is_taken_up_again(source: Path, tmp_path: Path) -> None:
    target, desk, healed = tmp_path / "out", StubDesk(), StubDesk()
    frame = pd.read_csv(source / "2025" / "january.csv")
    frame.loc[150, "text"] = "POISON"
    frame.to_csv(source / "2025" / "january.csv", index=False)

    def fail(notes: Sequence[Note]) -> None:
        if any(note.text == "POISON" for note in notes):
            raise RuntimeError("POISON")

    desk.before = fail
    with pytest.raises(RunStopped) as stopped:
        run(source, target, desk)
    assert str(stopped.value) == (
        "1 part of the table failed 3 times and was set aside: 2025/january.csv rows 101 to 200. "
        "440 of 540 rows are done and kept; run the same command again to go on."
    )
    state = target / "_triage" / "2025"
    assert [path.read_text() for path in state.glob("*.aside")] == ["RuntimeError"]
    assert run(source, target, healed)[2] == 440
    assert len(healed.asked) == 100
    assert list(state.glob("*.aside")) == []


def test_a_changed_table_is_refused_with_both_named_and_a_new_one_is_added(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out"
    run(source, target, StubDesk())
    shutil.copy(source / "small.csv", source / "later.csv")
    assert run(source, target, StubDesk()) == (580, 94, 540)
    (source / "small.csv").write_text("id,text\n1,another\n")
    with pytest.raises(TableError, match=r"holds another run: small\.csv: digest was [0-9a-f]+ and is [0-9a-f]+ now"):
        run(source, target, StubDesk())
    (source / "small.csv").unlink()
    with pytest.raises(TableError, match=r"small\.csv was there and is not now"):
        run(source, target, StubDesk())


def test_another_bundle_or_option_is_refused_with_both_named(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out"
    run(source, target, StubDesk())
    with pytest.raises(TableError, match=r"model was stub 1 stub-8 and is stub 2 stub-8 now"):
        run(source, target, StubDesk(version="2"))
    with pytest.raises(TableError, match="for excel was False and is True now"):
        run(source, target, StubDesk(), signature=True)
    with pytest.raises(TableError, match="part rows was 100 and is 50 now"):
        classify_folder(str(source), str(target), StubDesk(), part_rows=50)


def test_a_manifest_with_a_changed_byte_is_refused(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out"
    run(source, target, StubDesk())
    place = target / "_triage" / "manifest.json"
    found = json.loads(place.read_text())
    found["run"]["model"] = "stub 2 stub-8"
    place.write_text(json.dumps(found))
    with pytest.raises(TableError, match=r"is damaged\. Nothing was done or lost"):
        run(source, target, StubDesk())


def test_a_second_run_on_the_same_target_says_so_and_leaves(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out"
    (target / "_triage").mkdir(parents=True)
    first = FolderLock(target / "_triage")
    assert first.take()
    with pytest.raises(TableError, match=r"Another run is writing to .* now\. Nothing was done"):
        run(source, target, StubDesk())
    first.leave()
    assert run(source, target, StubDesk())[0] == 540


def test_a_table_that_changes_while_it_is_read_is_said(source: Path, tmp_path: Path) -> None:
    desk = StubDesk()
    desk.before = lambda notes: os.utime(source / "small.csv", (1, 1))
    with pytest.raises(TableError, match=r"small\.csv changed while it was read"):
        run(source, tmp_path / "out", desk)


def test_a_place_that_is_no_disk_is_read_and_written(source: Path) -> None:
    bucket = place_of("memory://bucket/in")
    for path in source.rglob("*.*"):
        (bucket / str(path.relative_to(source))).write_bytes(path.read_bytes())
    for reused in (0, 540):
        report = classify_folder("memory://bucket/in", "memory://bucket/out", StubDesk(), part_rows=100)
        assert (report.rows, report.errors, report.reused_rows) == (540, 88, reused)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: (folder, folder / "out"), "is in the folder that is read"),
        (lambda folder: (folder, folder), "is in the folder that is read"),
        (lambda folder: (folder.parent / "nowhere", folder.parent / "out"), "does not exist"),
        (lambda folder: (folder / "2025" / "empty", folder.parent / "out"), "has no tables"),
        (lambda folder: (folder, folder / "small.csv"), "is in the folder that is read"),
    ],
)
def test_a_folder_that_can_t_be_read_or_written_is_refused_before_any_work(
    source: Path, make: object, message: str
) -> None:
    (source / "2025" / "empty").mkdir()
    desk = StubDesk()
    given_source, target = make(source)  # type: ignore[operator]
    with pytest.raises(TableError, match=message):
        run(given_source, target, desk)
    assert desk.asked == []


def test_one_bad_table_is_named_before_any_work(source: Path, tmp_path: Path) -> None:
    desk = StubDesk()
    (source / "bad.csv").write_text('id,text\n1,"never closes\n')
    with pytest.raises(TableError, match=r"bad\.csv: a quotation mark"):
        run(source, tmp_path / "out", desk)
    (source / "bad.csv").write_text("id,number\n1,2\n")
    with pytest.raises(TableError, match=r"bad\.csv: No column looks like"):
        run(source, tmp_path / "out", desk)
    (source / "bad.csv").unlink()
    shutil.copy(source / "small.csv", source / "small.txt")
    with pytest.raises(TableError, match=r"Two tables would be written to small\.csv"):
        run(source, tmp_path / "out", desk)
    assert desk.asked == []


def test_a_target_with_other_files_or_that_is_a_file_is_refused(source: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(TableError, match=r"holds other files\. Nothing was done"):
        run(source, tmp_path / "out", StubDesk())
    with pytest.raises(TableError, match=r"can't be written \(Not a directory\)"):
        run(source, tmp_path / "out" / "mine.txt", StubDesk())
    assert (tmp_path / "out" / "mine.txt").read_text() == "mine"


def test_an_unknown_kind_of_url_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="is no kind of place that can be used"):
        classify_folder("nonsense://bucket/in", str(tmp_path / "out"), StubDesk())
    with pytest.raises(SettingsError, match="needs a package that is not installed"):
        classify_folder("s3://bucket/in", str(tmp_path / "out"), StubDesk())


def test_tables_of_other_kinds_are_named_and_hidden_files_are_passed_over(source: Path, tmp_path: Path) -> None:
    (source / "old.xlsx").write_bytes(b"anything")
    (source / ".hidden.csv").write_text("id,text\n1,secret\n")
    report = classify_folder(str(source), str(tmp_path / "out"), StubDesk())
    assert report.rows == 540
    assert report.notices == ("old.xlsx was left out.",)


CELLS = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from('\n\r",;')).filter(str.strip)


@given(
    rows=st.lists(st.tuples(st.integers(0, 99), CELLS), min_size=1, max_size=40),
    size=st.integers(1, 12),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "gb18030"]),
)
def test_parts_of_a_csv_hold_the_rows_of_the_whole(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, str]], size: int, encoding: str
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([("id", "text"), *rows])
    path = tmp_path_factory.mktemp("parts") / "table.csv"
    path.write_text(text.getvalue(), encoding=encoding, newline="")
    try:
        table = open_table(path)
    except TableError:
        return
    assert isinstance(table, CsvTable)
    whole = next(table.batches(1000))
    parts = [table.read(part) for part in table.parts(size)]
    assert [part.rows for part in table.parts(size)] == [part.rows for part in parts]
    for name in table.columns:
        assert [cell for part in parts for cell in part.columns[name]] == list(whole.columns[name])


@given(rows=st.integers(1, 300), group=st.integers(1, 300), size=st.integers(1, 120))
def test_parts_of_a_parquet_file_hold_the_rows_of_the_whole(
    tmp_path_factory: pytest.TempPathFactory, rows: int, group: int, size: int
) -> None:
    path = tmp_path_factory.mktemp("parts") / "table.parquet"
    pd.DataFrame({"id": range(rows)}).to_parquet(path, row_group_size=group)
    table = open_table(path)
    assert isinstance(table, ParquetTable)
    parts = table.parts(size)
    assert max(part.rows for part in parts) <= size
    assert [cell for part in parts for cell in table.read(part).columns["id"]] == list(range(rows))


def test_what_a_killed_run_was_writing_is_cleared_away_and_nothing_else_is(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out"
    run(source, target, StubDesk())
    before = files(target)
    half = target / "2025" / ".january-00001-of-00003.csv.4711.tmp"
    half.write_bytes(b"id,te")
    run(source, target, StubDesk())
    assert files(target) == before
    other = tmp_path / "other"
    other.mkdir()
    (other / ".notes.1.tmp").touch()
    with pytest.raises(TableError, match="holds other files"):
        run(source, other, StubDesk())
    assert (other / ".notes.1.tmp").exists()
