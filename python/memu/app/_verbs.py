"""The verbs of a service.

``_sync_verbs.py`` is made of this file by ``python/scripts/generate_sync.py``: the same verbs
without ``async`` and ``await``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from typing import Any

from pydantic import BaseModel

from memu._mappings import mapping
from memu.app import _requests
from memu.app._requests import Ranking, User, Where


class AsyncVerbs:
    """The verbs, to be awaited."""

    _user_model: type[BaseModel]

    async def _call(self, verb: str, request: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedError

    def _retrieve_override(self, ranking: Ranking | None) -> dict[str, Any]:
        raise NotImplementedError

    async def memorize(
        self,
        *,
        resource_url: str | PathLike[str] | None = None,
        modality: str,
        user: User = None,
        content: str | bytes | Sequence[Any] | Mapping[str, Any] | None = None,
        caption: str | None = None,
    ) -> dict[str, Any]:
        """Turns content into memories: all of it or nothing, also when it is cancelled.

        Args:
            resource_url: A path, or a ``file://`` or ``http(s)://`` URL. With ``content``: what
                to call that.
            modality: ``conversation``, ``document``, ``image``, ``video`` or ``audio``.
            user: Whose memory it becomes, such as ``{"user_id": "alice"}``.
            content: The content itself: a text, bytes, or the messages of a conversation.
            caption: For pictures, films and recordings: what they show or say, in words.

        Returns:
            ``status`` (``created``, ``extended`` or ``unchanged``), ``resource``, ``items``,
            ``categories``, ``relations``, ``reinforced`` and ``new_segments``.

        Raises:
            memu.errors.InputError: the content cannot be used; file, line or JSON pointer say why.
            memu.errors.ScopeError: ``user`` does not fit the store.
            memu.errors.ModelError: a model failed; nothing is stored, and what it answered is kept.
        """
        request = {
            "resource_url": _requests.url(resource_url),
            "modality": modality,
            "user": _requests.whose(user, self._user_model),
            "content": _requests.content(content),
            "caption": caption,
        }
        return await self._call("memorize", request)

    async def retrieve(
        self,
        queries: Iterable[Any],
        where: Where = None,
        *,
        top_k: int | None = None,
        ranking: Ranking | None = None,
        explain: bool = False,
        all_scopes: bool = False,
    ) -> dict[str, Any]:
        """The memories that answer a question, with their evidence.

        Args:
            queries: Texts or messages; the last one is the question, earlier ones its context.
            where: Whose memory, and which part of it, such as ``{"user_id": "alice"}``.
            top_k: How many of everything to return, in place of the configured numbers.
            ranking: ``similarity`` or ``salience`` (which also counts how often and how recently a
                memory was met), in place of the configured one.
            explain: Whether to return every term of every score.
            all_scopes: Answer over every scope when no scope field is given.

        Returns:
            ``needs_retrieval``, ``original_query``, ``rewritten_query``, ``next_step_query``,
            ``categories``, ``items``, ``resources`` and ``segments``, each with a ``score``.

        Raises:
            memu.errors.InputError: there is no question, or ``top_k`` is out of range.
            TypeError: ``queries`` is no list, or one of it neither a text nor a message.
            memu.errors.FilterError: ``where`` names an unknown field or operator.
            memu.errors.ScopeError: several scopes exist and ``where`` names none.
        """
        request = {
            "queries": _requests.queries(queries),
            "where": mapping("where", where),
            "top_k": top_k,
            "explain": explain,
            "all_scopes": all_scopes,
            "config": self._retrieve_override(ranking),
        }
        return await self._call("retrieve", request)

    async def list_memory_items(
        self,
        where: Where = None,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        all_scopes: bool = False,
    ) -> dict[str, Any]:
        """The memories that match, oldest first: ``items`` and ``next_cursor``.

        Args:
            where: Whose, and which.
            limit: At most this many, from 1; all of them by default.
            cursor: The ``next_cursor`` of the page before.
            all_scopes: Those of every scope when no scope field is given.
        """
        return await self._call("list_memory_items", _page(where, limit, cursor, all_scopes))

    async def list_memory_categories(
        self,
        where: Where = None,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        all_scopes: bool = False,
    ) -> dict[str, Any]:
        """The categories that match: ``categories`` and ``next_cursor``; as `list_memory_items`."""
        return await self._call("list_memory_categories", _page(where, limit, cursor, all_scopes))

    async def list_resources(
        self,
        where: Where = None,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        all_scopes: bool = False,
    ) -> dict[str, Any]:
        """The resources that match: ``resources`` and ``next_cursor``; as `list_memory_items`."""
        return await self._call("list_resources", _page(where, limit, cursor, all_scopes))

    async def create_memory_item(
        self,
        *,
        memory_type: str,
        memory_content: str,
        memory_categories: Sequence[str] | None = None,
        user: User = None,
        propagate: bool = True,
        extra: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Keeps a memory in the caller's own words.

        Args:
            memory_type: ``profile``, ``event``, ``knowledge``, ``behavior``, ``skill``, ``tool``
                or a configured type.
            memory_content: The memory, in a sentence that stands alone.
            memory_categories: Names of its categories; without any it is filed by its content.
            user: Whose memory it is.
            propagate: Whether the summaries of its categories follow.
            extra: Open details, kept as they are.

        Returns:
            ``memory_item`` and ``category_updates``.
        """
        request = {
            "memory_type": memory_type,
            "memory_content": memory_content,
            "memory_categories": _requests.names(memory_categories),
            "user": _requests.whose(user, self._user_model),
            "propagate": propagate,
            "extra": mapping("extra", extra),
        }
        return await self._call("create_memory_item", request)

    async def create_memory_items(
        self,
        items: Iterable[Mapping[str, Any]],
        *,
        user: User = None,
        propagate: bool = True,
    ) -> dict[str, Any]:
        """Keeps many memories of one scope at once, some hundred times faster than one by one.

        Args:
            items: Each with ``memory_type`` and ``memory_content``, and perhaps
                ``memory_categories`` and ``extra``.
            user: Whose memories they are.
            propagate: Whether the summaries of their categories follow, once all are kept.

        Returns:
            ``memory_items``, in the order in which they came, and ``category_updates``.
        """
        request = {
            "items": _requests.items(items),
            "user": _requests.whose(user, self._user_model),
            "propagate": propagate,
        }
        return await self._call("create_memory_items", request)

    async def update_memory_item(
        self,
        *,
        memory_id: str,
        memory_type: str | None = None,
        memory_content: str | None = None,
        memory_categories: Sequence[str] | None = None,
        user: User = None,
        propagate: bool = True,
        extra: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Changes a memory; what is not named stays.

        Returns:
            ``memory_item`` and ``category_updates``.

        Raises:
            memu.errors.NotFoundError: the scope holds no such memory (also a ``KeyError``).
        """
        request = {
            "memory_id": memory_id,
            "memory_type": memory_type,
            "memory_content": memory_content,
            "memory_categories": (
                None if memory_categories is None else _requests.names(memory_categories)
            ),
            "user": _requests.whose(user, self._user_model),
            "propagate": propagate,
            "extra": mapping("extra", extra),
        }
        return await self._call("update_memory_item", request)

    async def delete_memory_item(
        self,
        *,
        memory_id: str,
        user: User = None,
        propagate: bool = True,
    ) -> dict[str, Any]:
        """Removes a memory, and what it contributed to summaries; as `update_memory_item`."""
        request = {
            "memory_id": memory_id,
            "user": _requests.whose(user, self._user_model),
            "propagate": propagate,
        }
        return await self._call("delete_memory_item", request)

    async def add_tool_call(
        self,
        *,
        memory_id: str,
        tool_call: Mapping[str, Any] | BaseModel,
        user: User = None,
    ) -> dict[str, Any]:
        """Notes a use of a tool with a memory of type ``tool``; returns ``memory_item``."""
        request = {
            "memory_id": memory_id,
            "tool_call": tool_call,
            "user": _requests.whose(user, self._user_model),
        }
        return await self._call("add_tool_call", request)

    async def clear_memory(
        self, where: Where = None, *, all_scopes: bool = False
    ) -> dict[str, Any]:
        """Forgets everything of the scopes that ``where`` names, without a trace.

        Args:
            where: Scope fields only, such as ``{"user_id": "alice"}``.
            all_scopes: Forget everybody's; needed where no scope field is given.

        Returns:
            ``deleted_categories``, ``deleted_items``, ``deleted_resources`` and counts of the rest.
        """
        request = {"where": mapping("where", where), "all_scopes": all_scopes}
        return await self._call("clear_memory", request)

    async def stats(self, where: Where = None, *, all_scopes: bool = False) -> dict[str, Any]:
        """How much is remembered, and what models took."""
        request = {"where": mapping("where", where), "all_scopes": all_scopes}
        return await self._call("stats", request)

    async def check(self, *, repair: bool = False) -> dict[str, Any]:
        """Checks the store; repairs what can be derived where ``repair`` is on."""
        return await self._call("check", {"repair": repair})

    async def close(self) -> None:
        """Finishes all writes and closes the store."""
        await self._call("close", {})


def _page(
    where: Where, limit: int | None, cursor: str | None, all_scopes: bool
) -> dict[str, Any]:
    return {
        "where": mapping("where", where),
        "limit": limit,
        "cursor": cursor,
        "all_scopes": all_scopes,
    }
