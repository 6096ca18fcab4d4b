"""`/api/v1/jobs`: a table of notes in, every row back with its answers; the same jobs as the Spreadsheet page's."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from starlette.responses import FileResponse, JSONResponse, Response

from app.api.guard import GuardedRoute, needs
from app.api.models import JobOut
from app.api.names import V1
from app.api.problems import Problem
from app.api.work import Services
from core.access.principal import Principal
from core.bulk.columns import Columns
from core.bulk.job_run import delete, delete_expired, export, progress_of, start, state_of
from core.bulk.jobs import KEPT_DAYS, UPLOAD_LIMIT, Choice, Job, Jobs
from core.bulk.look import TableLook
from core.bulk.outcome import Outcome
from core.errors import TableError

OWNER = "api:"  # before a key's name: a person of that name is somebody else
ANOTHER_TIME = "30"  # seconds until a run may have ended
TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}
router = APIRouter(route_class=GuardedRoute, tags=["Tables"])
Column = Annotated[str | None, Form(max_length=500)]


class UploadRoute(GuardedRoute):
    """A guarded route whose key must have a table left for this hour before the table is read."""

    counts = "jobs"


uploads = APIRouter(route_class=UploadRoute, tags=["Tables"])


@uploads.post(
    f"{V1}/jobs",
    status_code=201,
    summary="Send a table",
    operation_id="create_job",
    responses={201: {"model": JobOut}},
    openapi_extra=needs("jobs"),
    response_model=None,
)
async def create_job(
    request: Request,
    file: Annotated[UploadFile, File(description=f"csv, xlsx, xls or parquet, at most {UPLOAD_LIMIT} MB.")],
    text_column: Column = None,
    age_column: Column = None,
    sex_column: Column = None,
    sheet: Column = None,
) -> JSONResponse:
    """Columns are found by name and content where these are clear. The table is kept for a week, or until deleted."""
    services: Services = request.app.state.services
    jobs = _jobs(services, request.state.principal)

    def kept() -> Job:
        delete_expired(services.settings.data_dir)
        return _begun(jobs, file, Columns(text_column or "", age_column, sex_column), sheet)

    job = await services.with_files(kept)
    headers = {"Location": f"{V1}/jobs/{job.id}"}
    return JSONResponse(await services.with_files(lambda: _facts(job)), 201, headers)


@router.get(
    f"{V1}/jobs/{{id}}",
    summary="How far a table is",
    operation_id="read_job",
    responses={200: {"model": JobOut}},
    openapi_extra=needs("jobs"),
    response_model=None,
)
async def read_job(request: Request, id: str) -> JSONResponse:
    """One that waits for its turn is started here when there is room, so ask again from time to time."""
    services: Services = request.app.state.services
    job = _found(services, request.state.principal, id)
    return JSONResponse(await services.with_files(lambda: _facts(job, begin=True)))


@router.get(
    f"{V1}/jobs/{{id}}/result",
    summary="The table with its answers",
    operation_id="read_result",
    responses={200: {"content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in TYPES.values()}}},
    openapi_extra=needs("jobs"),
    response_class=FileResponse,
    response_model=None,
)
async def read_result(
    request: Request,
    id: str,
    format: Annotated[Literal["csv", "parquet", "xlsx"], Query()] = "csv",
) -> FileResponse:
    """All columns and rows as they came, in order, and the answers beside them."""
    services: Services = request.app.state.services
    job = _found(services, request.state.principal, id)
    if not job.is_done:
        raise Problem(409, "not-done", "This table is not classified yet.", {"Retry-After": ANOTHER_TIME})
    path = await services.with_files(lambda: export(job, f".{format}"))
    if not path.exists():
        raise Problem(404, "not-found", "There is no such table.")
    stem = job.name.rpartition(".")[0] or "table"
    return FileResponse(path, media_type=TYPES[format], filename=f"{stem}_triaged.{format}")


@router.delete(
    f"{V1}/jobs/{{id}}",
    status_code=204,
    summary="Delete a table and its answers",
    operation_id="delete_job",
    openapi_extra=needs("jobs"),
    response_class=Response,
    response_model=None,
)
async def delete_job(request: Request, id: str) -> Response:
    """A run that is under way is ended. Nothing of the table is kept."""
    services: Services = request.app.state.services
    job = _found(services, request.state.principal, id)
    await services.with_files(lambda: delete(job))
    return Response(status_code=204)


def _jobs(services: Services, principal: Principal) -> Jobs:
    return Jobs(services.settings.data_dir, OWNER + principal.name)


def _found(services: Services, principal: Principal, id_: str) -> Job:
    """This key's table.

    Raises:
        Problem: 404, there is none, or it is another key's.
    """
    job = _jobs(services, principal).find(id_)
    if job is None:
        raise Problem(404, "not-found", f"There is no such table. Tables are deleted after {KEPT_DAYS} days.")
    return job


def _begun(jobs: Jobs, file: UploadFile, wanted: Columns, sheet: str | None) -> Job:
    """The table, kept and its run begun; nothing stays where its columns are not clear.

    Raises:
        TableError, Problem: it can't be taken.
    """
    job = jobs.create(file.filename or "table", file.file)
    try:
        look = job.look
        if look.asks_for_sheet:
            if sheet not in look.sheets:
                raise Problem(422, "sheet", f"Say which sheet: {', '.join(look.sheets)}.")
            look = job.look_into(sheet)
        job = job.chosen(Choice(_columns(look, wanted), look.sheet))
    except Exception:  # whatever it was, whoever sent the table gets no id to delete it by; it is told on
        delete(job)
        raise
    _try_to_start(job)
    return job


def _columns(look: TableLook, wanted: Columns) -> Columns:
    """The columns named, else those that the look found.

    Raises:
        Problem: there is no such column, or none that is clearly the notes'.
    """
    for name in filter(None, (wanted.text, wanted.age, wanted.sex)):
        if name not in look.columns:
            raise Problem(422, "column", "The table has no column of one of the names given.")
    text = wanted.text or look.text
    if text is None:
        raise Problem(422, "column", "It is not clear which column holds the notes. Name it: text_column.")

    def other(name: str | None, found: str | None) -> str | None:
        return name or (found if found != text else None)

    return Columns(text, other(wanted.age, look.age), other(wanted.sex, look.sex))


def _try_to_start(job: Job) -> None:
    """Begin the run; where too many are under way the table waits, and the next question after it tries again."""
    try:
        start(job)
    except TableError:
        return


def _facts(job: Job, *, begin: bool = False) -> dict[str, Any]:
    state = state_of(job)
    if begin and state == "new":
        _try_to_start(job)
        state = state_of(job)
    progress, look = progress_of(job), job.look
    facts: dict[str, Any] = {
        "id": job.id,
        "name": job.name,
        "state": "waiting" if state == "new" else state,
        "created": job.created.isoformat(timespec="seconds"),
        "rows": look.rows,
        "done": look.rows if state == "done" else (progress.done if progress else 0),
        "text_column": job.choice.columns.text if job.choice else "",
        "seconds_left": progress.seconds_left if progress and state == "running" else None,
    }
    if state == "failed" and progress:
        facts["trouble"] = progress.trouble
    if state == "done":
        facts["errors"] = Outcome.read(job).summary.errors
    return facts
