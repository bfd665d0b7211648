"""A queue before one thread: requests that wait together are worked on together."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from polytag.server.refusals import busy

J = TypeVar("J")
FULL = "the server has as many requests waiting as it takes ({limit:,}), try again in a second"

Work = Callable[[Sequence[J]], Sequence[bytes | Exception]]


class Batcher(Generic[J]):
    """Gathers jobs while the thread is busy, so that a batch grows with the load and a lone request never waits.

    One thread for the queue, for a batch has threads of the tagger's own. Jobs whose future was cancelled before their
    turn are left out.
    """

    def __init__(self, work: Work[J], *, size: Callable[[J], int], batch: int, queue: int) -> None:
        """``work`` answers jobs in order; a batch is full from ``batch`` on by ``size``."""
        self._work, self._size, self._batch, self._limit = work, size, batch, queue
        self._waiting: asyncio.Queue[tuple[J, asyncio.Future[bytes]]] = asyncio.Queue(queue)
        self._thread = ThreadPoolExecutor(1, "tagger")
        self.running = self.answered = 0

    @property
    def waiting(self) -> int:
        """Jobs in the queue."""
        return self._waiting.qsize()

    def submit(self, job: J) -> asyncio.Future[bytes]:
        """Queue a job; cancel what is returned when nobody wants the answer any more.

        Raises:
            RefusedError: the queue is full.
        """
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        try:
            self._waiting.put_nowait((job, future))
        except asyncio.QueueFull:
            raise busy(FULL.format(limit=self._limit)) from None
        return future

    async def run(self) -> None:
        """Work until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            batch = [(job, future) for job, future in await self._gathered() if not future.done()]
            if batch:
                await self._answer(batch, loop.run_in_executor(self._thread, self._work, [job for job, _ in batch]))

    def close(self) -> None:
        """Let the thread end with the batch that it is at."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    async def _gathered(self) -> list[tuple[J, asyncio.Future[bytes]]]:
        gathered = [await self._waiting.get()]
        total = self._size(gathered[0][0])
        while total < self._batch and not self._waiting.empty():
            gathered.append(self._waiting.get_nowait())
            total += self._size(gathered[-1][0])
        return gathered

    async def _answer(
        self, batch: list[tuple[J, asyncio.Future[bytes]]], pending: Awaitable[Sequence[bytes | Exception]]
    ) -> None:
        self.running = len(batch)
        try:
            results = await pending
        except Exception as error:  # out of memory: these requests fail, the next ones need not
            results = [error] * len(batch)
        finally:
            self.running = 0
        for (_, future), result in zip(batch, results, strict=True):
            if future.done():
                continue
            self.answered += 1
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)
