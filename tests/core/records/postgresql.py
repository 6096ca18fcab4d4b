"""A PostgreSQL server of a test's own, from Debian's package, as a user that is not root."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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


class PostgreSQL:
    """A server on a free port with an empty database.

    Attributes:
        url: SQLAlchemy's.
    """

    def __init__(self, folder: Path) -> None:
        found = binaries()
        assert found is not None
        self._found, self._folder, self._port = found, folder, unused_port()
        who = unprivileged()
        self._as_whom: dict[str, Any] = {"user": who["user"], "group": int(who["group"])} if who else {}
        self._quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "cwd": folder}
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"postgresql+psycopg://desk@127.0.0.1:{self._port}/postgres"
        if who:
            shutil.chown(folder, who["user"])
        subprocess.run(
            [found / "initdb", "-D", folder / "data", "-U", "desk", "-A", "trust", "-N", "--locale=C.UTF-8"],
            check=True, **self._quiet, **self._as_whom,
        )  # fmt: skip

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._process = subprocess.Popen(
            [self._found / "postgres", "-D", self._folder / "data", "-p", str(self._port), "-k", self._folder,
             "-h", "127.0.0.1"],
            stderr=subprocess.DEVNULL, **self._quiet, **self._as_whom,
        )  # fmt: skip
        end = time.monotonic() + SECONDS
        ready = [self._found / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self._port)]
        while subprocess.run(ready).returncode:
            assert time.monotonic() < end, "PostgreSQL did not start"
            time.sleep(0.1)

    def stop(self) -> None:
        """End it, at once for those who are connected."""
        if self._process:
            self._process.send_signal(signal.SIGINT)  # its "fast shutdown"
            self._process.wait(SECONDS)


@contextmanager
def running() -> Iterator[PostgreSQL]:
    """A server that runs, and is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="triage-postgresql-"))
    try:
        found = PostgreSQL(folder)
        try:
            found.start()
            yield found
        finally:
            found.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def server() -> Iterator[str]:
    """The same; gives its URL."""
    with running() as found:
        yield found.url
