"""A queue before one thread: requests that wait together are worked on together, and large ones let small ones pass."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from polytag.server.refusals import busy

J = TypeVar("J")
FULL = "the server has as many requests waiting as it takes ({limit:,}), try again in a second"

Work = Callable[[Sequence[J]], Sequence[bytes | Exception]]


@dataclass(frozen=True, slots=True, order=True)
class _Waiting(Generic[J]):
    """A job in the queue; those that come at the same ``turn`` go in the order of their numbers."""

    turn: float
    number: int
    job: J = field(compare=False)
    future: "asyncio.Future[bytes]" = field(compare=False)


class Batcher(Generic[J]):
    """Gathers jobs while the thread is busy, so that a batch grows with the load and a lone request never waits.

    One thread for the queue, for a batch has threads of the tagger's own. Jobs whose future was cancelled before their
    turn are left out.
    """

    def __init__(
        self,
        work: Work[J],
        *,
        size: Callable[[J], int],
        batch: int,
        queue: int,
        yields: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make an empty queue.

        Args:
            work: answers jobs in order.
            size: of a job.
            batch: the size from which on a batch is full; a job so large is worked on alone.
            queue: jobs that may wait.
            yields: seconds for each unit of its size by which a job lets others go first that come later. It waits no
                longer than so for them, however many come.
            clock: seconds.
        """
        self._work, self._size, self._batch, self._limit = work, size, batch, queue
        self._yields, self._clock, self._submitted = yields, clock, 0
        self._waiting: asyncio.PriorityQueue[_Waiting[J]] = asyncio.PriorityQueue(queue)
        self._thread = ThreadPoolExecutor(1, "tagger")
        self.running = self.answered = 0

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to do."""
        return not self.running and self._waiting.empty()

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
            turn = self._clock() + self._yields * self._size(job)
            self._waiting.put_nowait(_Waiting(turn, self._submitted, job, future))
        except asyncio.QueueFull:
            raise busy(FULL.format(limit=self._limit)) from None
        self._submitted += 1
        return future

    async def run(self) -> None:
        """Work until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            batch = [(one.job, one.future) for one in await self._gathered() if not one.future.done()]
            if batch:
                await self._answer(batch, loop.run_in_executor(self._thread, self._work, [job for job, _ in batch]))

    def close(self) -> None:
        """Let the thread end with the batch that it is at."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    async def _gathered(self) -> list["_Waiting[J]"]:
        gathered = [await self._waiting.get()]
        total = self._size(gathered[0].job)
        while total < self._batch and not self._waiting.empty():
            one = self._waiting.get_nowait()
            size = self._size(one.job)
            if size >= self._batch:
                self._waiting.put_nowait(one)
                break
            gathered.append(one)
            total += size
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
