"""Debian's nginx with the files of `deploy/nginx`, on free ports of this machine."""

import http.client
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template

from core.settings import REPOSITORY
from tests.conftest import unused_port
from tests.deploy.certificates import Certificate, certificate

SOURCE = REPOSITORY / "deploy" / "nginx"
NGINX = shutil.which("nginx") or next((path for path in ("/usr/sbin/nginx",) if os.access(path, os.X_OK)), None)
MISSING = "nginx is not installed: apt-get install nginx"
STARTING = 20.0


@dataclass(frozen=True, slots=True)
class Nginx:
    """An nginx that runs.

    Attributes:
        https: the desk's port.
        http: the port that only redirects.
        embeddings: SGLang's port.
        certificate: what it shows.
        folder: under which it writes; its logs stand there.
    """

    https: int
    http: int
    embeddings: int
    certificate: Certificate
    folder: Path

    @property
    def address(self) -> str:
        """Of the desk, as a browser has it."""
        return f"https://localhost:{self.https}"

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """One request for the desk by HTTPS: status, headers with names in lower case, body."""
        to = http.client.HTTPSConnection("localhost", self.https, timeout=60, context=self.certificate.trusting())
        try:
            to.request(method, path, body, {"Content-Type": "application/json"} | (headers or {}))
            answer = to.getresponse()
            return answer.status, [(name.lower(), value) for name, value in answer.getheaders()], answer.read()
        finally:
            to.close()

    def log(self) -> str:
        """All that it has written."""
        return (self.folder / "log").read_text(encoding="utf-8")


def settings(folder: Path, shown: Certificate, *, desk: int, sglang: int, header_timeout: str) -> dict[str, str]:
    """What the templates are filled with."""
    https = unused_port()
    return {
        "PUBLIC_URL": f"https://localhost:{https}",
        "SERVER_NAME": "localhost",
        "HTTPS_PORT": f"127.0.0.1:{https}",
        "HTTP_PORT": f"127.0.0.1:{unused_port()}",
        "EMBEDDINGS_LISTEN": f"127.0.0.1:{unused_port()}",
        "TLS_CERTIFICATE": str(shown.file),
        "TLS_KEY": str(shown.key),
        "RESOLVER": "127.0.0.1",
        "DESK": f"127.0.0.1:{desk}",
        "SGLANG": f"127.0.0.1:{sglang}",
        "GRAFANA_LISTEN": f"127.0.0.1:{unused_port()} ssl",
        "GRAFANA": "127.0.0.1:1",
        "ACCESS_LOG": "/dev/stdout",
        "HEADER_TIMEOUT": header_timeout,
        "BODY_TIMEOUT": header_timeout,
    }


def render(folder: Path, filled: dict[str, str]) -> Path:
    """The configuration with its templates filled; its main file."""
    (folder / "etc" / "conf.d").mkdir(parents=True)
    for name in ("nginx.conf", "proxy.conf"):
        shutil.copy(SOURCE / name, folder / "etc" / name)
    for template in (SOURCE / "templates").glob("*.template"):
        # As envsubst with a list of names: nginx's own $variables have no braces and stay.
        text = Template(template.read_text(encoding="utf-8")).safe_substitute(filled)
        assert "${" not in text, f"{template.name} needs more values"
        (folder / "etc" / "conf.d" / template.stem).write_text(text, encoding="utf-8")
    return folder / "etc" / "nginx.conf"


@contextmanager
def nginx(
    folder: Path,
    *,
    desk: int,
    sglang: int | None = None,
    shown: Certificate | None = None,
    header_timeout: str = "10s",
) -> Iterator[Nginx]:
    """Debian's nginx before a desk, and before SGLang; ended with this block."""
    assert NGINX, MISSING
    shown = shown or certificate(folder / "tls")
    filled = settings(folder, shown, desk=desk, sglang=sglang or unused_port(), header_timeout=header_timeout)
    main, run = render(folder, filled), folder / "run"
    run.mkdir()
    command = [NGINX, "-p", f"{run}/", "-c", str(main), "-e", "stderr", "-g", "daemon off; master_process off;"]
    if os.getuid() == 0:
        command = [NGINX, "-p", f"{run}/", "-c", str(main), "-e", "stderr", "-g", "daemon off; user root;"]
    with (run / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=run)
        ports = {
            name: int(filled[name].rpartition(":")[2]) for name in ("HTTPS_PORT", "HTTP_PORT", "EMBEDDINGS_LISTEN")
        }
        found = Nginx(ports["HTTPS_PORT"], ports["HTTP_PORT"], ports["EMBEDDINGS_LISTEN"], shown, run)
        try:
            _wait(found, process)
            yield found
        finally:
            process.terminate()
            process.wait(20)


def _wait(found: Nginx, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + STARTING
    while True:
        try:
            with closing(http.client.HTTPConnection("127.0.0.1", found.http, timeout=5)) as to:
                to.request("GET", "/")
                to.getresponse().read()
                return
        except OSError:
            assert process.poll() is None and time.monotonic() < end, found.log()
            time.sleep(0.05)
