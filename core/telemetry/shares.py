"""What the processes of tables count, so that the server's `/metrics` tells of it, too.

::

    <data_dir>/metrics/lock          held while the files below are changed or read together
    <data_dir>/metrics/<id>.json     what a process of a table has counted so far; written every few seconds
    <data_dir>/metrics/ended.json    the sum of what ended processes have counted

Counters and histograms are added up; nothing else is shared. They are told as series of their own, with the label
`process="tables"`: a server that is started again begins its own at 0, while these never go back, and one series must
not do both. A process adds its counts to the sum when it ends; those of one that was killed stay in its file and are
added by the next process to end. What `triage classify` does on a command line is not the server's, and is not told.

`prometheus_client` has a mode for several processes, by files in a folder that an environment variable names before the
first import. It counts for processes of one start of one server, and has no metrics of other kinds beside it.
"""

import fcntl
import json
import os
import secrets
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Sample

from core.files import is_locked
from core.telemetry.metrics import REGISTRY

EVERY = 5.0  # seconds
FOLDER, ENDED = "metrics", "ended.json"
ADDED_UP = ("counter", "histogram")
TABLES = {"process": "tables"}
Key = tuple[str, str, tuple[tuple[str, str], ...]]  # metric, sample, labels
Counts = dict[Key, float]


def counts_of(families: Iterable[Metric]) -> Counts:
    """What counters and histograms of the desk stand at."""
    return {
        (family.name, sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        if family.type in ADDED_UP and family.name.startswith("triage_")
        for sample in family.samples
        if sample.value or family.type == "histogram"  # all buckets of a histogram, or its quantiles would be wrong
    }


def counted_elsewhere(data_dir: Path) -> Counts:
    """What all processes of tables have counted together; nothing where that can't be read."""
    folder = data_dir / FOLDER
    found: Counts = {}
    if folder.is_dir():
        with suppress(OSError), _held(folder, fcntl.LOCK_SH):
            for path in folder.glob("*.json"):
                _add(found, _read(path))
    return found


def with_counts(families: Iterable[Metric], counts: Mapping[Key, float]) -> Iterator[Metric]:
    """The metrics, and beside their series those of the processes of tables."""
    apart: dict[str, list[Sample]] = {}
    for (name, sample, labels), value in counts.items():
        apart.setdefault(name, []).append(Sample(sample, {**dict(labels), **TABLES}, value))
    for family in families:
        if family.name not in apart:
            yield family
            continue
        both = Metric(family.name, family.documentation, family.type, family.unit)
        both.samples = [*family.samples, *apart[family.name]]
        yield both


class Share:
    """This process's file, written every few seconds from a thread until `close` adds it to the sum.

    Args:
        data_dir: the desk's data folder. Where it can't be written, nothing is told.
        every: seconds between two writes.
    """

    def __init__(self, data_dir: Path, every: float = EVERY) -> None:
        self._folder = data_dir / FOLDER
        self._path = self._folder / f"{secrets.token_hex(8)}.json"
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._tell, args=(every,), name="metrics", daemon=True)
        self._live: int | None = None

    def open(self) -> None:
        """Begin to write."""
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._live = os.open(self._path.with_suffix(".live"), os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._live, fcntl.LOCK_EX)  # ends with the process, however it ends
        self._thread.start()

    def close(self) -> None:
        """Add what was counted to the sum."""
        self._ending.set()
        self._thread.join()
        with suppress(OSError), _held(self._folder, fcntl.LOCK_EX):
            total, ended = counts_of(REGISTRY.collect()), _left_behind(self._folder)
            for path in (self._folder / ENDED, *ended):
                _add(total, _read(path))
            _write(self._folder / ENDED, total)
            for path in (self._path, *ended):
                path.unlink(missing_ok=True)
                path.with_suffix(".live").unlink(missing_ok=True)
        if self._live is not None:
            os.close(self._live)

    def _tell(self, every: float) -> None:
        while not self._ending.wait(every):
            with suppress(OSError):
                _write(self._path, counts_of(REGISTRY.collect()))


def _left_behind(folder: Path) -> list[Path]:
    """Files of processes that are no more."""
    return [path for path in folder.glob("*.json") if path.name != ENDED and not is_locked(path.with_suffix(".live"))]


@contextmanager
def _held(folder: Path, how: int) -> Iterator[None]:
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, how)
        yield
    finally:
        os.close(handle)


def _write(path: Path, counts: Counts) -> None:
    beside = path.with_suffix(f".{os.getpid()}")
    rows = [[metric, sample, dict(labels), value] for (metric, sample, labels), value in counts.items()]
    beside.write_text(json.dumps(rows), encoding="utf-8")
    beside.chmod(0o600)
    beside.replace(path)


def _read(path: Path) -> Counts:
    try:
        rows = json.loads(path.read_bytes())
        return {(metric, sample, tuple(sorted(labels.items()))): float(value) for metric, sample, labels, value in rows}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _add(total: Counts, more: Counts) -> None:
    for key, value in more.items():
        total[key] = total.get(key, 0.0) + value
