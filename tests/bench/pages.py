"""What the Triage page adds: to a rerun of the smallest page, and to the endpoint's own time."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import openai
from playwright.sync_api import Page

from tests.bench.notes import unique_texts
from tests.browser.serving import Served, chromium, desk_served, port_nobody_uses, served_by
from tests.browser.triage_steps import CHEST_PAIN, answer, ask, box
from tests.browser.visitor import visiting

HELLO = Path(__file__).with_name("hello.py")
# From the key `r`, which runs a page again, to the frame after the run has ended; milliseconds by the browser's clock.
_WATCH = """() => {
  const app = document.querySelector('[data-testid=stApp]');
  window.reruns = [];
  let pressed = null, began = false;
  addEventListener('keydown', event => {
    if (event.key === 'r') { pressed = performance.now(); began = false; }
  }, true);
  new MutationObserver(() => {
    if (pressed === null) return;
    if (app.dataset.testScriptState !== 'notRunning') { began = true; return; }
    if (!began) return;
    const start = pressed;
    pressed = null;
    requestAnimationFrame(() => window.reruns.push(performance.now() - start));
  }).observe(app, { attributes: true, attributeFilter: ['data-test-script-state'] });
}"""
# From the keys that send a note to the frame in which its level stands.
_WATCH_ANSWER = """() => {
  addEventListener('keydown', event => {
    if (event.key !== 'Enter' || !event.ctrlKey) return;
    const start = performance.now();
    window.answered = null;
    const look = () => document.querySelector('.st-key-acuity h3')
      ? window.answered = performance.now() - start : requestAnimationFrame(look);
    requestAnimationFrame(look);
  }, true);
}"""


def rerun(folder: Path, scale: float) -> dict[str, Any]:
    """A rerun of the Triage page with an answer on it against one of a page that says hello, interleaved."""
    times = max(5, int(40 * scale))
    port = port_nobody_uses()
    ours: list[float] = []
    bare: list[float] = []
    with (
        desk_served(folder / "rerun") as served,
        served_by([sys.executable, str(HELLO), str(port)], port, folder / "hello", {}) as hello,
        chromium() as browser,
        visiting(browser, served.address) as nurse,
        visiting(browser, hello.address) as reader,
    ):
        nurse.open()
        ask(nurse, CHEST_PAIN)
        reader.page.goto(hello.address)
        reader.page.get_by_text("hello").wait_for()
        answer(nurse).focus()
        for page in (nurse.page, reader.page):
            page.evaluate(_WATCH)
        for _ in range(times):
            bare.append(_rerun_once(reader.page))
            ours.append(_rerun_once(nurse.page))
    return {
        "bench": "page_rerun_vs_hello",
        "ratio": round(median(ours) / median(bare), 2),
        "wanted": "<= 1.5",
        "triage_ms": round(median(ours), 1),
        "hello_ms": round(median(bare), 1),
        "times": times,
    }


def _rerun_once(page: Page) -> float:
    page.bring_to_front()
    before = int(page.evaluate("() => window.reruns.length"))
    page.keyboard.press("r")
    page.wait_for_function("before => window.reruns.length > before", arg=before)
    return float(page.evaluate("() => window.reruns.at(-1)"))


def click_to_answer(folder: Path, scale: float) -> dict[str, Any]:
    """From the keys that send a note to its level on screen, less the endpoint's own time for such a note."""
    notes = max(5, int(30 * scale))
    seen: list[float] = []
    bare: list[float] = []
    with desk_served(folder / "answer") as served, chromium() as browser, visiting(browser, served.address) as nurse:
        nurse.open()
        ask(nurse, CHEST_PAIN)
        nurse.page.evaluate(_WATCH_ANSWER)
        with _endpoint_of(served) as (client, model):
            for text in unique_texts(notes):
                started = time.perf_counter()
                client.embeddings.create(model=model, input=[f"{text} a"])
                bare.append(1000 * (time.perf_counter() - started))
                nurse.button("Next note").click()
                nurse.page.locator(".st-key-acuity").wait_for(state="detached")
                nurse.rest()
                box(nurse).fill(f"{text} b")
                nurse.page.keyboard.press("Control+Enter")
                nurse.page.wait_for_function("() => window.answered")
                seen.append(float(nurse.page.evaluate("() => window.answered")))
                nurse.rest()
    added = median(seen) - median(bare)
    return {
        "bench": "click_to_answer_adds",
        "ratio": round(median(seen) / median(bare), 2),
        "added_ms": round(added, 1),
        "wanted": "added_ms <= 300",
        "on_screen_ms": round(median(seen), 1),
        "endpoint_ms": round(median(bare), 1),
        "notes": notes,
    }


@contextmanager
def _endpoint_of(served: Served) -> Iterator[tuple[openai.OpenAI, str]]:
    """A plain client of the endpoint that a desk has started, and the model's name."""
    url = json.loads((served.folder / "endpoint.json").read_text(encoding="utf-8"))["url"]
    with openai.OpenAI(base_url=url, api_key="none", max_retries=0) as client:
        yield client, client.models.list().data[0].id
