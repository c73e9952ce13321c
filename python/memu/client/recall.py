"""Recalling memories for a chat: whose, how many, and what happens when it fails."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from typing import Any, Protocol, cast

from memu.client.hits import hits_of
from memu.client.messages import question_of, with_memories

logger = logging.getLogger("memu.client")

_RANKINGS = ("similarity", "salience")


class Recalls(Protocol):
    """The part of ``MemoryService`` that recalling needs."""

    @property
    def retrieve(self) -> Callable[..., Awaitable[Mapping[str, Any]]]:
        """``await retrieve(queries=…, where=…, top_k=…, ranking=…)``."""
        ...

    @property
    def sync(self) -> Any:
        """What has the same verb without ``await``."""
        ...


def scope_fields(service: object) -> tuple[str, ...] | None:
    """The names of the fields that say whose a memory is; ``None`` where the service does not
    tell (it has no ``user_model``, like most stand-ins in tests)."""
    fields: object = getattr(getattr(service, "user_model", None), "model_fields", None)
    return tuple(cast("dict[str, object]", fields)) if isinstance(fields, dict) else None


class Recall:
    """What is recalled for every chat completion.

    Args:
        service: A ``MemoryService``.
        user_data: Whose memories: values of scope fields. It is copied. Without any, the store
            must hold one scope only.
        ranking: ``"similarity"``, or ``"salience"``, which also counts how often and how recently
            a memory was met.
        top_k: At most how many memories, from 1.

    Raises:
        TypeError: An argument is of the wrong type, such as a service without ``retrieve``.
        ValueError: An unknown scope field, a value that is ``None`` or empty (it would not say
            whose memories), an unknown ranking, or ``top_k`` below 1.
    """

    def __init__(
        self, service: Recalls, user_data: Mapping[str, Any], ranking: str, top_k: int
    ) -> None:
        _check_user_data(user_data, scope_fields(service))
        _check_ranking(ranking)
        _check_top_k(top_k)
        self._service = service
        self._where = dict(user_data)
        self._ranking = ranking
        self._top_k = top_k
        self._check_verb("retrieve", service)
        self._check_verb("sync.retrieve", getattr(service, "sync", None))

    def now(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """The arguments of a chat completion, with memories in their messages. Those of anything
        else come back as they are, and nothing that came in is changed."""
        messages = _messages_of(arguments)
        if messages is None:
            return arguments
        memories: list[str] = []
        if question := question_of(messages):
            with _failures_logged():
                response: Mapping[str, Any] = self._service.sync.retrieve(**self._request(question))
                memories = [hit.text for hit in hits_of(response)[: self._top_k]]
        return {**arguments, "messages": with_memories(messages, memories)}

    async def soon(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """The same as :meth:`now`, without blocking the event loop."""
        messages = _messages_of(arguments)
        if messages is None:
            return arguments
        memories: list[str] = []
        if question := question_of(messages):
            with _failures_logged():
                response = await self._service.retrieve(**self._request(question))
                memories = [hit.text for hit in hits_of(response)[: self._top_k]]
        return {**arguments, "messages": with_memories(messages, memories)}

    def _request(self, question: str) -> dict[str, Any]:
        return {
            "queries": [{"role": "user", "content": question}],
            "where": dict(self._where),
            "top_k": self._top_k,
            "ranking": self._ranking,
        }

    def _check_verb(self, name: str, owner: object) -> None:
        """Found out now, an unsuitable service is an error; later it would be a lost memory."""
        verb = getattr(owner, "retrieve", None)
        if not callable(verb):
            raise TypeError(f"service must be a MemoryService; it has no method {name}")
        try:
            signature = inspect.signature(verb)
        except ValueError:  # Not every callable that is written in C tells.
            return
        try:
            signature.bind(**self._request(""))
        except TypeError as error:
            raise TypeError(f"service must be a MemoryService; {name}: {error}") from error


@contextmanager
def _failures_logged() -> Generator[None, None, None]:
    """A chat goes on without memories rather than not at all."""
    try:
        yield
    except Exception:
        logger.warning("no memories recalled for this chat completion", exc_info=True)


def _messages_of(arguments: dict[str, Any]) -> list[object] | None:
    """The messages as a list, as they may be an iterator; ``None`` where there are none."""
    messages: object = arguments.get("messages")
    if not isinstance(messages, Iterable) or isinstance(messages, str | bytes | Mapping):
        return None
    return list(cast("Iterable[object]", messages))


def _check_user_data(user_data: object, fields: tuple[str, ...] | None) -> None:
    if not isinstance(user_data, Mapping):
        kind = type(user_data).__name__
        raise TypeError(f"user_data must be a mapping such as {{'user_id': 'alice'}}, not {kind}")
    for name, value in cast("Mapping[object, object]", user_data).items():
        # `user_id__in` is a condition on the field `user_id`.
        if fields is not None and str(name).split("__", 1)[0] not in fields:
            known = ", ".join(fields)
            raise ValueError(f"unknown scope field {name!r} in user_data; there are: {known}")
        if value is None or value == "":
            raise ValueError(f"{name} must not be empty: leave it out, or say whose memories")


def _check_ranking(ranking: object) -> None:
    if ranking not in _RANKINGS:
        raise ValueError(f"ranking must be one of {', '.join(_RANKINGS)}, not {ranking!r}")


def _check_top_k(top_k: object) -> None:
    if not isinstance(top_k, int) or isinstance(top_k, bool):
        raise TypeError(f"top_k must be a whole number, not {type(top_k).__name__}")
    if top_k < 1:
        raise ValueError(f"top_k must be 1 or more, not {top_k}")
