"""A real Prometheus, configured by the shipped files, scrapes a real desk; every query is put to it."""

import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from core.access.keys import KeyStore
from core.model.bundle import Bundle
from core.settings import REPOSITORY
from tests.conftest import unused_port
from tests.core.telemetry.figures import samples
from tests.deploy.queries import PROMETHEUS, Query, of_alerts, of_dashboards

PROGRAMS = ("prometheus", "promtool")
MISSING = "Prometheus is not installed: apt-get install prometheus (`make test-servers` does)"
pytestmark = pytest.mark.skipif(not all(map(shutil.which, PROGRAMS)), reason=MISSING)
OPENING = 120.0
INTERVAL = "10s"
SCRAPES = 8  # so many times 0.5 s of work, so that every rate has two points
CANARY = "Wang Xiaoming 110101199003078531 13800138000"
NOTES = (
    {"text": f"crushing chest pain and sweating for half an hour {CANARY}", "age": 67, "sex": "male"},
    {"text": f"咽痛两天，无发热 {CANARY}"},
    {"text": "..."},
)


def promtool(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["promtool", *words], capture_output=True, text=True)


def test_promtool_takes_configuration_and_rules(tmp_path: Path) -> None:
    for name in ("prometheus.yml", "rules.yml"):
        shutil.copy(PROMETHEUS / name, tmp_path)
    written = (tmp_path / "prometheus.yml").read_text(encoding="utf-8")
    (tmp_path / "key").write_text("triage_x")
    (tmp_path / "prometheus.yml").write_text(written.replace("/etc/prometheus/triage-desk.key", str(tmp_path / "key")))
    for done in (
        promtool("check", "config", str(tmp_path / "prometheus.yml")),
        promtool("check", "rules", str(PROMETHEUS / "rules.yml")),
    ):
        assert done.returncode == 0, done.stdout + done.stderr


def test_alerts_fire_when_they_should_and_only_then(tmp_path: Path) -> None:
    written = (Path(__file__).with_name("rules_test.yml")).read_text(encoding="utf-8")
    (tmp_path / "tests.yml").write_text(written.replace("RULES", str(PROMETHEUS / "rules.yml")), encoding="utf-8")
    done = promtool("test", "rules", str(tmp_path / "tests.yml"))
    assert done.returncode == 0, done.stdout + done.stderr


@dataclass(frozen=True, slots=True)
class Watched:
    """A desk that has answered, and the Prometheus that reads it."""

    desk: str
    prometheus: str
    reader: str
    log: Path

    def query(self, text: str) -> list[dict[str, Any]]:
        """What Prometheus answers; fails where it does not understand the query."""
        address = f"{self.prometheus}/api/v1/query?{urllib.parse.urlencode({'query': text})}"
        with urllib.request.urlopen(address, timeout=20) as answer:  # noqa: S310
            facts = json.loads(answer.read())
        assert facts["status"] == "success"
        found: list[dict[str, Any]] = facts["data"]["result"]
        return found

    def metrics(self) -> str:
        request = urllib.request.Request(f"{self.desk}/metrics", headers={"Authorization": f"Bearer {self.reader}"})  # noqa: S310
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            return str(answer.read().decode())


def wait_for(what: Any, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + OPENING
    while True:
        try:
            if what():
                return
        except (OSError, http.client.HTTPException):
            pass
        assert time.monotonic() < end, log.read_text()[-3000:]
        assert process.poll() is None, log.read_text()[-3000:]
        time.sleep(0.2)


def reachable(address: str) -> bool:
    with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310
        return bool(answer.status == 200)


def configuration(folder: Path, desk: int, prometheus: int, key: str) -> Path:
    """The shipped configuration with the test's addresses; nobody is at those of SGLang and the cards."""
    facts = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text(encoding="utf-8"))
    facts["global"] |= {"scrape_interval": "500ms", "scrape_timeout": "500ms", "evaluation_interval": "1s"}
    for job in facts["scrape_configs"]:
        port = {"triage-desk": desk, "prometheus": prometheus}.get(job["job_name"], 1)
        job["static_configs"] = [{"targets": [f"127.0.0.1:{port}"]}]
        if "authorization" in job:
            (folder / "key").write_text(key)
            job["authorization"]["credentials_file"] = str(folder / "key")
    shutil.copy(PROMETHEUS / "rules.yml", folder)
    (folder / "prometheus.yml").write_text(yaml.safe_dump(facts))
    return folder / "prometheus.yml"


def ask(port: int, key: str, method: str, path: str, body: bytes | None = None, kind: str = "application/json") -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, path, body, {"Authorization": f"Bearer {key}", "Content-Type": kind})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return json.loads(content) if content else None


def send_table(port: int, key: str) -> str:
    rows = "\n".join(f"ear ache since {number} days {CANARY}" for number in range(20))
    form = (
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"t.csv\"\r\nContent-Type: text/csv\r\n\r\n"
        f"note\n{rows}\n\r\n--b--\r\n"
    )  # fmt: skip
    facts = ask(port, key, "POST", "/api/v1/jobs", form.encode(), "multipart/form-data; boundary=b")
    return str(facts["id"])


