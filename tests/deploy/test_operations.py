"""What `docs/operations.md` tells people to do works as it is written."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from core.cli import triage
from core.settings import REPOSITORY
from tests.conftest import unused_port
from tests.deploy.certificates import certificate
from tests.deploy.nginx import MISSING, NGINX

PAGE = (REPOSITORY / "docs" / "operations.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```bash\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
INDENTED = re.findall(r"(?:^    .*\n)+", PAGE, re.MULTILINE)


def block(word: str, found: list[str] = BLOCKS) -> str:
    return next(one for one in found if word in one)


def run(script: str, folder: Path, **settings: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder, env=os.environ | settings, capture_output=True, text=True,
    )  # fmt: skip


def test_the_secrets_that_it_makes_are_those_of_the_compose_file(tmp_path: Path) -> None:
    done = run(block("redis_auth"), tmp_path)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "deploy" / "secrets"
    made = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    compose = yaml.safe_load((REPOSITORY / "deploy" / "compose.yaml").read_text(encoding="utf-8"))
    assert {f"./secrets/{name}" for name in made} == {facts["file"] for facts in compose["secrets"].values()}
    assert made["postgres_password"] in made["database_url"]
    assert made["redis_auth"].split()[1] in made["cache_url"]
    assert len(made["cookie_secret"].strip()) == 64
    assert folder.stat().st_mode & 0o077 == 0
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o444}
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("days", "code", "said"), [(90, 0, "will not expire"), (10, 1, "will expire"), (-1, 1, "will expire")]
)
@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed: apt-get install openssl")
def test_its_look_at_a_certificate_tells_of_the_end_in_time(tmp_path: Path, days: int, code: int, said: str) -> None:
    shown = certificate(tmp_path, days=days)
    done = run(block("x509 -checkend").replace("deploy/secrets/tls_certificate", str(shown.file)), tmp_path)
    assert (done.returncode, said in done.stdout) == (code, True)
    unit = (REPOSITORY / "deploy" / "systemd" / "triage-certificate.service").read_text(encoding="utf-8")
    assert "openssl x509 -checkend 2592000 -noout -in" in unit


@pytest.mark.skipif(NGINX is None, reason=MISSING)
@pytest.mark.skipif(shutil.which("envsubst") is None, reason="envsubst is not installed: apt-get install gettext-base")
def test_its_way_to_fill_the_templates_gives_what_nginx_takes(tmp_path: Path) -> None:
    shown = certificate(tmp_path / "etc" / "tls")
    script = "export " + block("envsubst", INDENTED).partition("export ")[2].partition("systemctl")[0]
    unit = (REPOSITORY / "deploy" / "systemd" / "triage-nginx.service").read_text(encoding="utf-8")
    command = next(line for line in unit.splitlines() if line.startswith("ExecStart=")).partition("=")[2]
    script += command.replace("/usr/sbin/nginx", f"{NGINX} -t")
    places = {
        "/run/credentials/triage-nginx.service/tls.crt": shown.file,
        "/run/credentials/triage-nginx.service/tls.key": shown.key,
        "/etc/triage-desk": tmp_path / "etc",
        "/var/lib/triage-nginx": tmp_path / "run",
    }
    for place, here in places.items():
        script = script.replace(place, str(here))
    for port in ("HTTP_PORT=80", "HTTPS_PORT=443"):
        script = script.replace(f"{port} ", f"{port.partition('=')[0]}=127.0.0.1:{unused_port()} ")
    script = script.replace("127.0.0.1:30080", f"127.0.0.1:{unused_port()}")
    script = script.replace("syslog:server=unix:/dev/log", f"syslog:server=127.0.0.1:{unused_port()}")
    (tmp_path / "run").mkdir()
    done = run(script, REPOSITORY)
    assert done.returncode == 0, done.stderr
    assert "test is successful" in done.stderr
    filled = (tmp_path / "etc" / "nginx" / "conf.d" / "desk.conf").read_text(encoding="utf-8")
    assert "return 301 https://triage.example.org$request_uri;" in filled
    assert "${" not in filled


def test_every_command_that_it_names_is_one() -> None:
    named = set(re.findall(r"(?:`|^|desk )triage ([a-z][a-z-]+)(?: ([a-z]+))?", PAGE, re.MULTILINE))
    assert {first for first, _ in named} <= set(triage.commands)
    assert {"backup", "restore", "audit", "models"} <= {first for first, _ in named}


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)\)", PAGE)
    missing = [link for link in links if not (REPOSITORY / "docs" / link).exists()]
    if not (REPOSITORY / "deploy" / "prometheus").is_dir():  # alerts and their runbooks come together
        missing = [link for link in missing if link != "runbooks.md"]
    assert missing == []
    headings = {re.sub(r"[^a-z -]", "", line.lower()).strip().replace(" ", "-")
                for line in re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)}  # fmt: skip
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) <= headings


def test_it_says_the_limits_that_there_are() -> None:
    nginx = (REPOSITORY / "deploy" / "nginx" / "nginx.conf").read_text(encoding="utf-8")
    assert dict(re.findall(r"zone=(\w+):10m rate=(\d+)r/s", nginx)) == {
        "pages": "100", "programs": "50", "signing_in": "5",
    }  # fmt: skip
