"""An OpenAI client that recalls memories before each chat completion."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

from memu.client.recall import Recall, Recalls

# Where chat completions are found in the client, and under which names they are asked for.
_PATH = frozenset({"beta", "chat", "completions"})
_VIEWS = frozenset({"with_raw_response", "with_streaming_response"})
_ASKING = frozenset({"create", "parse", "stream"})
_COPYING = frozenset({"copy", "with_options"})


def wrap_openai(
    client: Any,
    service: Recalls,
    user_data: Mapping[str, Any] | None = None,
    user_id: str | None = None,
    agent_id: str | None = None,
    session_id: str | None = None,
    ranking: str = "salience",
    top_k: int = 5,
) -> MemuOpenAIWrapper:
    """An OpenAI client that looks up the memories that the user's last message calls for, and
    sends them along in the instructions of the chat.

    That holds for ``chat.completions.create``, ``.parse`` and ``.stream``, of ``OpenAI`` and of
    ``AsyncOpenAI``, also below ``with_raw_response`` and ``with_streaming_response``. All else is
    the client's own. The synchronous client asks ``service.sync``, so it works within a running
    event loop too (and blocks it, as it does unwrapped). The messages that are passed in are not
    changed. If recalling fails, the logger ``memu.client`` warns, and the chat goes on without
    memories.

    Args:
        client: An ``OpenAI`` or ``AsyncOpenAI`` client, or one of the same shape.
        service: A ``MemoryService``.
        user_data: Whose memories: values of scope fields. It is copied.
        user_id: The same for the field ``user_id``; it goes before ``user_data``.
        agent_id: The same for the field ``agent_id``.
        session_id: The same for the field ``session_id``.
        ranking: ``"similarity"``, or ``"salience"``, which also counts how often and how recently
            a memory was met.
        top_k: At most how many memories are sent along, from 1.

    Raises:
        TypeError: ``client`` has no chat completions, ``service`` cannot be asked for memories, or
            another argument is of the wrong type.
        ValueError: An unknown scope field, a value that is ``None`` or empty, an unknown ranking,
            or ``top_k`` below 1.
    """
    named = {"user_id": user_id, "agent_id": agent_id, "session_id": session_id}
    given = {name: value for name, value in named.items() if value is not None}
    if isinstance(user_data, Mapping) and given:
        user_data = {**user_data, **given}
    return MemuOpenAIWrapper(
        client, service, given if user_data is None else user_data, ranking, top_k
    )


class _Namespace:
    """A part of a client on the way to its chat completions; what it is not is passed through."""

    __slots__ = ("_asynchronous", "_managed", "_original", "_recall")

    _original: Any
    _recall: Recall
    _asynchronous: bool
    _managed: bool

    def __init__(
        self, original: Any, recall: Recall, *, asynchronous: bool, managed: bool = False
    ) -> None:
        self._original = original
        self._recall = recall
        self._asynchronous = asynchronous
        self._managed = managed

    def __getattr__(self, name: str) -> Any:
        if name in _Namespace.__slots__:  # `copy.copy` looks at one that is not yet made.
            raise AttributeError(name)
        if name == "acreate":
            return self._acreate()
        value = getattr(self._original, name)
        if name in _ASKING:
            return self._recalling(value, managed=self._managed or name == "stream")
        if name in _PATH or name in _VIEWS:
            managed = self._managed or name == "with_streaming_response"
            return self._inner(value, managed=managed)
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _Namespace.__slots__:
            object.__setattr__(self, name, value)
        else:
            setattr(self._original, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._original, name)

    def __dir__(self) -> list[str]:
        return dir(self._original)

    def __repr__(self) -> str:
        return f"<{self._original!r} with memories>"

    def _inner(self, original: Any, *, managed: bool) -> _Namespace:
        return _Namespace(original, self._recall, asynchronous=self._asynchronous, managed=managed)

    def _recalling(self, method: Callable[..., Any], *, managed: bool) -> Callable[..., Any]:
        """The method with memories in its messages. One that is `managed` gives something to be
        entered, where an asynchronous client otherwise gives something to be awaited."""
        recall = self._recall

        @functools.wraps(method)
        def ask(*args: Any, **kwargs: Any) -> Any:
            return method(*args, **recall.now(kwargs))

        @functools.wraps(method)
        async def ask_soon(*args: Any, **kwargs: Any) -> Any:
            return await method(*args, **await recall.soon(kwargs))

        @functools.wraps(method)
        @asynccontextmanager
        async def enter_soon(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
            async with method(*args, **await recall.soon(kwargs)) as entered:
                yield entered

        if not self._asynchronous:
            return ask
        return enter_soon if managed else ask_soon

    def _acreate(self) -> Callable[..., Any]:
        """`create` to be awaited, whichever client it is of."""
        create = self.create
        return create if self._asynchronous else functools.partial(asyncio.to_thread, create)


class MemuOpenAIWrapper(_Namespace):
    """A client of OpenAI with memories. See :func:`wrap_openai`, which makes it."""

    __slots__ = ()

    def __init__(
        self,
        client: Any,
        service: Recalls,
        user_data: Mapping[str, Any],
        ranking: str = "salience",
        top_k: int = 5,
    ) -> None:
        completions = getattr(getattr(client, "chat", None), "completions", None)
        create = getattr(completions, "create", None)
        if not callable(create):
            kind = type(client).__name__
            raise TypeError(f"client must have chat.completions.create; {kind} does not")
        recall = Recall(service, user_data, ranking, top_k)
        # The client's methods are decorated by plain functions.
        asynchronous = inspect.iscoroutinefunction(inspect.unwrap(create))
        super().__init__(client, recall, asynchronous=asynchronous)

    def __getattr__(self, name: str) -> Any:
        value = super().__getattr__(name)
        return self._copying(value) if name in _COPYING else value

    def __enter__(self) -> Self:
        self._original.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> Any:
        return self._original.__exit__(kind, error, trace)

    async def __aenter__(self) -> Self:
        await self._original.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> Any:
        return await self._original.__aexit__(kind, error, trace)

    def _copying(self, method: Callable[..., Any]) -> Callable[..., MemuOpenAIWrapper]:
        """A copy of the client remembers as well."""

        @functools.wraps(method)
        def copied(*args: Any, **kwargs: Any) -> MemuOpenAIWrapper:
            copy = object.__new__(MemuOpenAIWrapper)
            _Namespace.__init__(
                copy, method(*args, **kwargs), self._recall, asynchronous=self._asynchronous
            )
            return copy

        return copied
