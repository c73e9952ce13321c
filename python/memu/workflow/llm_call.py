"""Callables that watch the calls to models."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeAlias, cast

from memu.errors import FilterError
from memu.workflow._registry import InterceptorHandle, InterceptorRegistry, Moment

__all__ = [
    "LLMCallContext",
    "LLMCallFilter",
    "LLMInterceptorHandle",
    "LLMInterceptorRegistry",
    "LLMRequestView",
    "LLMResponseView",
    "LLMUsage",
]


@dataclass(frozen=True)
class LLMCallContext:
    """Which call is meant.

    ``request_id`` is one for all that is told about a call. ``operation`` is what the caller asked
    for, such as ``memorize``. ``trace_id`` and ``tags`` are None: the core has none.
    """

    profile: str
    request_id: str
    trace_id: str | None
    operation: str | None
    step_id: str | None
    provider: str | None
    model: str | None
    tags: Mapping[str, Any] | None


@dataclass(frozen=True)
class LLMRequestView:
    """What a model is asked.

    ``kind`` is ``chat`` or ``embed``. ``content`` is what the user's side of a chat says, or the
    texts to embed, and ``content_hash`` its SHA-256 hash. Of a chat, ``metadata`` has
    ``system_prompt_chars``, ``images``, ``max_tokens`` and ``temperature``.
    """

    kind: str
    input_items: int | None = None
    input_chars: int | None = None
    content: str | list[str] | None = None
    content_hash: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class LLMResponseView:
    """What a model answered. Vectors are answers without ``content``."""

    output_items: int | None = None
    output_chars: int | None = None
    content: str | None = None
    content_hash: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class LLMUsage:
    """What a call took; None for what the provider does not tell.

    ``status`` is ``success`` or ``error``, and ``finish_reason`` why the model stopped: ``stop``,
    ``length``, ``content_filter`` or ``other``. The core does not tell ``cached_input_tokens``,
    ``reasoning_tokens`` and ``tokens_breakdown``.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    cached_input_tokens: int | None = None
    reasoning_tokens: int | None = None
    latency_ms: float | None = None
    finish_reason: str | None = None
    status: str | None = None
    tokens_breakdown: dict[str, Any] | None = None


@dataclass(frozen=True)
class LLMCallFilter:
    """Which calls are meant: those that every set has; an empty set or None has all.

    Case makes no difference, except in ``step_ids``. ``statuses`` rule out what is called before
    a call, when there is none.
    """

    operations: set[str] | None = None
    step_ids: set[str] | None = None
    providers: set[str] | None = None
    models: set[str] | None = None
    statuses: set[str] | None = None

    def __post_init__(self) -> None:
        for name in ("operations", "providers", "models", "statuses"):
            words: set[str] | None = getattr(self, name)
            lowered = {word.lower() for word in words} if words else None
            object.__setattr__(self, name, lowered)

    def matches(self, ctx: LLMCallContext, status: str | None) -> bool:
        """Whether a call is one of them."""
        pairs = (
            (self.operations, (ctx.operation or "").lower()),
            (self.step_ids, ctx.step_id or ""),
            (self.providers, (ctx.provider or "").lower()),
            (self.models, (ctx.model or "").lower()),
            (self.statuses, (status or "").lower()),
        )
        return all(not wanted or word in wanted for wanted, word in pairs)


Where: TypeAlias = (
    LLMCallFilter | Callable[[LLMCallContext, str | None], bool] | Mapping[str, Any] | None
)
_STATUS: dict[Moment, str | None] = {"before": None, "after": "success", "on_error": "error"}
_KEYS = {one.name: one.name for one in fields(LLMCallFilter)} | {
    "operation": "operations",
    "step_id": "step_ids",
    "provider": "providers",
    "model": "models",
    "status": "statuses",
}


class LLMInterceptorHandle(InterceptorHandle):
    """Takes a callable that watches calls to models away again."""


class LLMInterceptorRegistry(InterceptorRegistry):
    """Callables that watch calls to models.

    They are called in the order of their ``priority``, the lowest first, and then as they were
    registered; after a call and on an error the other way round. ``where`` says for which calls:
    an :class:`LLMCallFilter`, a mapping such as ``{"step_id": "extract_items"}`` or
    ``{"operations": ["memorize"]}``, or a function of a :class:`LLMCallContext` and the status
    (None before the call) that gives back whether it is one. Default: for all.
    """

    def register_before(
        self,
        fn: Callable[..., Any],
        *,
        name: str | None = None,
        priority: int = 0,
        where: Where = None,
    ) -> LLMInterceptorHandle:
        """Has ``fn(context, request)`` called before each call, as an :class:`LLMRequestView`.

        Raises:
            TypeError: ``fn`` cannot be called, or ``where`` is nothing that filters.
            FilterError: ``where`` has a key that there is not.
        """
        return self._register("before", fn, name, priority, where)

    def register_after(
        self,
        fn: Callable[..., Any],
        *,
        name: str | None = None,
        priority: int = 0,
        where: Where = None,
    ) -> LLMInterceptorHandle:
        """Has ``fn(context, request, response, usage)`` called with each answer.

        Raises:
            TypeError, FilterError: As :meth:`register_before`.
        """
        return self._register("after", fn, name, priority, where)

    def register_on_error(
        self,
        fn: Callable[..., Any],
        *,
        name: str | None = None,
        priority: int = 0,
        where: Where = None,
    ) -> LLMInterceptorHandle:
        """Has ``fn(context, request, error, usage)`` called after each call that failed.

        Raises:
            TypeError, FilterError: As :meth:`register_before`.
        """
        return self._register("on_error", fn, name, priority, where)

    def _register(
        self,
        moment: Moment,
        fn: Callable[..., Any],
        name: str | None,
        priority: int,
        where: Where,
    ) -> LLMInterceptorHandle:
        number = self._add(moment, fn, name, priority=priority, where=_matcher(where))
        return LLMInterceptorHandle(self, number)

    async def run(self, moment: Moment, call: LLMCallContext, *told: Any) -> None:
        """Calls the callables for a moment that want to hear of this call, one after the other."""
        for interceptor in self._at(moment):
            if _applies(interceptor.where, call, _STATUS[moment]):
                await self._call(interceptor, call, *told)


def _matcher(where: Where) -> Callable[[LLMCallContext, str | None], bool] | None:
    if isinstance(where, LLMCallFilter):
        return where.matches
    if where is None or callable(where):
        return where
    # Not everybody has types checked.
    given = cast("object", where)
    if isinstance(given, Mapping):
        return _filter(cast("Mapping[str, Any]", given)).matches
    raise TypeError(f"where must be a filter, a mapping or callable, not {type(where).__name__}")


def _filter(where: Mapping[str, Any]) -> LLMCallFilter:
    sets: dict[str, set[str]] = {}
    for key, value in where.items():
        name = _KEYS.get(key)
        if name is None:
            raise FilterError(
                f"calls to models cannot be filtered by {key!r}; there are {', '.join(_KEYS)}"
            )
        if value is not None:
            sets.setdefault(name, set()).update(_words(value))
    return LLMCallFilter(**sets)


def _words(value: object) -> Iterable[str]:
    if isinstance(value, set | frozenset | list | tuple):
        return map(str, cast("Iterable[object]", value))
    return [str(value)]


def _applies(
    where: Callable[[LLMCallContext, str | None], bool] | None,
    call: LLMCallContext,
    status: str | None,
) -> bool:
    try:
        return where is None or bool(where(call, status))
    except Exception:
        logging.getLogger("memu.workflow").exception("filter of an interceptor failed")
        return False
