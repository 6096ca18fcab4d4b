"""Turns at the desk: so many at once, and who waits is served in turn with others, not behind a crowd of one."""

import asyncio
from collections import OrderedDict, deque

from core.errors import DeskBusy

PLACES = 32  # calls of the desk at once; each holds a thread, and the endpoint's own limit is smaller
WAITING = 1024  # calls that wait, of all keys together
WAITING_EACH = 256  # of one key


class Turns:
    """Places at the desk, given to keys in turn: each key that waits gets one, then each gets its next.

    It belongs to one event loop.
    """

    def __init__(self, places: int = PLACES, waiting: int = WAITING, waiting_each: int = WAITING_EACH) -> None:
        """All places are free.

        Args:
            places: how many may be taken at once.
            waiting: how many may wait.
            waiting_each: how many of one key may wait.
        """
        self._free, self._waiting, self._waiting_each = places, waiting, waiting_each
        self._queues: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @property
    def waiting(self) -> int:
        """How many wait."""
        return sum(map(len, self._queues.values()))

    async def take(self, key: str) -> None:
        """Wait for a place; whoever gets one must `give_back` it.

        Raises:
            DeskBusy: too many wait already.
        """
        if self._free and not self._queues:
            self._free -= 1
            return
        if self.waiting >= self._waiting or len(self._queues.get(key, ())) >= self._waiting_each:
            raise DeskBusy("Too many notes are waiting. Nothing was assessed; send it again in a moment.")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queues.setdefault(key, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give_back()  # the place came at the same moment
            else:
                self._leave(key, turn)
            raise

    def give_back(self) -> None:
        """A place is free: the next key's first call gets it."""
        self._free += 1
        while self._free and self._queues:
            key, queue = self._queues.popitem(last=False)
            turn = queue.popleft()
            if queue:
                self._queues[key] = queue  # behind the other keys
            if not turn.done():
                self._free -= 1
                turn.set_result(None)

    def _leave(self, key: str, turn: asyncio.Future[None]) -> None:
        queue = self._queues.get(key)
        if queue and turn in queue:
            queue.remove(turn)
            if not queue:
                del self._queues[key]
