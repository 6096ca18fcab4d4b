"""Tables sent by programs, with the real desk: sent, watched, fetched, deleted; and what is no table."""

import csv
import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from core.bulk.jobs import UPLOAD_LIMIT, Jobs
from core.settings import load_settings
from tests.app.api.asking import Answer
from tests.app.api.conftest import Api, api_over

TABLE = "id,note,age\n1,胸口压着痛半小时,67\n2,sore throat for two days,20\n3,…,\n".encode()
LATEST = 120.0


def send(api: Api, content: bytes, name: str = "ward.csv", key: str | None = None, **fields: str) -> Answer:
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n' for field, value in fields.items()
    ]
    head = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    body = "".join(parts).encode() + head.encode() + content + b"\r\n--b--\r\n"
    return api.ask("POST", "/api/v1/jobs", body, key=key, headers={"Content-Type": "multipart/form-data; boundary=b"})


def finished(api: Api, id_: str, key: str) -> Any:
    end = time.monotonic() + LATEST
    while time.monotonic() < end:
        found = api.ask("GET", f"/api/v1/jobs/{id_}", key=key).json()
        if found["state"] not in ("waiting", "running"):
            return found
        time.sleep(0.3)
    raise AssertionError(found)


@pytest.fixture
def real(small_desk: Path) -> Iterator[Api]:
    """The API whose runs open the small desk."""
    with api_over(load_settings(api_jobs_per_hour=100)) as opened:
        yield opened


def test_a_table_goes_in_and_every_row_comes_back(real: Api) -> None:
    key, other = real.key("ward"), real.key("other")
    sent = send(real, TABLE, key=key, text_column="note")
    assert sent.status == 201, sent.body
    job = sent.json()
    assert sent.headers["location"] == f"/api/v1/jobs/{job['id']}"
    assert (job["rows"], job["text_column"], job["name"]) == (3, "note", "ward.csv")

    place = f"/api/v1/jobs/{job['id']}"
    for method, path in (("GET", place), ("GET", f"{place}/result"), ("DELETE", place)):
        assert real.ask(method, path, key=other).status == 404
    found = finished(real, job["id"], key)
    assert (found["state"], found["done"], found["errors"]) == ("done", 3, 1)

    result = real.ask("GET", f"{place}/result", key=key)
    assert result.headers["content-disposition"] == 'attachment; filename="ward_triaged.csv"'
    rows = list(csv.DictReader(io.StringIO(result.body.decode("utf-8-sig"))))
    assert [(row["id"], row["status"]) for row in rows] == [("1", "ok"), ("2", "ok"), ("3", "error")]
    parquet = real.ask("GET", f"{place}/result?format=parquet", key=key)
    assert pq.read_table(io.BytesIO(parquet.body)).num_rows == 3
    assert real.ask("GET", f"{place}/result?format=xlsx", key=key).body[:2] == b"PK"
    assert real.ask("GET", f"{place}/result?format=exe", key=key).status == 422

    assert real.ask("DELETE", place, key=key).status == 204
    assert real.ask("GET", place, key=key).status == 404
    assert not [path for path in (real.services.settings.data_dir / "jobs").iterdir() if path.is_dir()]


def test_a_key_of_the_same_name_takes_over_its_tables_and_a_person_of_that_name_does_not(real: Api) -> None:
    key = real.key("local-1")
    job = send(real, TABLE, key=key, text_column="note").json()
    assert Jobs(real.services.settings.data_dir, "local-1").all() == []
    assert real.ask("GET", f"/api/v1/jobs/{job['id']}/result", key=key).status == 409
    assert real.ask("DELETE", f"/api/v1/jobs/{job['id']}", key=key).status == 204


@pytest.mark.parametrize(
    ("content", "name", "fields", "kind"),
    [
        (b"\x00\x01\x02", "x.exe", {}, "table"),
        (b"", "x.csv", {}, "table"),
        (b"PK\x03\x04 no workbook", "x.xlsx", {}, "table"),
        (TABLE, "x.csv", {"text_column": "nope"}, "column"),
        (TABLE, "x.csv", {"text_column": "note", "age_column": "nope"}, "column"),
        (b"a,b\n1,2\n3,4\n", "x.csv", {}, "column"),
    ],
)
def test_what_is_no_table_is_refused_and_not_kept(
    api: Api, content: bytes, name: str, fields: dict[str, str], kind: str
) -> None:
    refused = send(api, content, name, **fields)
    assert (refused.status, refused.json()["type"]) == (422, f"urn:triage-desk:problem:{kind}")
    assert str(api.services.settings.data_dir) not in refused.body.decode()
    assert not [path for path in (api.services.settings.data_dir / "jobs").glob("*") if path.is_dir()]


def test_a_name_leads_nowhere(api: Api) -> None:
    job = send(api, TABLE, "../../../etc/passwd.csv", text_column="note").json()
    assert job["name"] == "passwd.csv"
    api.ask("DELETE", f"/api/v1/jobs/{job['id']}")


def test_a_table_over_the_limit_is_refused_while_it_comes(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    form = {"Content-Type": "multipart/form-data; boundary=b"}
    monkeypatch.setattr("app.api.door.TABLE", 1000)
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    assert api.ask("POST", "/api/v1/jobs", [head, *[b"x" * 100] * 20], headers=form).status == 413
    too_long = {**form, "Content-Length": str((UPLOAD_LIMIT + 1) << 20)}
    assert api.ask("POST", "/api/v1/jobs", b"", headers=too_long).status == 413


def test_a_form_without_a_file_is_said(api: Api) -> None:
    form = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = api.ask("POST", "/api/v1/jobs", b"--b--\r\n", headers=form)
    assert answer.json()["errors"] == [{"at": "body.file", "problem": "is missing"}]
