"""Many people at the page while PostgreSQL is stopped and started again."""

import asyncio
import itertools
import json
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import pytest
from sqlalchemy import create_engine, func, select

from core.records.tables import answers
from core.records.verify import verify
from core.settings import REPOSITORY, Settings
from tests.core.records.postgresql import PostgreSQL, binaries, running
from tests.kills.services import free_port
from tests.page_visitor import crowd

pytestmark = [
    pytest.mark.kills,
    pytest.mark.skipif(binaries() is None, reason="no PostgreSQL server here: apt-get install postgresql"),
]
PEOPLE, SECONDS, PACE = 100, 40.0, 20.0
DOWN_AT, DOWN_FOR = 10.0, 8.0


def readiness(port: int) -> tuple[int, dict[str, str]]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)
    except OSError:
        return 0, {}


def test_nothing_acknowledged_is_lost_while_the_database_restarts_under_a_crowd(
    environment: Mapping[str, str], tmp_path: Path
) -> None:
    port = free_port()
    with running() as database:
        settings = {**environment, "TRIAGE_DATABASE_URL": database.url, "PYTHONPATH": str(REPOSITORY)}
        command = [sys.executable, "-P", "-m", "app.server", "--port", str(port)]
        with (tmp_path / "log").open("wb") as log:
            server = subprocess.Popen(command, env=settings, cwd=tmp_path, stdout=log, stderr=log)
        try:
            wait_for(port, 200)
            seen: list[tuple[int, dict[str, str]]] = []
            restart = threading.Thread(target=restart_in_the_middle, args=(database, port, seen))
            texts = (f"胸口压着痛，出冷汗，第{number}次" for number in itertools.count())
            restart.start()
            found = asyncio.run(crowd(f"127.0.0.1:{port}", PEOPLE, SECONDS, PACE, texts))
            restart.join()
            wait_for(port, 200)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(60)
        kept, breach = rows_and_breach(database, Path(environment["TRIAGE_DATA_DIR"]))
    assert len(found) == PEOPLE * SECONDS / PACE  # everybody got every answer, also meanwhile
    recorded = sum(each.is_recorded for each in found)
    assert kept >= recorded
    assert breach is None
    assert 0 < recorded < len(found), "the database was not away while anybody asked"
    during = [parts for status, parts in seen if status == 503]
    assert during and any("database" in json.dumps(parts) for parts in during)
    assert "第1次" not in (tmp_path / "log").read_text(encoding="utf-8", errors="replace")


def restart_in_the_middle(database: PostgreSQL, port: int, seen: list[tuple[int, dict[str, str]]]) -> None:
    """Stop the database once the crowd is there, and start it again."""
    time.sleep(0.05 * PEOPLE + DOWN_AT)
    database.stop()
    end = time.monotonic() + DOWN_FOR
    while time.monotonic() < end:
        seen.append(readiness(port))
        time.sleep(0.5)
    database.start()


def wait_for(port: int, status: int) -> None:
    end = time.monotonic() + 120
    while readiness(port)[0] != status:
        assert time.monotonic() < end
        time.sleep(0.2)


def rows_and_breach(database: PostgreSQL, data_dir: Path) -> tuple[int, object]:
    from core.records.database import open_records

    engine = create_engine(database.url)
    with engine.connect() as connection:
        kept = int(connection.execute(select(func.count()).select_from(answers)).scalar_one())
    engine.dispose()
    records = open_records(Settings(data_dir=data_dir, database_url=database.url, _env_file=None))  # type: ignore[arg-type]
    with records.one_view() as view:
        breach = verify(view, records.chain).breach
    records.close()
    return kept, breach
