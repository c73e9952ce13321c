"""Awaiting what callables of users give back, from the threads of the Rust core."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

_LOOK_AFTER_S = 0.1
"""How often to look whether the loop is still there."""


async def _awaited(awaitable: Awaitable[T]) -> T:
    return await awaitable


def on_loop(
    awaitable: Awaitable[T], loop: asyncio.AbstractEventLoop, given_up: Callable[[], bool]
) -> T:
    """Awaits something on the loop that awaits the verb, and waits here for the result.

    Once ``given_up()`` it is cancelled.

    Raises:
        CancelledError: the loop was closed meanwhile, or the verb was given up.
    """
    future = asyncio.run_coroutine_threadsafe(_awaited(awaitable), loop)
    while True:
        try:
            return future.result(timeout=_LOOK_AFTER_S)
        except TimeoutError:
            if future.done():
                raise
            if given_up() or loop.is_closed():
                future.cancel()
                raise asyncio.CancelledError from None


def without_loop(awaitable: Awaitable[T]) -> T:
    """Awaits something on a loop of this thread: the verb was called without one."""
    return asyncio.run(_awaited(awaitable))
