"""A lead at the Spreadsheet page."""

import os
import subprocess
import sys
from codecs import BOM_UTF8
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Locator, expect

from core.bulk.results import SHOWN_ROWS
from core.settings import REPOSITORY
from tests.browser.serving import Served, desk_served, port_nobody_uses
from tests.browser.tables import write_gb18030
from tests.browser.visitor import Visitor

ROWS = 2_000
OPENED = 60_000  # milliseconds until a run has its model
WHOLE_RUN = 300_000  # milliseconds; half a minute where nothing else runs


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_gb18030(tmp_path_factory.mktemp("lead") / "门诊预检.csv", ROWS)


def upload(lead: Visitor, *files: Path) -> None:
    lead.page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(list(files))


def start(lead: Visitor) -> Locator:
    return lead.page.locator(".st-key-spreadsheet_start").get_by_role("button")


def classified_by_command(table: Path, target: Path, served: Served) -> bytes:
    """What `triage classify` writes for a table; its vectors come from the desk's cache."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRIAGE_")}
    subprocess.run(
        [sys.executable, "-P", "-m", "core.cli", "classify", str(table), str(target)],
        env=environment | {"TRIAGE_DATA_DIR": str(served.folder), "PYTHONPATH": str(REPOSITORY)},
        cwd=target.parent,
        check=True,
        capture_output=True,
    )
    return target.read_bytes()


def test_a_table_is_uploaded_watched_filtered_and_downloaded_as_the_command_writes_it(
    visit, served: Served, table: Path, tmp_path: Path
) -> None:
    lead = visit("zh")
    lead.open("spreadsheet")
    upload(lead, table)
    expect(lead.page.get_by_text(lead.say("Encoding: {name}", name="gb18030"))).to_be_visible()
    expect(lead.page.get_by_role("combobox", name=lead.say("Column with the notes"))).to_be_visible()
    lead.rest()

    start(lead).click()
    progress = lead.page.get_by_role("progressbar")
    expect(progress).to_be_visible()
    expect(lead.page.get_by_text(lead.say("Rows a second"))).to_be_visible(timeout=WHOLE_RUN)
    expect(lead.button("Stop")).to_be_visible()
    rows = lead.page.get_by_role("tab").first
    expect(rows).to_be_visible(timeout=WHOLE_RUN)
    lead.rest()

    expect(lead.page.get_by_test_id("stMetricValue").first).to_have_text(f"{ROWS:,}")
    shown = f"{SHOWN_ROWS:,}"
    everything = lead.say("The first {shown} of {total} rows; a download has them all.", shown=shown, total=f"{ROWS:,}")
    expect(lead.page.get_by_text(everything)).to_be_visible()
    only_errors = lead.page.get_by_test_id("stCheckbox").filter(has_text=lead.say("Only errors"))
    only_errors.click()
    expect(lead.page.get_by_text(lead.say("No row is like this. Take a filter away."))).to_be_visible()
    only_errors.click()
    expect(lead.page.get_by_text(everything)).to_be_visible()
    lead.page.get_by_role("combobox", name=lead.say.wording.task("acuity")).first.click()
    lead.page.get_by_role("option", name=lead.say.wording.label("acuity", "1")).click()
    lead.page.keyboard.press("Escape")
    expect(lead.page.get_by_text(everything)).to_have_count(0)
    lead.rest()

    with lead.page.expect_download() as download:
        lead.page.locator("[class*=st-key-download_-csv]").get_by_role("button").click()
    saved = tmp_path / "saved.csv"
    download.value.save_as(saved)
    assert download.value.suggested_filename == "门诊预检_triage.csv"
    written = saved.read_bytes()
    assert written.startswith(BOM_UTF8)  # without it Excel would not know the Chinese
    assert written.removeprefix(BOM_UTF8) == classified_by_command(table, tmp_path / "command.csv", served)
    assert len(pd.read_csv(saved, encoding="utf-8-sig")) == ROWS
    assert "主诉" not in served.log.read_text(encoding="utf-8")


def test_a_reload_in_the_middle_finds_the_run_again_and_it_can_be_stopped(visit, tmp_path: Path) -> None:
    lead = visit("en")
    lead.open("spreadsheet")
    upload(lead, write_gb18030(tmp_path / "reload.csv", 1_500))
    start(lead).click()
    under_way = lead.page.get_by_text(lead.say("Rows a second"))
    expect(under_way).to_be_visible(timeout=OPENED)
    lead.page.reload()
    expect(under_way).to_be_visible()
    lead.button("Stop").click()
    expect(lead.page.get_by_text(lead.say("You have stopped the run."))).to_be_visible()
    expect(lead.button("Go on")).to_be_visible()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("picture.csv", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)) * 8),
        ("nothing.csv", b""),
        ("head_only.csv", b"id,text\r\n"),
        ("broken.xlsx", b"PK\x03\x04 this is no workbook"),
        ("broken.parquet", b"PAR1 nor this"),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_a_sentence(visit, tmp_path: Path, name: str, content: bytes) -> None:
    lead = visit("en")
    lead.open("spreadsheet")
    (tmp_path / name).write_bytes(content)
    upload(lead, tmp_path / name)
    expect(lead.page.get_by_text(lead.say("This file can't be taken."))).to_be_visible()
    said = lead.page.get_by_role("alert").inner_text()
    assert "Traceback" not in said
    assert "/" not in said.replace("utf-8/gb18030", "")


def test_a_table_that_is_too_large_is_refused_before_it_travels(visit, tmp_path: Path) -> None:
    large = tmp_path / "large.csv"
    with large.open("wb") as file:
        file.write(b"id,text\r\n")
        file.truncate(200 << 20)
    lead = visit("en")
    lead.open("spreadsheet")
    upload(lead, large)
    refused = lead.page.get_by_test_id("stFileChip")
    expect(refused).to_contain_text("100.0MB or smaller")
    expect(refused).to_have_attribute("aria-invalid", "true")


def test_a_run_goes_on_while_the_server_is_restarted(visit, tmp_path: Path) -> None:
    rows, port = 1_200, port_nobody_uses()
    with desk_served(tmp_path / "desk", port) as first:
        lead = visit("en", at=first)
        lead.open("spreadsheet")
        upload(lead, write_gb18030(tmp_path / "restart.csv", rows))
        start(lead).click()
        expect(lead.page.get_by_text(lead.say("Rows a second"))).to_be_visible(timeout=OPENED)
    with desk_served(tmp_path / "desk", port):
        lead.page.reload()
        expect(lead.page.get_by_role("tab").first).to_be_visible(timeout=WHOLE_RUN)
        expect(lead.page.get_by_test_id("stMetricValue").first).to_have_text(f"{rows:,}")
        expect(lead.page.get_by_text(lead.say("You have stopped the run."))).to_have_count(0)
