"""The desk's server: `python -m app.server`. It ends with SIGTERM or Ctrl+C, and closes what it opened."""

import argparse
import asyncio
import gc
import ipaddress
import logging
import os
import resource
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import NoReturn

import streamlit as st
from starlette.middleware import Middleware

from app.api.application import announce, open_api, open_services, served
from app.api.door import Door
from app.api.work import Services
from app.desk import STOPPING, open_desk, records, sign_ins
from app.hosts import allowed_hosts
from app.sign_in.door import SignInDoor
from app.sign_in.setup import ENVIRONMENT, SignInSetup, sign_in_setup
from app.sockets import send_at_once
from core.bulk.job_run import resume_interrupted
from core.errors import TriageError
from core.preflight import preflight
from core.settings import REPOSITORY, load_settings
from core.telemetry import tracing
from core.telemetry.logs import open_log, take_over

MAIN = Path(__file__).with_name("main.py")
# Seconds (Python's own: 0.005). A nurse's page takes turns with whatever keeps the processor busy in this process, such
# as a lead's download, some fifty times for each answer: beside it 95 of 100 came within 0.15 s, and 0.54 s before.
SWITCH = 0.001
log = logging.getLogger(__name__)


def open_app(services: Services, port: int, sign_in: SignInSetup | None = None) -> st.App:
    """The pages and the API in one application; pages for whoever signs in, where that is set up."""

    @asynccontextmanager
    async def lifespan(app: st.App) -> AsyncIterator[None]:
        """Open the desk beside the first page, so that the first note need not wait; close it at the end."""
        take_over()
        os.environ.pop(ENVIRONMENT, None)  # read by now; no process that is started from here on needs it
        send_at_once(port)
        async with served(services):
            warming = asyncio.create_task(asyncio.to_thread(_warm))
            try:
                yield
            finally:
                await warming
                open_desk.clear()
                sign_ins.clear()
                records.clear()
                tracing.stop()

    middleware = [Middleware(Door, api=open_api(services))]
    if sign_in:
        middleware.append(Middleware(SignInDoor, cookies=sign_in.cookies, sign_ins=sign_ins))
    return st.App(MAIN, lifespan=lifespan, middleware=middleware, secrets=sign_in.secrets if sign_in else None)


def _warm() -> None:
    """Load what every page needs, and keep it out of the garbage collector's sight.

    Streamlit collects garbage after each run of a page, and looking through model and libraries took longer
    than the run itself.
    """
    resume_interrupted(load_settings().data_dir)
    try:
        records().tidy()
    except TriageError as error:  # the desk answers without: the page says that an answer was not recorded
        log.error("%s", error)
    try:
        open_desk()
    except TriageError as error:
        # Not the end: the page says so to whoever sends a note, and each note tries again.
        log.error("The desk has no model or endpoint yet: %s", error)
    import_module("app.answer")  # with plotly
    take_over()  # again: Streamlit's modules set up their own lines when they are first imported
    gc.collect()
    gc.freeze()


def _refuse(message: str, code: int) -> NoReturn:
    print(message, file=sys.stderr)  # noqa: T201 - the command's answer
    sys.exit(code)


def _check_host(host: str, *, signs_in: bool) -> None:
    """End where the address can't be used, or is not this machine's own and nobody signs in."""
    try:
        found = {entry[4][0] for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except OSError as error:
        _refuse(f"{host} is no address that can be used ({error.strerror}). Try: triage serve", 1)
    if signs_in:
        return
    if not all(ipaddress.ip_address(str(address).partition("%")[0]).is_loopback for address in found):
        _refuse(
            f"{host} can be reached from other machines, and nobody signs in at the desk: whoever reaches it could use "
            "it and see what others did. It was not opened. Set TRIAGE_OIDC_METADATA_URL, TRIAGE_OIDC_CLIENT_ID, "
            "TRIAGE_OIDC_CLIENT_SECRET and TRIAGE_PUBLIC_URL so that people sign in, or serve on 127.0.0.1.",
            2,
        )


def _check_port(host: str, port: int) -> None:
    """End with one line where the address can't be used."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        _refuse(f"{host}:{port} can't be used ({error.strerror}). Choose another: triage serve --port {port + 1}", 1)


def main() -> None:
    """Serve the desk until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m app.server")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8501)
    options = parser.parse_args()
    sys.setswitchinterval(SWITCH)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # no dump of a memory that holds notes; children inherit it
    try:
        settings, notices = preflight()
        services = open_services(settings, open_desk, records, STOPPING)
        unlocked = announce(services)
        sign_in = sign_in_setup(settings)
    except TriageError as error:
        _refuse(str(error), error.exit_code)
    _check_host(options.host, signs_in=settings.signs_in)
    _check_port(options.host, options.port)
    # Streamlit reads `.streamlit/config.toml` beside the program's path: this checkout's, wherever it is started.
    sys.argv = [str(REPOSITORY / "triage")]
    print(f"The desk is opening on http://{options.host}:{options.port} (Ctrl+C stops it)", flush=True)  # noqa: T201
    for notice in notices:
        print(notice, file=sys.stderr, flush=True)  # noqa: T201
    if unlocked:
        print(unlocked, flush=True)  # noqa: T201
    open_log(settings.log_format)
    tracing.start()
    if sign_in:
        os.environ[ENVIRONMENT] = sign_in.cookies.secret  # Streamlit takes it from nowhere else
    open_app(services, options.port, sign_in).run(
        config={
            "server.address": options.host,
            "server.port": options.port,
            "server.allowedHosts": allowed_hosts(settings.public_url),
            **(sign_in.config if sign_in else {}),
        }
    )


if __name__ == "__main__":
    main()