@pytest.fixture(scope="module")
def watched(small_bundle: tuple[Path, Bundle], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("watched")
    keys, port, at = KeyStore(folder / "data"), unused_port(), unused_port()
    reader, ward = keys.create("reader", ["metrics"])[0], keys.create("nurse-lin", ["assess", "jobs"])[0]
    environment = os.environ | {
        "PYTHONPATH": str(REPOSITORY),
        "TRIAGE_MODEL": str(small_bundle[0]),
        "TRIAGE_DATA_DIR": str(folder / "data"),
        "TRIAGE_EMBEDDING_TIMEOUT": "60",
    }
    logs = folder / "desk.log", folder / "prometheus.log"
    with logs[0].open("wb") as out:
        desk = subprocess.Popen(
            [sys.executable, "-P", "-m", "app.server", "--port", str(port)],
            cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=out,
        )  # fmt: skip
    with logs[1].open("wb") as out:
        prometheus = subprocess.Popen(
            ["prometheus", f"--config.file={configuration(folder, port, at, reader)}",
             f"--storage.tsdb.path={folder / 'tsdb'}", f"--web.listen-address=127.0.0.1:{at}"],
            stdout=out, stderr=out,
        )  # fmt: skip
    found = Watched(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{at}", reader, logs[0])
    try:
        wait_for(lambda: reachable(f"{found.desk}/readyz"), desk, logs[0])
        wait_for(lambda: found.query("triage_red_flags_total == 0"), prometheus, logs[1])
        job = send_table(port, ward)
        for _ in range(SCRAPES):
            ask(port, ward, "POST", "/api/v1/assess", json.dumps({"notes": NOTES}).encode())
            time.sleep(0.5)
        wait_for(lambda: ask(port, ward, "GET", f"/api/v1/jobs/{job}")["state"] == "done", desk, logs[0])
        wait_for(lambda: found.query('triage_tables{state="done"} == 1'), prometheus, logs[1])
        yield found
    finally:
        for process in (prometheus, desk):
            process.send_signal(signal.SIGTERM)
        for process in (prometheus, desk):
            process.wait(40)


@pytest.mark.slow
def test_prometheus_reads_the_desk_with_its_key_and_not_without(watched: Watched) -> None:
    assert [each["value"][1] for each in watched.query('up{job="triage-desk"}')] == ["1"]
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(f"{watched.desk}/metrics", timeout=20)  # noqa: S310
    loaded = json.loads(urllib.request.urlopen(f"{watched.prometheus}/api/v1/rules", timeout=20).read())  # noqa: S310
    rules = [rule for group in loaded["data"]["groups"] for rule in group["rules"]]
    assert {rule["health"] for rule in rules} <= {"ok", "unknown"}
    assert not [rule["lastError"] for rule in rules if rule.get("lastError")]


@pytest.mark.slow
def test_every_query_is_understood_and_those_about_the_desk_give_data(watched: Watched) -> None:
    silent = []
    for query in of_dashboards():
        found = watched.query(query.filled(INTERVAL))
        if query.of_the_desk and not found and not may_be_empty(query):
            silent.append(query.place)
    assert not silent
    for query in of_alerts():
        watched.query(query.filled(INTERVAL))


def may_be_empty(query: Query) -> bool:
    """Whether there is nothing to show while all is well: no index with few notes, no other kinds of error."""
    return "triage_drift_acuity_psi" in query.metrics


@pytest.mark.slow
def test_what_notes_and_tables_did_is_what_prometheus_has(watched: Watched) -> None:
    def one(text: str) -> float:
        (found,) = watched.query(text)
        return float(found["value"][1])

    assert one('sum(triage_assessments_total{source="api",outcome=~"answered|review"})') == 2 * SCRAPES
    assert one('sum(triage_assessments_total{source="api",outcome="refused",error="NoteError"})') == SCRAPES
    assert one('sum(triage_assessments_total{source="table"})') == 20
    assert one('triage_red_flags_total{rule="chest_pain_crushing"}') == SCRAPES
    assert one('sum(triage_audit_rows_total{kind="run_finished"})') == 1
    assert one('triage_tables{state="done"}') == 1
    assert one("triage_drift_notes") == 2 * SCRAPES
    assert 0 < one("histogram_quantile(0.99, sum by (le) (triage_assessment_seconds_bucket))") < 60


@pytest.mark.slow
def test_an_open_page_is_a_session(watched: Watched) -> None:
    def sessions() -> float:
        return samples(watched.metrics())["triage_sessions", ()]

    def becomes(wanted: float) -> bool:
        end = time.monotonic() + 20
        while sessions() != wanted and time.monotonic() < end:
            time.sleep(0.1)
        return sessions() == wanted

    assert sessions() == 0
    page = f"{watched.desk.replace('http', 'ws')}/_stcore/stream"
    with connect(page, subprotocols=[Subprotocol("streamlit")], origin=Origin(watched.desk)):
        assert becomes(1)
    assert becomes(0)


@pytest.mark.slow
def test_no_label_and_no_line_holds_words_of_a_note_or_who_asked(watched: Watched) -> None:
    text = watched.metrics()
    lines = watched.log.read_text(encoding="utf-8").splitlines()
    assert all(json.loads(line)["level"] in ("info", "warning", "error") for line in lines), lines
    for word in (*CANARY.split(), "crushing chest", "咽痛", "ear ache"):
        assert word not in text
        assert not [line for line in lines if word in line]
    assert "nurse-lin" not in text
    assert any(json.loads(line).get("route") == "/api/v1/assess" for line in lines)
    series = samples(text)
    assert len(series) < 2000, "too many series"
    values = {value for _, labels in series for name, value in labels if name not in ("endpoint", "le")}
    assert not [
        value for value in values if re.search(r"\d{6}", value) and not value.startswith(("20", "multilingual"))
    ]
