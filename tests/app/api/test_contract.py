"""The OpenAPI document against the application, by schemathesis: what it promises, and what it forbids."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from core.settings import Settings
from tests.app.answering import MemoryRecords
from tests.app.api.conftest import Api, HandDesk, api_over


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    unbounded = Settings(
        data_dir=tmp_path_factory.mktemp("contract"), _env_file=None,
        api_notes_per_minute=1_000_000, api_jobs_per_hour=10_000,
    )  # fmt: skip
    with api_over(unbounded, HandDesk(), MemoryRecords()) as api:
        yield api
