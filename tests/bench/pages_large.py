"""What pages do with much: a table through the page, a map of 100,000 notes, memory after many uploads."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from playwright.sync_api import Locator, Page

from app.charts.map import map_figure
from app.charts.map_colours import colouring_by
from app.text import Voice
from core.explore.points import reference_notes
from core.explore.projection import draw_map, fit_axes
from core.model.bundle import Bundle, Reference, load_bundle, save_bundle
from core.settings import REPOSITORY
from tests.bench.notes import starter_texts, unique_texts, write_table
from tests.browser.serving import chromium, desk_served
from tests.browser.visitor import Visitor, visiting

WHOLE_RUN = 1_800_000  # milliseconds
POINTS = 100_000
UPLOAD_BYTES = 5_000_000
FEW, MANY = 5, 50
# Milliseconds since the page was asked for, once plotly has drawn its points by WebGL; looked at in each frame.
_DRAWN = """() => new Promise(done => {
  const look = () => {
    const plot = document.querySelector('.js-plotly-plot')?._fullLayout?._plots?.xy;
    if (!plot?._scene || plot._scene.dirty) return requestAnimationFrame(look);
    requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now())));
  };
  look();
})"""


def upload(folder: Path, scale: float) -> dict[str, Any]:
    """A table through the page, from the file's choice to its result, against the command on the same table."""
    rows = max(200, int(10_000 * scale))
    table = write_table(folder / "page_rate.csv", unique_texts(rows))
    with desk_served(folder / "upload", TRIAGE_CACHE_URL="none") as served, chromium() as browser:
        started = time.perf_counter()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TRIAGE_")}
        subprocess.run(
            [sys.executable, "-P", "-m", "core.cli", "classify", str(table), str(folder / "page_rate_out.csv")],
            env=environment | {"TRIAGE_DATA_DIR": str(served.folder), "TRIAGE_CACHE_URL": "none"},
            check=True,
            capture_output=True,
        )
        command = time.perf_counter() - started
        with visiting(browser, served.address) as lead:
            lead.open("spreadsheet")
            started = time.perf_counter()
            _choose(lead, table)
            ready = time.perf_counter() - started
            _start(lead).click()
            lead.page.get_by_role("tab").first.wait_for(timeout=WHOLE_RUN)
            page = time.perf_counter() - started
    return {
        "bench": "page_upload_vs_classify",
        "ratio": round(command / page, 3),
        "wanted": ">= 0.9",
        "rows": rows,
        "page_seconds": round(page, 2),
        "until_ready_seconds": round(ready, 2),
        "command_seconds": round(command, 2),
    }


def large_map(folder: Path, scale: float) -> dict[str, Any]:
    """The Map page of a model with 100,000 reference notes against plotly alone with the same figure."""
    points = max(1_000, int(POINTS * scale))
    bundle = _with_reference(folder / "map-bundle", points)
    alone = _figure_alone(bundle, folder / "figure.html")
    ours: list[float] = []
    bare: list[float] = []
    with desk_served(folder / "map", TRIAGE_MODEL=str(bundle)) as served, chromium() as browser:
        for _ in range(3):
            with visiting(browser, served.address) as reader:
                reader.page.goto(alone.as_uri(), wait_until="commit")
                bare.append(_drawn_after(reader.page))
            with visiting(browser, served.address) as researcher:
                researcher.page.goto(f"{served.address}/map", wait_until="commit")
                ours.append(_drawn_after(researcher.page))
    return {
        "bench": "map_vs_plotly",
        "ratio": round(float(np.median(ours[1:])) / float(np.median(bare[1:])), 2),
        "wanted": "<= 3",
        "points": points,
        "page_ms": [round(one) for one in ours],  # the first one loads the model and fits the axes
        "plotly_ms": [round(one) for one in bare],
    }


def memory_of_uploads(folder: Path, scale: float) -> dict[str, Any]:
    """Memory of the server after 50 uploads of 5 MB against that after 5, by one person."""
    many = max(2 * FEW, int(MANY * scale))
    table = _table_of(folder / "five.csv", UPLOAD_BYTES)
    after: dict[int, float] = {}
    with desk_served(folder / "memory") as served, chromium() as browser, visiting(browser, served.address) as lead:
        process = psutil.Process(served.pid)
        lead.open("spreadsheet")
        for number in range(1, many + 1):
            _choose(lead, table)
            lead.button("Other tables").click()
            lead.page.get_by_test_id("stFileUploaderDropzoneInput").wait_for(state="attached")
            lead.settle()
            if number in (FEW, many):
                after[number] = process.memory_info().rss / 1e6
    return {
        "bench": "memory_after_uploads",
        "ratio": round(after[many] / after[FEW], 3),
        "wanted": "<= 1.3",
        "megabytes": {f"after {number}": round(size, 1) for number, size in after.items()},
    }


def _choose(lead: Visitor, table: Path) -> None:
    """Give a table to the page and wait until it has been read."""
    lead.page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(table)
    _start(lead).wait_for()


def _start(lead: Visitor) -> Locator:
    return lead.page.locator(".st-key-spreadsheet_start").get_by_role("button")


def _table_of(path: Path, size: int) -> Path:
    """A table of notes of about `size` bytes."""
    texts = starter_texts()
    each = sum(len(text.encode()) + 8 for text in texts) / len(texts)
    return write_table(path, [texts[number % len(texts)] for number in range(int(size / each))])


def _with_reference(folder: Path, points: int) -> Path:
    """The bundle shipped, with a reference of so many notes: its own, moved a little, over and over."""
    shipped = load_bundle(REPOSITORY / "models" / "default")
    assert shipped.reference is not None
    chance = np.random.default_rng(0)
    chosen = chance.integers(0, len(shipped.reference.vectors), points)
    moved = shipped.reference.vectors[chosen] + chance.normal(0, 0.01, (points, shipped.reference.vectors.shape[1]))
    labels = {name: column[chosen] for name, column in shipped.reference.labels.items()}
    save_bundle(folder, Bundle(shipped.manifest, shipped.heads, Reference(moved.astype(np.float16), labels)), {})
    return folder


def _figure_alone(bundle: Path, path: Path) -> Path:
    """The figure of the Map page in a page of plotly's own."""
    reference = load_bundle(bundle).reference
    assert reference is not None
    notes, say = reference_notes(reference), Voice("en")
    figure = map_figure(draw_map(notes, fit_axes(notes.vectors)), colouring_by(notes.columns[0], say), say)
    figure.write_html(path, include_plotlyjs=True)
    return path


def _drawn_after(page: Page) -> float:
    page.locator(".js-plotly-plot").first.wait_for(state="attached", timeout=WHOLE_RUN)
    return float(page.evaluate(_DRAWN))
