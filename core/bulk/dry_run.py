"""A trial over a job's first rows, by the same way as the whole table goes."""

import shutil

from core.bulk.answers import added_columns, all_tasks, names_beside
from core.bulk.assess_pool import Desk
from core.bulk.classify import classify_table
from core.bulk.jobs import Choice, Job
from core.bulk.look import PREVIEW_ROWS
from core.bulk.results import ClassifiedTable
from core.bulk.run import RunStopped
from core.errors import TriageError

PATIENCE = 10.0  # seconds; somebody waits


def dry_run(job: Job, choice: Choice, desk: Desk, *, patience: float = PATIENCE) -> ClassifiedTable:
    """The first 20 rows, classified.

    Raises:
        TriageError: the endpoint or the table failed; nothing is lost.
    """
    target = job.folder / "dry_run.parquet"
    target.unlink(missing_ok=True)
    parts = target.with_name(f"{target.name}.parts")
    shutil.rmtree(parts, ignore_errors=True)
    try:
        classify_table(
            job.upload,
            target,
            desk,
            columns=choice.columns,
            sheet=choice.sheet,
            first=PREVIEW_ROWS,
            progress=False,
            patience=patience,
        )
    except RunStopped as error:
        # Its sentence tells how to go on with a command; what stopped the run is what matters here.
        raise error.__context__ if isinstance(error.__context__, TriageError) else error from None
    finally:
        shutil.rmtree(parts, ignore_errors=True)
    look = job.look
    names = names_beside(added_columns(all_tasks(desk.bundle.heads)), look.columns)
    return ClassifiedTable(target, look.columns, names, look.header_row + 1)
