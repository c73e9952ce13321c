"""Callables that are called before, after and on error of something."""

from __future__ import annotations

import inspect
import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

Moment = Literal["before", "after", "on_error"]


@dataclass(frozen=True)
class Registered:
    """A callable, with its place and with what it wants to be called for."""

    interceptor_id: int
    moment: Moment
    fn: Callable[..., Any]
    name: str | None
    priority: int
    where: Any


class InterceptorHandle:
    """Takes a registered callable away again."""

    def __init__(self, registry: InterceptorRegistry, interceptor_id: int) -> None:
        self._registry = registry
        self._interceptor_id = interceptor_id

    def dispose(self) -> bool:
        """Takes the callable away; whether it was still there."""
        return self._registry.remove(self._interceptor_id)


class InterceptorRegistry:
    """What registries have in common.

    Callables may be plain or ``async``. One that raises is logged and passed over; in a
    ``strict`` registry what it raises ends the work that it watches. Threads may share a
    registry. A registry is true when anything is registered.
    """

    def __init__(self, *, strict: bool = False) -> None:
        self._strict = strict
        self._lock = threading.Lock()
        self._count = 0
        # Never changed but replaced, so that whoever goes through it needs no lock.
        self._registered: tuple[Registered, ...] = ()
        self._listeners: tuple[Callable[[], None], ...] = ()

    @property
    def strict(self) -> bool:
        """Whether what a callable raises is raised."""
        return self._strict

    def __bool__(self) -> bool:
        return bool(self._registered)

    def on_change(self, listener: Callable[[], None]) -> None:
        """Has ``listener`` called whenever a callable was registered or taken away."""
        self._listeners = (*self._listeners, listener)

    def remove(self, interceptor_id: int) -> bool:
        """Takes the callable with this number away; whether it was there."""
        with self._lock:
            kept = tuple(one for one in self._registered if one.interceptor_id != interceptor_id)
            removed = len(kept) < len(self._registered)
            self._registered = kept
        if removed:
            self._tell()
        return removed

    def _add(
        self,
        moment: Moment,
        fn: Callable[..., Any],
        name: str | None,
        *,
        priority: int = 0,
        where: Any = None,
    ) -> int:
        if not callable(fn):
            raise TypeError(f"an interceptor must be callable, not {type(fn).__name__}")
        with self._lock:
            self._count += 1
            added = Registered(self._count, moment, fn, name, priority, where)
            self._registered = tuple(
                sorted(
                    (*self._registered, added), key=lambda one: (one.priority, one.interceptor_id)
                )
            )
        self._tell()
        return added.interceptor_id

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()

    def _at(self, moment: Moment) -> Iterable[Registered]:
        """The callables for a moment in their order, which is turned round once it is over."""
        registered = [one for one in self._registered if one.moment == moment]
        return registered if moment == "before" else reversed(registered)

    async def _call(self, interceptor: Registered, *arguments: Any) -> None:
        try:
            result = interceptor.fn(*arguments)
            if inspect.isawaitable(result):
                await result
        except Exception:
            if self._strict:
                raise
            logging.getLogger("memu.workflow").exception(
                "interceptor failed: %s", interceptor.name or interceptor.interceptor_id
            )
