"""The units that a site installs, looked at by systemd's own program."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from app.stopping import LONGEST
from core.cli import triage
from core.settings import REPOSITORY

UNITS = REPOSITORY / "deploy" / "systemd"
SERVICES = sorted(UNITS.glob("*.service"))
TIMERS = sorted(UNITS.glob("*.timer"))
ANALYZE = shutil.which("systemd-analyze")
needs_analyze = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed: apt-get install systemd")
EXPOSURE = {"sglang": 40}  # tenths of a point; a GPU is a device
MOST = 25


def section(unit: Path) -> dict[str, str]:
    """What a service sets; of what stands there several times, the last."""
    lines = unit.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    return dict(line.split("=", 1) for line in lines if re.match(r"[A-Za-z]+=", line))


@needs_analyze
@pytest.mark.parametrize("unit", [*SERVICES, *TIMERS], ids=lambda path: path.name)
def test_systemd_understands_every_line(unit: Path, tmp_path: Path) -> None:
    """Programs of the site are replaced by one that is there; nothing else is changed."""
    for each in UNITS.iterdir():
        text = re.sub(
            r"/opt/[\w./-]+/bin/\w+|/usr/bin/openssl|/usr/sbin/nginx", "/bin/true", each.read_text(encoding="utf-8")
        )
        (tmp_path / each.name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        [str(ANALYZE), "verify", "--man=no", "--recursive-errors=no", str(tmp_path / unit.name)],
        capture_output=True, text=True,
    )  # fmt: skip
    said = [line for line in done.stderr.splitlines() if unit.name in line]
    assert (done.returncode, said) == (0, [])


@needs_analyze
@pytest.mark.parametrize("unit", SERVICES, ids=lambda path: path.name)
def test_a_service_is_shut_in(unit: Path) -> None:
    done = subprocess.run(
        [str(ANALYZE), "security", "--offline=true", f"--threshold={EXPOSURE.get(unit.stem, MOST)}", str(unit)],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr


@pytest.mark.parametrize("unit", SERVICES, ids=lambda path: path.name)
def test_a_service_has_no_privileges_and_leaves_no_core(unit: Path) -> None:
    found = section(unit)
    assert found["NoNewPrivileges"] == found["PrivateTmp"] == "yes"
    assert found["ProtectSystem"] == "strict"
    assert found["LimitCORE"] == "0"
    assert found.get("DynamicUser") == "yes" or found["User"] not in ("", "root")
    if found["Type"] != "oneshot":
        assert found["Restart"] == "on-failure"
        assert found["MemoryMax"]


def test_the_desk_has_time_to_end() -> None:
    assert int(section(UNITS / "triage-desk.service")["TimeoutStopSec"]) > LONGEST + 10


@pytest.mark.parametrize("unit", TIMERS, ids=lambda path: path.name)
def test_a_timer_has_its_service(unit: Path) -> None:
    assert unit.with_suffix(".service") in SERVICES


def test_units_call_commands_that_there_are() -> None:
    for unit in SERVICES:
        words = re.findall(r"bin/triage ([a-z]+)", section(unit)["ExecStart"])
        assert set(words) <= set(triage.commands)


def test_compose_and_systemd_start_sglang_alike() -> None:
    compose = yaml.safe_load((UNITS.parent / "compose.yaml").read_text(encoding="utf-8"))
    of_compose = {word for word in compose["services"]["sglang"]["command"] if word.startswith("--")}
    of_unit = set(re.findall(r"--\S+", section(UNITS / "sglang.service")["ExecStart"]))
    differ = ("--host", "--port", "--model-path")
    assert {word for word in of_compose ^ of_unit if not word.startswith(differ)} == set()
    assert "--is-embedding" in of_compose
