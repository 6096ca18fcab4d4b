"""Shards as tasks on a Ray cluster.

Each worker is a process with an open desk of its own. One that dies is started again, and its shards are done again.
Of one table the driver reads the rows, hands the notes of a shard to a worker, and keeps what comes back
(`RayPool.submit`); of a folder of tables a worker reads, answers and keeps a shard itself (`RayPool.classify`).
"""

import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from threading import Lock
from typing import Any, TypeVar

import pyarrow as pa
import ray

from core.bulk.answers import AnswerLayout
from core.bulk.assess_pool import AssessPool
from core.bulk.ray_cluster import Limited, Limiter, connect
from core.bulk.shard import ShardReport, ShardSource, ShardTarget, classify_shard
from core.errors import EndpointError, TableError, TriageError
from core.notes import Note
from core.settings import Settings
from core.triage import TriageDesk

Found = TypeVar("Found")
RETRIES = 3  # of a shard whose worker died
AHEAD = 2  # shards a worker: one under way, the next waiting


class RayPool:
    """Workers of a Ray cluster, in the place of a local run's threads.

    Attributes:
        layout: which columns the answers have.
        workers: shards under way at once.
        notes_per_call: notes that are best submitted together: a shard.

    Args:
        settings: what each worker opens its desk with; the bundle's folder has to be there on every node.
        layout: which columns the answers have.
        shard_rows: rows of a shard.
        patience: seconds to wait for an endpoint that fails as a whole.
        on_done: told how many more notes have their answer.
        workers: how many workers; none: one for each core of the cluster.
    """

    def __init__(
        self,
        settings: Settings,
        layout: AnswerLayout,
        *,
        shard_rows: int,
        patience: float,
        on_done: Callable[[int], None] = lambda _: None,
        workers: int | None = None,
    ) -> None:
        if not ray.is_initialized():
            connect()
        cluster: Any = ray
        count = workers or max(1, int(cluster.cluster_resources().get("CPU", 1)))
        places = settings.embedding_concurrency * max(1, len(settings.embedding_urls))
        name = f"triage-limiter-{secrets.token_hex(8)}"  # by name: a restarted worker finds it, a handle may be lost
        limiter: Any = ray.remote(num_cpus=0)(Limiter)
        self._limiter = limiter.options(name=name).remote(places) if settings.embedding_url else None
        worker: Any = ray.remote(num_cpus=1, max_restarts=-1, max_task_retries=RETRIES)(_Worker)
        given = (settings, patience, name if self._limiter else None)
        self._workers: list[Any] = [worker.remote(*given) for _ in range(count)]
        self._outstanding = [0] * count
        self._lock = Lock()
        self._on_done = on_done
        self.layout = layout
        self.workers, self.notes_per_call = AHEAD * count, shard_rows

    def submit(self, notes: Sequence[Note]) -> Future[pa.RecordBatch]:
        """The added columns to come for the notes of a shard, in their order."""
        found: Future[pa.RecordBatch] = Future()
        self._ask("answer", (list(notes),), found, lambda _: len(notes))
        return found

    def classify(self, source: ShardSource, target: ShardTarget) -> Future[ShardReport]:
        """The report to come of a shard that a worker reads and keeps itself."""
        found: Future[ShardReport] = Future()
        self._ask("classify", (source, target), found, lambda report: report.rows)
        return found

    def _ask(self, method: str, given: tuple[object, ...], found: Future[Any], rows: Callable[[Any], int]) -> None:
        """Have the worker with the least to do do it, and put into `found` what comes of it."""
        with self._lock:
            place = min(range(len(self._workers)), key=self._outstanding.__getitem__)
            self._outstanding[place] += 1
        answer = getattr(self._workers[place], method).remote(*given).future()
        answer.add_done_callback(partial(self._finish, place, found, rows))

    def _finish(self, place: int, found: Future[Any], rows: Callable[[Any], int], done: Future[Any]) -> None:
        with self._lock:
            self._outstanding[place] -= 1
        try:
            result = done.result()
        except Exception as error:  # handed to the thread that asked
            found.set_exception(error)
            return
        if isinstance(result, TriageError):
            found.set_exception(result)
        else:
            self._on_done(rows(result))
            found.set_result(result)

    def close(self, *, wait: bool) -> None:
        """End the workers; whoever closes after the last shard has nothing to wait for."""
        for worker in self._workers:
            ray.kill(worker)
        if self._limiter is not None:
            ray.kill(self._limiter)


class _Worker:
    """A process with an open desk that answers shards.

    What goes wrong comes back as a value: an exception of Ray's own would have lost its kind.
    """

    def __init__(self, settings: Settings, patience: float, limiter: str | None) -> None:
        self._failed: TriageError | None = None
        try:
            self._desk = TriageDesk.open(settings)
        except TriageError as error:  # told with the first shard: an actor that can't be made says less
            self._failed = error
            return
        if limiter is not None:
            self._desk.embedder.through(lambda endpoint: Limited(endpoint, limiter))
        self._pool = AssessPool(self._desk, patience=patience)

    def answer(self, notes: list[Note]) -> "pa.RecordBatch | TriageError":
        """The added columns for the notes of a shard, or why there are none."""
        return self._try(lambda: self._answered(notes))

    def classify(self, source: ShardSource, target: ShardTarget) -> "ShardReport | TriageError":
        """The report of a shard, or why there is none."""
        return self._try(lambda: classify_shard(source, target, self._pool))

    def _answered(self, notes: list[Note]) -> pa.RecordBatch:
        size = self._pool.notes_per_call
        calls = [self._pool.submit(notes[start : start + size]) for start in range(0, len(notes), size)]
        return pa.concat_batches([call.result() for call in calls])

    def _try(self, work: Callable[[], Found]) -> "Found | TriageError":
        if self._failed:
            return TriageError(str(self._failed))
        try:
            return work()
        except EndpointError as error:
            return EndpointError(str(error))  # without what does not travel
        except TriageError as error:
            return TableError(str(error)) if isinstance(error, TableError) else TriageError(str(error))
