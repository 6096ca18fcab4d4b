"""Folders in a bucket, on a real server of them (Azurite), by either engine: the same files, each once."""

import base64
import json
import os
import secrets
import subprocess
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from threading import Lock

import pandas as pd
import pytest

from core.bulk.folder import classify_folder
from core.bulk.lease import LEASE
from core.bulk.place import place_of
from core.bulk.run import RunStopped
from core.errors import TableError
from core.settings import REPOSITORY, Settings
from core.triage import TriageDesk
from tests.conftest import unused_port
from tests.fault_server import Behaviour, FaultServer

AZURITE = REPOSITORY / ".venv" / "share" / "azurite" / "node_modules" / ".bin" / "azurite-blob"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not AZURITE.exists(), reason="Azurite is not installed: `make test-servers` installs it"),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::FutureWarning"),
]
ROWS, PART = 900, 150


@pytest.fixture(scope="module", autouse=True)
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A server of buckets with an account of its own, and the variables that tell of it."""
    port = unused_port()
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    where = f"http://127.0.0.1:{port}/ward"
    told = {
        "AZURE_STORAGE_CONNECTION_STRING": f"DefaultEndpointsProtocol=http;AccountName=ward;AccountKey={key};"
        f"BlobEndpoint={where};"
    }
    server = subprocess.Popen(
        [AZURITE, "--inMemoryPersistence", "--disableTelemetry", "--skipApiVersionCheck", "--silent",
         "--blobPort", str(port)],
        env={**os.environ, "AZURITE_ACCOUNTS": f"ward:{key}"}, cwd=tmp_path_factory.mktemp("azurite"),
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        for name, value in told.items():
            patch.setenv(name, value)
        try:
            _wait_for_a_container()
            yield
        finally:
            server.terminate()
            server.wait(10)


def _wait_for_a_container() -> None:
    from azure.core.exceptions import AzureError
    from azure.storage.blob import BlobServiceClient

    end = time.monotonic() + 30
    with BlobServiceClient.from_connection_string(
        os.environ["AZURE_STORAGE_CONNECTION_STRING"], retry_total=0
    ) as client:
        while True:
            try:
                client.create_container("ward")
                return
            except AzureError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)


@pytest.fixture
def folder() -> str:
    """A folder of the bucket with two tables."""
    url = f"abfs://ward/{secrets.token_hex(4)}"
    texts = [f"note {number // 2} 头疼" for number in range(ROWS)]
    frame = pd.DataFrame({"id": range(ROWS), "text": texts})
    write(f"{url}/in/2025/notes.csv", frame.to_csv(index=False).encode("utf-8-sig"))
    write(f"{url}/in/more.parquet", frame[:200].to_parquet(None, row_group_size=50))
    return url


def write(url: str, content: bytes) -> None:
    place = place_of(url)
    place.fs.pipe_file(place.path, content)  # type: ignore[attr-defined]


def files(url: str) -> dict[str, bytes]:
    """Every file of the answers, by its name."""
    root = place_of(url)
    found = root.fs.find(root.path)  # type: ignore[attr-defined]
    names = [str(name).split("/out", 1)[1] for name in found]
    return {name: (root / name.lstrip("/")).read_bytes() for name in names if "/_triage/" not in name}


def test_a_bucket_is_read_and_written_and_what_is_done_is_not_done_again(folder: str, desk: TriageDesk) -> None:
    first = classify_folder(f"{folder}/in", f"{folder}/out", desk, part_rows=PART)
    assert (first.rows, first.errors, first.reused_rows) == (ROWS + 200, 0, 0)
    written = files(f"{folder}/out")
    assert sorted(written)[:2] == ["/2025/notes-00000-of-00006.csv", "/2025/notes-00001-of-00006.csv"]
    assert len(written) == 8
    again = classify_folder(f"{folder}/in", f"{folder}/out", desk, part_rows=PART)
    assert (again.rows, again.reused_rows) == (ROWS + 200, ROWS + 200)
    place_of(f"{folder}/out/more-00001-of-00002.parquet").unlink()
    assert classify_folder(f"{folder}/in", f"{folder}/out", desk, part_rows=PART).reused_rows == ROWS + 150
    assert files(f"{folder}/out") == written


def test_either_engine_goes_on_with_what_the_other_left_in_the_bucket(
    cluster: str, server: FaultServer, folder: str, desk: TriageDesk, settings: Settings
) -> None:
    classify_folder(f"{folder}/in", f"{folder}/local/out", desk, part_rows=PART)

    def fail_once(first: Lock, rows: int) -> None:
        if first.acquire(blocking=False):  # a call under way as the run stops is told of after it
            server.behaviour = Behaviour(status=500)

    for first, second in ((settings, None), (None, settings)):
        target = f"{folder}/{'ray' if first else 'other'}/out"
        fail_later = partial(fail_once, Lock())
        with pytest.raises(RunStopped, match=r"of 1,100 rows are done and kept"):
            classify_folder(
                f"{folder}/in", target, desk, part_rows=PART, patience=0.5, cluster=first, on_done=fail_later
            )
        server.behaviour = Behaviour()
        report = classify_folder(f"{folder}/in", target, desk, part_rows=PART, cluster=second)
        assert (report.rows, report.errors) == (ROWS + 200, 0)
        assert files(target) == files(f"{folder}/local/out")


def test_a_second_run_in_the_bucket_says_so_and_leaves(folder: str, desk: TriageDesk) -> None:
    lease = {"run": "another", "until": time.time() + 300}
    write(f"{folder}/out/_triage/{LEASE}", json.dumps(lease).encode())
    with pytest.raises(TableError, match=r"Another run is writing there now, .* wait 5 minutes, or delete abfs://"):
        classify_folder(f"{folder}/in", f"{folder}/out", desk)
    write(f"{folder}/out/_triage/{LEASE}", json.dumps(lease | {"until": time.time() - 1}).encode())
    assert classify_folder(f"{folder}/in", f"{folder}/out", desk).rows == ROWS + 200
    assert not place_of(f"{folder}/out/_triage/{LEASE}").exists()


def test_a_changed_table_in_the_bucket_is_refused(folder: str, desk: TriageDesk) -> None:
    classify_folder(f"{folder}/in", f"{folder}/out", desk)
    write(f"{folder}/in/2025/notes.csv", b"id,text\n1,changed\n")
    with pytest.raises(TableError, match=r"2025/notes\.csv: digest was .* and is .* now"):
        classify_folder(f"{folder}/in", f"{folder}/out", desk)


def test_a_bucket_that_can_t_be_read_or_written_is_said(
    folder: str, desk: TriageDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TableError, match=r"abfs://ward/nowhere does not exist"):
        classify_folder("abfs://ward/nowhere", str(tmp_path / "out"), desk)
    with pytest.raises(TableError, match=r"abfs://missing-container.* can't be written"):
        classify_folder(f"{folder}/in", "abfs://missing-container/out", desk)
    assert classify_folder(f"{folder}/in", str(tmp_path / "out"), desk).rows == ROWS + 200
