"""The OpenAPI document against the application, by schemathesis: what it promises, and what it forbids."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, given, settings
from schemathesis import Case
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import positive_data_acceptance
from starlette.types import ASGIApp

from core.settings import Settings
from tests.app.answering import MemoryRecords
from tests.app.api.conftest import HandDesk, api_over
from tests.conftest import unused_port

pytestmark = pytest.mark.slow
EXAMPLES = 40  # for each operation


@contextmanager
def served(app: ASGIApp) -> Iterator[str]:
    """The application on a port, in a thread; gives its address."""
    port = unused_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BaseSchema]:
    folder: Path = tmp_path_factory.mktemp("contract")
    given = {"api_notes_per_minute": 1_000_000, "api_jobs_per_hour": 10_000}
    with api_over(Settings(data_dir=folder, _env_file=None, **given), HandDesk(), MemoryRecords()) as api:
        with served(api.app) as address:
            found = schemathesis.openapi.from_url(f"{address}/api/openapi.json")
            found.config.update(headers={"Authorization": f"Bearer {api.key()}"})
            yield found


OPERATIONS = (
    "assess", "create_job", "read_job", "read_result", "delete_job", "fhir_assess", "cds_services", "cds_card",
    "healthz", "readyz", "metrics",
)  # fmt: skip


def test_every_operation_is_tried(document: BaseSchema) -> None:
    found = [result.ok() for result in document.get_all_operations()]
    assert sorted(operation.definition.raw["operationId"] for operation in found) == sorted(OPERATIONS)


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_api_does_what_its_document_says(document: BaseSchema, name: str) -> None:
    (operation,) = (
        each for result in document.get_all_operations() if (each := result.ok()).definition.raw["operationId"] == name
    )

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def tried(case: Case) -> None:
        # Left out: that all which fits its form is accepted. A form can't say that a file must be a table.
        case.call_and_validate(excluded_checks=[positive_data_acceptance])

    tried()
