"""What processes of tables count is told by the server, once, whatever becomes of them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from core.errors import EndpointTimeout
from core.settings import REPOSITORY
from core.telemetry import observe
from core.telemetry.live import Live
from core.telemetry.shares import FOLDER, Share, counted_elsewhere
from tests.core.telemetry.figures import samples, total

PROCESS = """
import sys, time
from pathlib import Path
from core.errors import EndpointTimeout
from core.telemetry import observe
from core.telemetry.shares import Share
share = Share(Path(sys.argv[1]), every=0.05)
share.open()
observe.failed("table", EndpointTimeout(""), 7)
observe.metrics.ENDPOINT_SECONDS.labels("elsewhere").observe(0.2)
print("counted", flush=True)
sys.stdin.readline()
share.close()
"""


def process(data_dir: Path) -> "subprocess.Popen[str]":
    started = subprocess.Popen(
        [sys.executable, "-c", PROCESS, str(data_dir)],
        cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert started.stdout is not None
    assert started.stdout.readline() == "counted\n"
    return started


def timeouts(data_dir: Path) -> float:
    text = Live(data_dir).text("")[0].decode()
    return total(text, "triage_assessments_total", source="table", error="EndpointTimeout", process="tables")


def reaches(data_dir: Path, wanted: float) -> bool:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if timeouts(data_dir) == wanted:
            return True
        time.sleep(0.05)
    return False


def end(running: "subprocess.Popen[str]") -> None:
    running.communicate("\n", timeout=20)
    assert running.returncode == 0


def test_counts_show_while_a_process_runs_and_stay_when_it_has_ended(tmp_path: Path) -> None:
    first = process(tmp_path)
    assert reaches(tmp_path, 7)
    end(first)
    assert timeouts(tmp_path) == 7
    second = process(tmp_path)
    assert reaches(tmp_path, 14)
    end(second)
    assert timeouts(tmp_path) == 14
    assert sorted(path.name for path in (tmp_path / FOLDER).iterdir()) == ["ended.json", "lock"]


def test_counts_of_a_killed_process_stay_and_are_added_by_the_next(tmp_path: Path) -> None:
    killed = process(tmp_path)
    assert reaches(tmp_path, 7)
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    assert timeouts(tmp_path) == 7
    end(process(tmp_path))
    assert timeouts(tmp_path) == 14
    assert len(list((tmp_path / FOLDER).glob("*.json"))) == 1


def test_a_histogram_of_others_has_all_its_buckets(tmp_path: Path) -> None:
    end(process(tmp_path))
    text = Live(tmp_path).text("")[0].decode()
    name = "triage_endpoint_request_seconds_bucket"
    assert f'{name}{{endpoint="elsewhere",le="0.001",process="tables"}} 0.0' in text
    assert f'{name}{{endpoint="elsewhere",le="+Inf",process="tables"}} 1.0' in text


def test_a_server_that_begins_again_at_0_does_not_take_the_counts_of_tables_back(tmp_path: Path) -> None:
    end(process(tmp_path))
    observe.failed("table", EndpointTimeout(""), 5)  # as if the server had counted in the same series
    found = samples(Live(tmp_path).text("")[0].decode())
    labels = {"source": "table", "outcome": "failed", "error": "EndpointTimeout"}
    name = "triage_assessments_total"
    assert found[name, tuple(sorted({**labels, "process": "tables"}.items()))] == 7
    assert found[name, tuple(sorted(labels.items()))] >= 5


def test_a_folder_that_cannot_be_written_keeps_nobody_from_working(tmp_path: Path) -> None:
    (tmp_path / FOLDER).write_text("a file where the folder should be")
    share = Share(tmp_path, every=0.01)
    share.open()
    time.sleep(0.05)
    share.close()
    assert counted_elsewhere(tmp_path) == {}


def test_a_damaged_file_counts_nothing(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "ended.json").write_text('[["half')
    assert counted_elsewhere(tmp_path) == {}
