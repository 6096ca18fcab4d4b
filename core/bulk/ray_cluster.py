"""A Ray cluster: how it is joined, and one limit on requests for all workers together."""

import asyncio
import logging
import os
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import ray

from core.embedding.endpoint import Answer, Endpoint
from core.errors import EndpointError, EndpointTimeout
from core.settings import REPOSITORY

REACHED_WITHIN = 5.0  # seconds


def connect() -> None:
    """Join the cluster at `RAY_ADDRESS`; without one, start a cluster of this machine.

    Raises:
        EndpointError: nobody answers there.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing about a hospital's work leaves it
    path = os.pathsep.join(filter(None, (str(REPOSITORY), os.environ.get("PYTHONPATH"))))
    address = os.environ.get("RAY_ADDRESS")
    host, _, port = (address or "").removeprefix("ray://").rpartition(":")
    try:
        if host and port.isdigit():  # Ray itself waits for minutes
            socket.create_connection((host, int(port)), REACHED_WITHIN).close()
        ray.init(
            address=address,
            include_dashboard=None if address else False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            runtime_env={"env_vars": {"PYTHONPATH": path}},
        )
    except (OSError, RuntimeError, ValueError) as error:
        raise EndpointError(
            f"The Ray cluster can't be reached ({type(error).__name__}). Is RAY_ADDRESS right?"
        ) from None


class Limiter:
    """Places for requests, lent to all workers; one that dies holds its places no longer than a request may take."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._lent: dict[int, float] = {}  # until when
        self._last = 0
        self._changed = asyncio.Condition()

    async def acquire(self, timeout: float) -> int | None:
        """The number of a place, waited for so many seconds at most and lent for as long; none when there was none."""
        end = time.monotonic() + timeout
        async with self._changed:
            while True:
                now = time.monotonic()
                self._lent = {number: until for number, until in self._lent.items() if until > now}
                if len(self._lent) < self._places:
                    self._last += 1
                    self._lent[self._last] = now + timeout + 1.0
                    return self._last
                if now >= end:
                    return None
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), min(end, *self._lent.values()) - now + 0.01)

    async def release(self, number: int) -> None:
        """Give a place back."""
        async with self._changed:
            self._lent.pop(number, None)
            self._changed.notify()


class Limited:
    """An endpoint that asks the limiter before each request."""

    def __init__(self, endpoint: Endpoint, limiter: str) -> None:
        self._endpoint = endpoint
        self._limiter: Any = ray.get_actor(limiter)

    @property
    def name(self) -> str:
        """The endpoint's name."""
        return self._endpoint.name

    def embed(self, texts: Sequence[str], *, timeout: float, urgent: bool = False) -> Answer:
        """Ask the endpoint once there is a place, within the same time."""
        started = time.monotonic()
        place = ray.get(self._limiter.acquire.remote(timeout))
        if place is None:
            raise EndpointTimeout(f"{self.name} is busy with other workers' requests.")
        try:
            left = timeout - (time.monotonic() - started)
            return self._endpoint.embed(texts, timeout=left, urgent=urgent)
        finally:
            self._limiter.release.remote(place)

    def models(self, *, timeout: float) -> list[dict[str, Any]]:
        """What the endpoint lists; no place is needed for that."""
        return self._endpoint.models(timeout=timeout)

    def abandon(self) -> None:
        """Let go of requests under way."""
        self._endpoint.abandon()

    def close(self) -> None:
        """Close the endpoint."""
        self._endpoint.close()
