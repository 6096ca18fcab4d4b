"""Words planted in notes go every way through a real server, and are nowhere afterwards: no file, log, metric, row."""

import asyncio
import http.client
import json
import os
import secrets
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.embedding.open import open_embedder
from core.model.train import train_bundle
from core.settings import REPOSITORY, Settings
from tests.conftest import SMALL_RECIPE
from tests.fault_server import Behaviour, FaultServer
from tests.page_visitor import Visitor

pytestmark = pytest.mark.slow
NAME, ID_CARD, PHRASE, SURNAME = "欧阳若汐", "11010519491231002X", "zugzwang-lantern-4711", "Featherstonehaugh"
CANARIES = (NAME, ID_CARD, PHRASE, SURNAME)
TEXT = f"{NAME}，身份证{ID_CARD}，胸口压着痛半小时。Mr. {SURNAME} says {PHRASE}."
ENCODINGS = ("utf-8", "utf-16-le", "gb18030", "unicode-escape")


@dataclass
class Site:
    """A server with everything that it may write under one folder.

    Attributes:
        folder: the data folder, the folder for temporary files and the log.
        port: where it answers.
        endpoint: what it embeds with.
        process: the server.
    """

    folder: Path
    port: int
    endpoint: FaultServer
    process: "subprocess.Popen[bytes]"

    def ask(self, method: str, path: str, body: bytes | str | None = None, kind: str = "application/json") -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with closing(connection):
            connection.request(method, path, body, {"Content-Type": kind})
            return connection.getresponse().read()

    def post(self, path: str, facts: object) -> bytes:
        return self.ask("POST", path, json.dumps(facts))


@pytest.fixture
def site(tmp_path: Path, small_table: Path, free_port: int) -> Iterator[Site]:
    with FaultServer(keep_texts=False) as endpoint:
        data = str(tmp_path / "site" / "data")
        given = {"embedding_url": endpoint.url, "embedding_model": endpoint.model, "data_dir": data}
        with open_embedder(Settings(_env_file=None, cache_url="none", **given)) as embedder:  # type: ignore[arg-type]
            train_bundle([small_table], tmp_path / "bundle", embedder, SMALL_RECIPE)
        given |= {"model": str(tmp_path / "bundle"), "embedding_timeout": "2"}
        folder = tmp_path / "site"
        (folder / "tmp").mkdir(parents=True)
        settings = {f"TRIAGE_{name.upper()}": value for name, value in given.items()}
        environment = os.environ | settings | {"PYTHONPATH": str(REPOSITORY), "TMPDIR": str(folder / "tmp")}
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "app.server", "--port", str(free_port)],
                cwd=folder, env=environment, stdout=log, stderr=log,
            )  # fmt: skip
        found = Site(folder, free_port, endpoint, process)
        try:
            wait_until_ready(found)
            yield found
        finally:
            process.kill()
            process.wait()


def wait_until_ready(site: Site) -> None:
    end = time.monotonic() + 90
    while True:
        try:
            if b'"ok"' in site.ask("GET", "/readyz") and site.process.poll() is None:
                return
        except OSError:
            pass
        assert time.monotonic() < end, (site.folder / "log").read_text()
        time.sleep(0.2)


def found_in(folder: Path) -> list[str]:
    """Where a planted word stands, in any encoding that a file might have."""
    wanted = [word.encode(encoding) for word in CANARIES for encoding in ENCODINGS]
    found = [path for path in folder.rglob("*") if path.is_file() and any(w in path.read_bytes() for w in wanted)]
    return [str(path.relative_to(folder)) for path in found]


def ask_every_way(site: Site) -> None:
    """The page, the API in all its forms, a table, and every kind of refusal."""
    answer = site.post("/api/v1/assess", {"text": TEXT})
    assert b'"tasks"' in answer
    notes = [{"text": TEXT}, {"text": f"{PHRASE} itchy rash"}]
    assert b'"assessments"' in site.post("/api/v1/assess", {"notes": notes})
    assert PHRASE.encode() not in site.post("/api/v1/assess", notes)
    patient = {"resourceType": "Communication", "status": "completed", "payload": [{"contentString": TEXT}]}
    assert b"RiskAssessment" in site.post("/api/v1/fhir/assess", patient)
    for broken in (f'{{"text": "{TEXT}', json.dumps({PHRASE: TEXT}), json.dumps({"text": [TEXT]}), TEXT):
        assert PHRASE.encode() not in site.ask("POST", "/api/v1/assess", broken.encode())
    for path in (f"/api/v1/{PHRASE}", f"/api/v1/assess?text={PHRASE}", f"/{PHRASE}", f"/api/v1/jobs/{PHRASE}"):
        site.ask("GET", path)
    asyncio.run(paste(site))


async def paste(site: Site) -> None:
    async with Visitor(f"127.0.0.1:{site.port}") as page:
        await page.ask(TEXT)


def upload(site: Site) -> str:
    """A table sent as a job; its id."""
    mark = secrets.token_hex(8)
    body = (
        f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{SURNAME}.csv"\r\n'
        f"Content-Type: text/csv\r\n\r\nid,text\r\n1,{TEXT}\r\n2,{PHRASE} itchy rash\r\n\r\n--{mark}--\r\n"
    )
    made = json.loads(site.ask("POST", "/api/v1/jobs", body.encode(), f"multipart/form-data; boundary={mark}"))
    end = time.monotonic() + 90
    while json.loads(now := site.ask("GET", f"/api/v1/jobs/{made['id']}"))["state"] != "done":
        assert time.monotonic() < end, now
        time.sleep(0.3)
    assert PHRASE.encode() in site.ask("GET", f"/api/v1/jobs/{made['id']}/result?format=csv")
    return str(made["id"])


def test_planted_words_are_nowhere_afterwards(site: Site) -> None:
    ask_every_way(site)
    job = upload(site)
    kept = found_in(site.folder)
    assert kept and all(path.startswith(f"data/jobs/{job}/") for path in kept)  # an uploaded table, while it is there
    site.ask("DELETE", f"/api/v1/jobs/{job}")

    site.endpoint.behaviour = Behaviour(delay=5)
    assert b'"status":504' in site.post("/api/v1/assess", {"text": f"{TEXT} slow"}).replace(b" ", b"")
    site.endpoint.behaviour = Behaviour(status=400)
    site.post("/api/v1/assess", {"text": f"{TEXT} broken"})
    site.endpoint.behaviour = Behaviour()
    metrics = site.ask("GET", "/metrics")
    assert not any(word.encode() in metrics for word in CANARIES)

    limits = Path(f"/proc/{site.process.pid}/limits").read_text(encoding="ascii")
    core_dumps = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
    assert core_dumps.split()[4:6] == ["0", "0"]
    site.endpoint.behaviour = Behaviour(delay=5)
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=60)
    with closing(connection):
        body = json.dumps({"text": f"{TEXT} crash"})
        connection.request("POST", "/api/v1/assess", body, {"Content-Type": "application/json"})
        time.sleep(0.5)
        site.process.send_signal(signal.SIGSEGV)  # with a note under way
        site.process.wait(30)

    assert found_in(site.folder) == []
    with closing(sqlite3.connect(site.folder / "data" / "records.sqlite")) as records:
        assert records.execute("select count(*) from answers").fetchone()[0] >= 5
        assert not any(word in "\n".join(records.iterdump()) for word in CANARIES)
