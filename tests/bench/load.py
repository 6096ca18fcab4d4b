"""Many people at the Triage page at once, each signed in, and each pasting one note after another."""

import asyncio
import itertools
import shutil
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import psutil

from app.sign_in.cookie import Cookies, cookie_set_by
from core.access.roles import OWN_NAMES
from core.embedding.cache import installation_secret
from core.records.database import now, open_records
from core.records.sign_ins import SignIns
from core.settings import Settings
from tests.bench.api import serving
from tests.bench.notes import unique_texts
from tests.bench.servers import stand_in, stand_in_settings
from tests.page_visitor import Answered, crowd

FEW, MANY = 20, 200
PACE = 30.0  # seconds between two notes of one person
SECONDS = 180.0
ROUNDS = 3
DELAY, SLOTS = 0.05, 16
SECRET = "the secret of a bench, which nobody else needs"


def load(folder: Path, scale: float) -> dict[str, Any]:
    """P95 of 200 people against that of 20, at the same pace each, on the stand-in; and the server's memory."""
    seconds = max(PACE, SECONDS * scale)
    shutil.rmtree(folder / "load", ignore_errors=True)
    with stand_in(DELAY, SLOTS) as url:
        settings = stand_in_settings(folder, url).model_copy(update={"data_dir": folder / "load"})
        with serving(settings, sign_in) as (port, process):
            address, server = f"127.0.0.1:{port}", psutil.Process(process)
            cookies = signed_in(settings, MANY, f"http://{address}")
            few = asyncio.run(crowd(address, FEW, seconds, PACE, _texts(), cookies))
            memory: list[int] = []
            many: list[Answered] = []
            used = server.cpu_times()
            for _ in range(ROUNDS):  # the same crowd three times: what grows with each is a leak
                many += asyncio.run(crowd(address, MANY, seconds, PACE, _texts(), cookies))
                memory.append(server.memory_info().rss)
            work = sum(server.cpu_times()[:2]) - sum(used[:2])
    return {
        "bench": "load",
        "ratio": round(p95(many) / p95(few), 3),
        "wanted": "<= 2",
        "p95_ms": {FEW: round(1000 * p95(few)), MANY: round(1000 * p95(many))},
        "median_ms": {FEW: _median(few), MANY: _median(many)},
        "answers": {FEW: len(few), MANY: len(many)},
        "not_recorded": sum(not each.is_recorded for each in few + many),
        "cores_used": round(work / (ROUNDS * seconds), 2),
        "memory_mb": [round(each / 2**20) for each in memory],
        "memory_growth": round(memory[-1] / memory[0], 3),
    }


def sign_in(address: str) -> Mapping[str, str]:
    """Settings of a desk at that address at which people sign in. No provider is asked: their sessions are there."""
    return {
        "TRIAGE_OIDC_METADATA_URL": "http://127.0.0.1:9/.well-known/openid-configuration",
        "TRIAGE_OIDC_CLIENT_ID": "desk",
        "TRIAGE_OIDC_CLIENT_SECRET": "not-a-real-one",
        "TRIAGE_PUBLIC_URL": address,
        "TRIAGE_COOKIE_SECRET": SECRET,
    }


def signed_in(settings: Settings, people: int, address: str) -> list[str]:
    """The cookies of so many nurses."""
    records = open_records(settings)
    sessions = SignIns(lambda: records, installation_secret(settings.data_dir), timedelta(hours=8))
    cookies = Cookies(SECRET, False, settings.roles_claim, OWN_NAMES)
    expires = now() + timedelta(hours=8)
    found = []
    for number in range(people):
        session = sessions.begin(f"nurse{number}", ["nurse"], expires)
        claims = {"origin": address, "is_logged_in": True, "sub": f"nurse{number}", settings.roles_claim: ["nurse"]}
        headers = cookies.slim(claims, session, {})
        found.append("; ".join("=".join(cookie_set_by(header)) for header in headers))
    records.close()
    return found


def p95(answers: list[Answered]) -> float:
    """Seconds within which 95 of 100 answers stood there."""
    return quantiles([each.seconds for each in answers], n=20)[-1]


def _median(answers: list[Answered]) -> int:
    return round(1000 * median(each.seconds for each in answers))


def _texts() -> Iterator[str]:
    """Notes that nobody has sent before."""
    return itertools.chain.from_iterable(unique_texts(500) for _ in itertools.count())
