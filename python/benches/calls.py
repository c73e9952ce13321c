"""What a call costs above the work that it does."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Awaitable, Callable
from statistics import median
from typing import Any

from memu.app import MemoryService
from row import Row
from sizes import Sizes

# The verb that does least: it finds nothing in a memory that is in this process.
VERB = "list_resources"
WHERE = {"user_id": "nora"}
# The arguments of the core that `list_resources(WHERE, limit=1)` stands for.
REQUEST: dict[str, Any] = {"where": WHERE, "limit": 1, "cursor": None, "all_scopes": False}

# What Python may add to a call of the core, in microseconds.
MOST_ADDED = 20.0

SYNC = f"{VERB}, service.sync"
ADDED = f"{VERB}, service.sync, above the core"
AWAITED = f"{VERB}, awaited"


def synchronous(sizes: Sizes) -> list[Row]:
    """A call of ``service.sync`` beside the same verb in Rust, without Python."""
    service = _service()
    core = service._core  # pyright: ignore[reportPrivateUsage]
    called: list[float] = []
    alone: list[float] = []
    for _ in range(sizes.rounds + 1):
        started = time.perf_counter()
        for _ in range(sizes.calls):
            service.sync.list_resources(WHERE, limit=1)
        called.append((time.perf_counter() - started) / sizes.calls * 1e6)
        alone.append(core.measure(VERB, REQUEST, sizes.calls) / 1e3)
    service.sync.close()
    # Everything is warm after the first round.
    called, alone = called[1:], alone[1:]
    added = median(whole - core for whole, core in zip(called, alone, strict=True))
    return [
        Row(SYNC, median(called), "us").beside({"the core alone": median(alone)}),
        Row(ADDED, added, "us").beside({"goal": MOST_ADDED}),
    ]


def awaited(sizes: Sizes) -> list[Row]:
    """An awaited call beside what waiting for another thread costs anyway."""
    return asyncio.run(_awaited(sizes))


async def _awaited(sizes: Sizes) -> list[Row]:
    service = _service()
    loop = asyncio.get_running_loop()
    thread = HopThread(loop)
    sides: dict[str, Callable[[], Awaitable[object]]] = {
        AWAITED: lambda: service.list_resources(WHERE, limit=1),
        "thread to asyncio": thread.hop,
        "run_in_executor": lambda: loop.run_in_executor(None, _nothing),
    }
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(sizes.rounds + 1):
        for name, call in sides.items():
            started = time.perf_counter()
            for _ in range(sizes.calls):
                await call()
            times[name].append((time.perf_counter() - started) / sizes.calls * 1e6)
    thread.end()
    await service.close()
    medians = {name: median(one[1:]) for name, one in times.items()}
    return [Row(AWAITED, medians.pop(AWAITED), "us").beside(medians)]


class HopThread:
    """A thread that does nothing but settle futures of an event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: queue.SimpleQueue[asyncio.Future[None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._settle)
        self._thread.start()

    def hop(self) -> asyncio.Future[None]:
        """A future that the thread settles at once."""
        future: asyncio.Future[None] = self._loop.create_future()
        self._waiting.put(future)
        return future

    def end(self) -> None:
        """Ends the thread."""
        self._waiting.put(None)
        self._thread.join()

    def _settle(self) -> None:
        while (future := self._waiting.get()) is not None:
            self._loop.call_soon_threadsafe(future.set_result, None)


def _nothing() -> None:
    return None


def _service() -> MemoryService:
    return MemoryService(database_config={"metadata_store": {"provider": "inmemory"}})
