"""Start, watch, stop and delete the run of a job.

A run is a process of its own, so that it goes on when its page is closed and when the server is started again. It holds
the job's lock for as long as it lives (the lock is taken before it is started and passed on to it), so there are never
two, and nobody has to trust a process id. A run that ended with its machine is taken up by the next server.
"""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from core.bulk.durable import write_durably
from core.bulk.jobs import MASKED, Job, expired
from core.bulk.parts_folder import SHARDS
from core.errors import TableError
from core.files import is_locked

State = Literal["new", "running", "stopped", "failed", "interrupted", "done"]
ERRORS = "errors.log"
ENDS = ("done", "stopped", "failed")
RUNS_AT_ONCE = 3  # all persons together; the endpoint serves them one after another anyway
RUNS_A_PERSON = 2  # so that one person's tables leave room for another's
PATIENCE = 6.0  # seconds until a process that was asked to end is ended
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    Attributes:
        phase: `opening` while the model is loaded, `running`, `closing` while counts are made, then the end: `done`,
            `stopped` (by a person) or `failed`.
        done: rows with an answer or an error.
        total: all rows.
        kept: rows that an earlier run had finished.
        rate: rows a second over the last half minute; 0 while there is none yet.
        trouble: the kind of error that ended it: the name of its class, or `unexpected`.
        message: the error in words, or the id under which the log has it.
    """

    phase: str
    done: int = 0
    total: int = 0
    kept: int = 0
    rate: float = 0.0
    trouble: str = ""
    message: str = ""

    @property
    def share(self) -> float:
        """How much is done, 0 to 1."""
        return min(1.0, self.done / self.total) if self.total else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Time to the end at this rate, once there is one."""
        return (self.total - self.done) / self.rate if self.rate > 0 else None

    def write(self, job: Job) -> None:
        """Put it where others read it, whole or not at all."""
        path = job.folder / "progress.json"
        beside = path.with_suffix(".tmp")
        beside.write_text(json.dumps(asdict(self), ensure_ascii=False), encoding="utf-8")
        beside.replace(path)


