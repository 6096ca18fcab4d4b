"""The image's recipe: read line by line, and what it copies is run by a user who can write nothing of it."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

from core.settings import REPOSITORY
from tests.conftest import unused_port
from tests.deploy.test_compose import SERVICES

LINES = [
    line.strip()
    for line in (REPOSITORY / "deploy" / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    if line.strip() and not line.startswith("#")
]
IGNORED = [
    line
    for line in (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
LAST_STAGE = LINES[max(place for place, line in enumerate(LINES) if line.startswith("FROM")) :]
# As the image's user: root without any capability may write only what its permissions let it write.
WITHOUT_RIGHTS = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.getuid() == 0 else []


def rest(word: str, lines: list[str] = LINES) -> list[str]:
    return [line.partition(" ")[2].strip() for line in lines if line.startswith(f"{word} ")]


def copied() -> list[str]:
    return [word.rstrip("/") for line in rest("COPY") if "--from" not in line for word in line.split()[:-1]]


def test_every_command_is_a_list_and_none_has_a_shell() -> None:
    commands = [*rest("RUN"), *rest("ENTRYPOINT"), *rest("CMD"), *(one.split("CMD ")[1] for one in rest("HEALTHCHECK"))]
    words = [json.loads(command) for command in commands]
    assert words
    assert not [word for command in words for word in command if re.search(r"\b(sh|bash|curl|wget)\b|[|;&`]", word)
                if "urllib" not in word]  # fmt: skip


def test_it_runs_as_a_user_without_rights_and_keeps_only_the_second_stage() -> None:
    assert rest("USER") == ["10001:10001"]
    assert rest("USER", LAST_STAGE)
    assert len(rest("FROM")) == 2
    assert rest("HEALTHCHECK", LAST_STAGE)
    assert SERVICES["desk"]["tmpfs"][0].startswith("/tmp:uid=10001,gid=10001")  # noqa: S108 - a container's own


def test_packages_come_by_hash_alone() -> None:
    installs = [json.loads(line) for line in rest("RUN") if '"install"' in line and '"pip"' in line]
    assert len(installs) == 3
    for words in installs:
        assert "--no-deps" in words
        assert "--require-hashes" in words or words[-2:] == ["-e", "."]


def test_the_driver_of_postgresql_is_locked() -> None:
    lock = (REPOSITORY / "requirements" / "dev.txt").read_text(encoding="utf-8")
    assert {"psycopg", "psycopg-binary"} <= set(re.findall(r"^([a-z-]+)==", lock, re.MULTILINE))


@pytest.mark.parametrize("source", copied())
def test_what_is_copied_is_there_and_not_left_out(source: str) -> None:
    assert (REPOSITORY / source).exists()
    assert any(fnmatch(line[1:], f"{source}*") for line in IGNORED if line.startswith("!"))
    assert IGNORED[0] == "*"


def test_base_image_has_a_fixed_version() -> None:
    assert re.fullmatch(r"PYTHON=python:3\.\d+\.\d+-slim-\w+", rest("ARG")[0])


@pytest.fixture
def image() -> Iterator[Path]:
    """What the image holds under /opt/triage-desk, without its packages, belonging to root and read-only."""
    folder = Path(tempfile.mkdtemp(prefix="triage-image-"))
    folder.chmod(0o755)
    tree = folder / "opt"
    for source in copied():
        target = tree / source
        target.parent.mkdir(parents=True, exist_ok=True)
        if (REPOSITORY / source).is_dir():
            shutil.copytree(REPOSITORY / source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(REPOSITORY / source, target)
    for path in [tree, *tree.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield tree
    for path in tree.rglob("*"):
        if path.is_dir():
            path.chmod(0o755)
    tree.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.slow
@pytest.mark.skipif(not all(map(shutil.which, WITHOUT_RIGHTS[:1])), reason="setpriv is not installed (util-linux)")
def test_the_desk_runs_from_what_is_copied_and_writes_its_data_folder_alone(image: Path) -> None:
    port, home = unused_port(), image.parent / "home"
    data = image.parent / "data"
    for folder in (home, data):
        folder.mkdir(mode=0o700)
    settings = {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(home), "PYTHONPATH": str(image),
                "PYTHONDONTWRITEBYTECODE": "1", "TRIAGE_DATA_DIR": str(data)}  # fmt: skip
    words = [*json.loads(rest("CMD")[0]), "--port", str(port)]
    with (image.parent / "log").open("wb") as log:
        process = subprocess.Popen(
            [*WITHOUT_RIGHTS, sys.executable, "-P", "-m", "core.cli", *words],
            cwd=home, env=settings, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        end = time.monotonic() + 90
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
                    assert answer.status == 200
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < end, (image.parent / "log").read_text()
                time.sleep(0.2)
        probe = json.loads(rest("HEALTHCHECK")[0].split("CMD ")[1])
        probe[-1] = probe[-1].replace(":8501", f":{port}")
        assert subprocess.run([sys.executable, *probe[1:]]).returncode == 0
        assert re.search(r"^CapEff:\t0+$", Path(f"/proc/{process.pid}/status").read_text(), re.MULTILINE)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(40)
    assert (data / "records.sqlite").exists()
    assert {path.stat().st_mode & 0o222 for path in image.rglob("*")} == {0}
    assert subprocess.run([sys.executable, *probe[1:]], stderr=subprocess.DEVNULL).returncode != 0
