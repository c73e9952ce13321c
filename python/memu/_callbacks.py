"""Awaiting what callables of users give back, from the threads of the Rust core."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def _awaited(awaitable: Awaitable[T]) -> T:
    return await awaitable


def on_loop(awaitable: Awaitable[T], loop: asyncio.AbstractEventLoop) -> T:
    """Awaits something on the loop that awaits the verb, and waits here for the result."""
    return asyncio.run_coroutine_threadsafe(_awaited(awaitable), loop).result()


def without_loop(awaitable: Awaitable[T]) -> T:
    """Awaits something on a loop of this thread: the verb was called without one."""
    return asyncio.run(_awaited(awaitable))
