"""Shards as tasks on a Ray cluster, with one limit on requests for all workers together.

The driver reads the table, hands out one task a shard, and keeps what comes back as a local run does: the parts folder
is the same, so either engine goes on with what the other has left. Each worker is a process with an open desk of its
own. One that dies is started again, and its shards are done again.
"""

import asyncio
import logging
import os
import secrets
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from threading import Lock
from typing import Any

import pyarrow as pa
import ray

from core.bulk.answers import Kind
from core.bulk.assess_pool import AssessPool
from core.embedding.endpoint import Answer, Endpoint
from core.errors import EndpointError, EndpointTimeout, TriageError
from core.notes import Note
from core.settings import REPOSITORY, Settings
from core.triage import TriageDesk

RETRIES = 3  # of a shard whose worker died
REACHED_WITHIN = 5.0  # seconds
AHEAD = 2  # shards a worker: one under way, the next waiting


class RayPool:
    """Workers of a Ray cluster, in the place of a local run's threads.

    Attributes:
        workers: shards under way at once.
        notes_per_call: notes that are best submitted together: a shard.

    Args:
        settings: what each worker opens its desk with; the bundle's folder has to be there on every node.
        tasks: whose cells are wanted.
        columns: name and kind of each added column.
        shard_rows: rows of a shard.
        patience: seconds to wait for an endpoint that fails as a whole.
        on_done: told how many more notes have their answer.
        workers: how many workers; none: one for each core of the cluster.
    """

    def __init__(
        self,
        settings: Settings,
        tasks: Sequence[str],
        columns: Mapping[str, Kind],
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
        given = (settings, tuple(tasks), dict(columns), patience, name if self._limiter else None)
        self._workers: list[Any] = [worker.remote(*given) for _ in range(count)]
        self._outstanding = [0] * count
        self._lock = Lock()
        self._on_done = on_done
        self.workers, self.notes_per_call = AHEAD * count, shard_rows

    def submit(self, notes: Sequence[Note]) -> Future[pa.RecordBatch]:
        """The added columns to come for the notes of a shard, in their order."""
        found: Future[pa.RecordBatch] = Future()
        with self._lock:
            place = min(range(len(self._workers)), key=self._outstanding.__getitem__)
            self._outstanding[place] += 1
        answer = self._workers[place].classify.remote(list(notes)).future()

        def finish(done: "Future[pa.RecordBatch | TriageError]") -> None:
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
                self._on_done(len(notes))
                found.set_result(result)

        answer.add_done_callback(finish)
        return found

    def close(self, *, wait: bool) -> None:
        """End the workers; whoever closes after the last shard has nothing to wait for."""
        for worker in self._workers:
            ray.kill(worker)
        if self._limiter is not None:
            ray.kill(self._limiter)


def connect() -> None:
    """Join the cluster at `RAY_ADDRESS`; without one, start a cluster of this machine.

    Raises:
        EndpointError: nobody answers there.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing about a hospital's work leaves it
    path = os.pathsep.join(filter(None, (str(REPOSITORY), os.environ.get("PYTHONPATH"))))
    address = os.environ.get("RAY_ADDRESS")
    host, _, port = (address or "").removeprefix("ray://").rpartition(":")
    try:
        if host and port.isdigit():  # Ray itself waits for minutes
            socket.create_connection((host, int(port)), REACHED_WITHIN).close()
        ray.init(
            address=address,
            include_dashboard=None if address else False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            runtime_env={"env_vars": {"PYTHONPATH": path}},
        )
    except (OSError, RuntimeError, ValueError) as error:
        raise EndpointError(
            f"The Ray cluster can't be reached ({type(error).__name__}). Is RAY_ADDRESS right?"
        ) from None


class Limiter:
    """Places for requests, lent to all workers; one that dies holds its places no longer than a request may take."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._lent: dict[int, float] = {}  # until when
        self._last = 0
        self._changed = asyncio.Condition()

    async def acquire(self, timeout: float) -> int | None:
        """The number of a place, waited for so many seconds at most and lent for as long; none when there was none."""
        end = time.monotonic() + timeout
        async with self._changed:
            while True:
                now = time.monotonic()
                self._lent = {number: until for number, until in self._lent.items() if until > now}
                if len(self._lent) < self._places:
                    self._last += 1
                    self._lent[self._last] = now + timeout + 1.0
                    return self._last
                if now >= end:
                    return None
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), min(end, *self._lent.values()) - now + 0.01)

    async def release(self, number: int) -> None:
        """Give a place back."""
        async with self._changed:
            self._lent.pop(number, None)
            self._changed.notify()


class _Limited:
    """An endpoint that asks the limiter before each request."""

    def __init__(self, endpoint: Endpoint, limiter: str) -> None:
        self._endpoint = endpoint
        self._limiter: Any = ray.get_actor(limiter)

    @property
    def name(self) -> str:
        return self._endpoint.name

    def embed(self, texts: Sequence[str], *, timeout: float, urgent: bool = False) -> Answer:
        started = time.monotonic()
        place = ray.get(self._limiter.acquire.remote(timeout))
        if place is None:
            raise EndpointTimeout(f"{self.name} is busy with other workers' requests.")
        try:
            left = timeout - (time.monotonic() - started)
            return self._endpoint.embed(texts, timeout=left, urgent=urgent)
        finally:
            self._limiter.release.remote(place)

    def abandon(self) -> None:
        self._endpoint.abandon()

    def close(self) -> None:
        self._endpoint.close()


class _Worker:
    """A process with an open desk that answers shards."""

    def __init__(
        self,
        settings: Settings,
        tasks: Sequence[str],
        columns: Mapping[str, Kind],
        patience: float,
        limiter: str | None,
    ) -> None:
        self._failed: TriageError | None = None
        try:
            self._desk = TriageDesk.open(settings)
        except TriageError as error:  # told with the first shard: an actor that can't be made says less
            self._failed = error
            return
        if limiter is not None:
            self._desk.embedder.through(lambda endpoint: _Limited(endpoint, limiter))
        self._pool = AssessPool(self._desk, tasks, columns, patience=patience)

    def classify(self, notes: list[Note]) -> "pa.RecordBatch | TriageError":
        """The added columns for a shard, or why there are none."""
        if self._failed:
            return TriageError(str(self._failed))
        size = self._pool.notes_per_call
        calls = [self._pool.submit(notes[start : start + size]) for start in range(0, len(notes), size)]
        try:
            return pa.concat_batches([call.result() for call in calls])
        except EndpointError as error:
            return EndpointError(str(error))  # without what does not travel
        except TriageError as error:
            return TriageError(str(error))
