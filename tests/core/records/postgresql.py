"""A PostgreSQL server of a test's own, from Debian's package, as a user that is not root."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import unused_port

SECONDS = 60


def binaries() -> Path | None:
    """The folder of the newest server that is installed; none: there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    elsewhere = shutil.which("initdb")
    return Path(elsewhere).resolve().parent if elsewhere else None


def unprivileged() -> dict[str, str]:
    """Whom the server runs as: it refuses to be root."""
    if os.getuid() != 0:
        return {}
    names = {user.pw_name for user in pwd.getpwall()}
    name = "postgres" if "postgres" in names else "nobody"
    return {"user": name, "group": str(pwd.getpwnam(name).pw_gid)}


@contextmanager
def server() -> Iterator[str]:
    """A server on a free port with an empty database; gives its URL."""
    found = binaries()
    assert found is not None
    folder, port = Path(tempfile.mkdtemp(prefix="triage-postgresql-")), unused_port()
    who = unprivileged()
    as_whom: dict[str, str | int] = {"user": who["user"], "group": int(who["group"])} if who else {}
    if who:
        shutil.chown(folder, who["user"])
    quiet = {"stdout": subprocess.DEVNULL, "cwd": folder}
    try:
        subprocess.run(
            [found / "initdb", "-D", folder / "data", "-U", "desk", "-A", "trust", "-N", "--locale=C.UTF-8"],
            check=True, **quiet, **as_whom,
        )  # fmt: skip
        process = subprocess.Popen(
            [found / "postgres", "-D", folder / "data", "-p", str(port), "-k", folder, "-h", "127.0.0.1"],
            stderr=subprocess.DEVNULL, **quiet, **as_whom,
        )  # fmt: skip
        try:
            _wait(found, port)
            yield f"postgresql+psycopg://desk@127.0.0.1:{port}/postgres"
        finally:
            process.terminate()
            process.wait(SECONDS)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait(found: Path, port: int) -> None:
    end = time.monotonic() + SECONDS
    while subprocess.run([found / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]).returncode:
        assert time.monotonic() < end, "PostgreSQL did not start"
        time.sleep(0.1)