def progress_of(job: Job) -> Progress | None:
    """How far the job's last run is or was; none before it has begun."""
    try:
        return Progress(**json.loads((job.folder / "progress.json").read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def rows_kept(job: Job) -> int:
    """Rows in the finished shards of a run that is not at its end; their number stands in each file's name."""
    parts = job.result.with_name(f"{job.result.name}.parts")
    return sum(int(path.name.split("-")[1]) for path in parts.glob(SHARDS))


def state_of(job: Job) -> State:
    """Where the job stands."""
    if is_running(job):
        return "running"
    if job.is_done:
        return "done"
    progress = progress_of(job)
    if progress is None:
        return "new"
    if progress.phase == "stopped":
        return "stopped"
    return "failed" if progress.phase == "failed" else "interrupted"


def is_running(job: Job) -> bool:
    """Whether a process classifies the job now."""
    return is_locked(job.folder / "lock")


def start(job: Job) -> bool:
    """Start the job's run, or go on with it; false where it runs already or has finished.

    Raises:
        TableError: nothing was chosen, too many runs are under way, or no process can be started.
    """
    if job.choice is None:
        raise TableError("Choose the column with the notes first.")
    with _held(job) as handle:
        if handle is None or job.is_done:
            return False
        running = [lock.parent for lock in job.folder.parent.glob("*/lock") if is_locked(lock)]
        own = sum(_owner(folder) == job.owner for folder in running) - 1
        if own >= RUNS_A_PERSON:
            raise TableError(
                f"{own} of your tables are being classified now, more have to wait. This one is kept; "
                "start it when one is done."
            )
        others = len(running) - 1
        if others >= RUNS_AT_ONCE:
            raise TableError(
                f"{others} tables are being classified now, no more fit in. Yours is kept; start it when one is done."
            )
        (job.folder / "pid").unlink(missing_ok=True)  # of an earlier run; the number may be another process's by now
        Progress("opening", 0, job.look.rows, rows_kept(job)).write(job)
        try:
            child = _spawn(job, handle)
        except OSError:
            raise TableError("The run can't be started now. The table is kept; try again.") from None
        write_durably(job.folder / "pid", str(child.pid).encode())
    threading.Thread(target=child.wait, name=f"job-{child.pid}", daemon=True).start()  # leaves no dead process
    return True


def resume_interrupted(data_dir: Path) -> int:
    """Go on with the runs, anybody's, that ended with their machine or process; how many.

    Those that no longer fit in stay as they are, for a person to go on with.
    """
    resumed = 0
    for path in sorted((data_dir / "jobs").glob("*/job.json")):
        try:
            job = Job.read(path.parent)
            resumed += state_of(job) == "interrupted" and start(job)
        except (TableError, KeyError, TypeError, ValueError):
            continue  # being deleted, written by another version, or no room now
    return resumed


def stop(job: Job) -> None:
    """End the job's run; finished shards are kept. Returns when it has ended."""
    end = time.monotonic() + PATIENCE
    kind = signal.SIGTERM
    while is_running(job):
        with suppress(OSError, ValueError):
            os.kill(int((job.folder / "pid").read_text()), kind)
        if time.monotonic() > end:
            kind = signal.SIGKILL
        time.sleep(0.05)
    progress = progress_of(job)
    if progress and progress.phase not in ENDS:  # it ended before it could say so
        replace(progress, phase="stopped").write(job)


def start_over(job: Job) -> None:
    """Forget what runs have left, so that other columns or another model can be taken; the upload stays.

    A job that runs is left alone.
    """
    with _held(job) as handle:
        if handle is None:
            return
        for path in job.folder.glob("export*"):
            path.unlink(missing_ok=True)
        for name in ("outcome.json", "progress.json", "pid", job.result.name):
            (job.folder / name).unlink(missing_ok=True)
        shutil.rmtree(job.result.with_name(f"{job.result.name}.parts"), ignore_errors=True)


def delete(job: Job) -> None:
    """End the job's run if there is one, and delete all that is kept of it."""
    # Nobody finds it any more from here on, whatever happens next.
    (job.folder / "job.json").unlink(missing_ok=True)
    stop(job)
    shutil.rmtree(job.folder, ignore_errors=True)


def delete_expired(data_dir: Path) -> int:
    """Delete the jobs that nobody has used for a week; how many."""
    found = [folder for folder in expired(data_dir) if not is_locked(folder / "lock")]
    for folder in found:
        shutil.rmtree(folder, ignore_errors=True)
    return len(found)


def export(job: Job, suffix: str, *, masked: bool = False) -> Path:
    """The classified table as a file of this kind; made in a process of its own the first time.

    Args:
        job: a job that is done.
        suffix: `.csv`, `.xlsx` or `.parquet`.
        masked: without identifiers.

    Raises:
        TableError: it can't be made.
    """
    if suffix == ".parquet" and not masked:
        return job.result
    target = job.export(suffix, masked=masked)
    if not target.exists():
        made = subprocess.run(  # noqa: S603 - this interpreter, a folder of ours and a suffix
            [*_command(job), suffix, *([MASKED] if masked else [])],
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if made.returncode:
            raise TableError(made.stdout.strip() or "The file can't be made. The classified table is kept.")
    return target


@contextmanager
def _held(job: Job) -> Iterator[int | None]:
    """The job's lock, held until the block's end and by whoever was given the handle; none where another holds it."""
    try:
        handle = os.open(job.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        raise TableError("This table is no longer here. Upload it again.") from None
    try:
        yield handle if _taken(handle) else None
    finally:
        os.close(handle)


def _taken(handle: int) -> bool:
    """Take a lock; somebody may hold it for a moment who only looks whether it is held."""
    for _ in range(20):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            time.sleep(0.01)
        else:
            return True
    return False


def _owner(folder: Path) -> str | None:
    try:
        return Job.read(folder).owner
    except (TableError, KeyError, TypeError, ValueError):
        return None


def _spawn(job: Job, lock: int) -> subprocess.Popen[bytes]:
    # It may live longer than the server, so it writes its errors (kinds and numbers, no text) to a file.
    with (job.folder.parent / ERRORS).open("ab") as errors:
        return subprocess.Popen(  # noqa: S603 - this interpreter and a folder of ours
            _command(job),
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            pass_fds=(lock,),
            start_new_session=True,
        )


def _command(job: Job) -> list[str]:
    return [sys.executable, "-P", "-m", "core.bulk.job_process", str(job.folder.absolute())]


def _environment() -> dict[str, str]:
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path}
