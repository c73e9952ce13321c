"""The four repositories of a store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, Literal, Protocol, TypeVar

from memu._mappings import mapping
from memu._memu import NativeDatabase
from memu.database.models import CategoryItem, MemoryCategory, MemoryItem, Resource
from pydantic import BaseModel

Where = Mapping[str, Any] | None
"""Conditions on records: ``field`` or ``field__operator`` to a value."""

Ranking = Literal["similarity", "salience"]


class Buffer(Protocol):
    """Anything with a buffer of floats, such as an array of NumPy."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: Any, /) -> Any: ...


Vector = Sequence[float] | Buffer
"""A vector: a list of numbers, or a buffer of floats, which is read as it lies in memory."""

Record = TypeVar("Record", bound=BaseModel)


class _Records(Generic[Record]):
    """The records of one kind."""

    _kind: str

    def __init__(self, native: NativeDatabase, model: type[Record]) -> None:
        self._native = native
        self._model = model
        self._loaded: tuple[object, list[Record]] | None = None

    def load_existing(self) -> None:
        """Reads all records of all scopes, unless they were read since the last change."""
        self._all()

    def _all(self) -> list[Record]:
        state = self._native.state()
        if self._loaded is None or self._loaded[0] != state:
            self._loaded = (state, self._made(self._native.load(self._kind)))
        return self._loaded[1]

    def _matching(self, where: Where) -> list[Record]:
        return self._made(self._native.list(self._kind, mapping("where", where)))

    def _cleared(self, where: Where) -> list[Record]:
        return self._made(self._native.clear(self._kind, mapping("where", where)))

    def _made(self, records: list[dict[str, Any]]) -> list[Record]:
        return [self._one(record) for record in records]

    def _one(self, record: dict[str, Any]) -> Record:
        # What the core gives is of these types: checking a million of them again takes minutes.
        return self._model.model_construct(**record)


class NativeResourceRepo(_Records[Resource]):
    """The resources of a store."""

    _kind = "resources"

    @property
    def resources(self) -> dict[str, Resource]:
        """All resources by id, of all scopes, as they are now."""
        return {one.id: one for one in self._all()}

    def list_resources(self, where: Where = None) -> dict[str, Resource]:
        """The resources that match, by id. A store that holds several scopes must be told which."""
        return {one.id: one for one in self._matching(where)}

    def clear_resources(self, where: Where = None) -> dict[str, Resource]:
        """Removes the resources that match, and gives them back."""
        return {one.id: one for one in self._cleared(where)}

    def create_resource(
        self,
        *,
        url: str,
        modality: str,
        local_path: str = "",
        caption: str | None = None,
        embedding: Vector | None = None,
        user_data: Mapping[str, Any] | None = None,
        id: str | None = None,
    ) -> Resource:
        """Puts a resource.

        Args:
            url: Where it came from.
            modality: ``conversation``, ``document``, ``image``, ``video`` or ``audio``.
            local_path: Where the caller keeps its file, which MemU neither reads nor removes.
            caption: What it is about, in a sentence.
            embedding: The vector of the caption.
            user_data: Whose it is, such as ``{"user_id": "alice"}``.
            id: Its id, so that what refers to it goes on doing so; made when there is none.

        Raises:
            memu.errors.ConflictError: the scope already has one with this id.
        """
        request = {
            "id": id,
            "url": url,
            "modality": modality,
            "local_path": local_path,
            "caption": caption,
            "embedding": embedding,
            "user_data": _user(user_data),
        }
        return self._one(self._native.create_resource(request))


class NativeMemoryItemRepo(_Records[MemoryItem]):
    """The memories of a store."""

    _kind = "items"

    @property
    def items(self) -> dict[str, MemoryItem]:
        """All memories by id, of all scopes, as they are now."""
        return {one.id: one for one in self._all()}

    def get_item(self, item_id: str) -> MemoryItem | None:
        """The memory with this id; None when there is none."""
        found = self._native.get_item(item_id)
        return None if found is None else self._one(found)

    def list_items(self, where: Where = None) -> dict[str, MemoryItem]:
        """The memories that match, by id. A store that holds several scopes must be told which."""
        return {one.id: one for one in self._matching(where)}

    def clear_items(self, where: Where = None) -> dict[str, MemoryItem]:
        """Removes the memories that match with what hangs on them, and gives them back."""
        return {one.id: one for one in self._cleared(where)}

    def create_item(
        self,
        *,
        resource_id: str | None = None,
        memory_type: str,
        summary: str,
        embedding: Vector | None = None,
        user_data: Mapping[str, Any] | None = None,
        reinforce: bool = False,
        tool_record: Mapping[str, Any] | None = None,
        extra: Mapping[str, Any] | None = None,
        happened_at: datetime | str | None = None,
        id: str | None = None,
    ) -> MemoryItem:
        """Puts a memory.

        Args:
            resource_id: The resource that it was drawn from.
            memory_type: ``profile``, ``event``, ``knowledge``, ``behavior``, ``skill``, ``tool``
                or another.
            summary: The memory, in a sentence.
            embedding: Its vector.
            user_data: Whose it is.
            reinforce: Whether an equal memory is counted once more instead; not for tools.
            tool_record: ``when_to_use``, ``metadata`` and ``tool_calls``, kept among the details.
            extra: Open details.
            happened_at: When it happened, by the clock there: a zone is not kept.
            id: Its id; made when there is none.

        Raises:
            memu.errors.ConflictError: the scope already has one with this id.
            memu.errors.NotFoundError: the scope does not hold its resource.
        """
        request = {
            "id": id,
            "resource_id": resource_id,
            "memory_type": memory_type,
            "summary": summary,
            "embedding": embedding,
            "user_data": _user(user_data),
            "reinforce": reinforce,
            "tool_record": mapping("tool_record", tool_record),
            "extra": mapping("extra", extra),
            "happened_at": happened_at,
        }
        return self._one(self._native.create_item(request))

    def create_items(self, items: Iterable[Mapping[str, Any]]) -> list[MemoryItem]:
        """Puts many memories, each as `create_item` takes it, some hundred times faster.

        Those of a scope that follow each other are put together, a thousand in a transaction;
        what was put before one that the store refuses, or before an interruption, stays. None of
        them can be reinforced. The vectors of what comes back are those that were handed over,
        such as arrays.
        """
        requests: list[dict[str, Any]] = []
        vectors: list[Vector | None] = []
        for item in items:
            requests.append({**item, "user_data": _user(item.get("user_data"))})
            vectors.append(item.get("embedding"))

        def finish(made: list[dict[str, Any]]) -> list[MemoryItem]:
            # The vectors are the caller's own: they need not be made anew.
            for record, vector in zip(made, vectors, strict=True):
                record["embedding"] = vector
            return self._made(made)

        return self._native.create_items(requests, finish)

    def update_item(
        self,
        *,
        item_id: str,
        memory_type: str | None = None,
        summary: str | None = None,
        embedding: Vector | None = None,
        extra: Mapping[str, Any] | None = None,
        tool_record: Mapping[str, Any] | None = None,
    ) -> MemoryItem:
        """Changes a memory; details that are not named stay.

        Raises:
            memu.errors.NotFoundError: there is none with this id (also a ``KeyError``).
        """
        request = {
            "item_id": item_id,
            "memory_type": memory_type,
            "summary": summary,
            "embedding": embedding,
            "extra": mapping("extra", extra),
            "tool_record": mapping("tool_record", tool_record),
        }
        return self._one(self._native.update_item(request))

    def delete_item(self, item_id: str) -> None:
        """Removes a memory with what hangs on it; nothing happens where there is none."""
        self._native.delete_item(item_id)

    def list_items_by_ref_ids(
        self, ref_ids: Sequence[str], where: Where = None
    ) -> dict[str, MemoryItem]:
        """The memories that summaries cite by these references, by id."""
        found = self._native.list_items_by_ref_ids(list(ref_ids), mapping("where", where))
        return {one.id: one for one in self._made(found)}

    def vector_search_items(
        self,
        query_vec: Vector,
        top_k: int,
        where: Where = None,
        *,
        ranking: Ranking = "similarity",
        recency_decay_days: float = 30.0,
    ) -> list[tuple[str, float]]:
        """The memories whose vectors are nearest, best first: ids with scores.

        Args:
            query_vec: The vector, as long as the vectors of the store.
            top_k: At most this many, from 1.
            where: Whose, and which.
            ranking: ``similarity``: the cosine; ``salience``: that weighted by how often and how
                recently a memory was met.
            recency_decay_days: For salience: after how many days the weight is halved.
        """
        return self._native.vector_search_items(
            query_vec, top_k, mapping("where", where) or None, ranking, recency_decay_days
        )


class NativeMemoryCategoryRepo(_Records[MemoryCategory]):
    """The categories of a store."""

    _kind = "categories"

    @property
    def categories(self) -> dict[str, MemoryCategory]:
        """All categories by id, of all scopes, as they are now."""
        return {one.id: one for one in self._all()}

    def list_categories(self, where: Where = None) -> dict[str, MemoryCategory]:
        """The categories that match, by id. A store of several scopes must be told which."""
        return {one.id: one for one in self._matching(where)}

    def clear_categories(self, where: Where = None) -> dict[str, MemoryCategory]:
        """Removes the categories that match, and gives them back."""
        return {one.id: one for one in self._cleared(where)}

    def get_or_create_category(
        self,
        *,
        name: str,
        description: str = "",
        embedding: Vector | None = None,
        user_data: Mapping[str, Any] | None = None,
        summary: str | None = None,
        id: str | None = None,
    ) -> MemoryCategory:
        """The category of this name in its scope; put when there is none."""
        request = _category(id, name, description, summary, embedding, user_data)
        return self._one(self._native.create_category(request, or_create=True))

    def create_category(
        self,
        *,
        name: str,
        description: str = "",
        embedding: Vector | None = None,
        user_data: Mapping[str, Any] | None = None,
        summary: str | None = None,
        id: str | None = None,
    ) -> MemoryCategory:
        """Puts a category, whatever others of its name there are.

        Raises:
            memu.errors.ConflictError: the scope already has one with this id.
        """
        request = _category(id, name, description, summary, embedding, user_data)
        return self._one(self._native.create_category(request, or_create=False))

    def update_category(
        self,
        *,
        category_id: str,
        name: str | None = None,
        description: str | None = None,
        embedding: Vector | None = None,
        summary: str | None = None,
    ) -> MemoryCategory:
        """Changes a category; what is not named stays.

        Raises:
            memu.errors.NotFoundError: there is none with this id (also a ``KeyError``).
        """
        request = {
            "category_id": category_id,
            "name": name,
            "description": description,
            "embedding": embedding,
            "summary": summary,
        }
        return self._one(self._native.update_category(request))


class NativeCategoryItemRepo(_Records[CategoryItem]):
    """Which memories are filed under which categories."""

    _kind = "relations"

    @property
    def relations(self) -> list[CategoryItem]:
        """All relations of all scopes, as they are now."""
        return list(self._all())

    def list_relations(self, where: Where = None) -> list[CategoryItem]:
        """The relations that match. A store that holds several scopes must be told which."""
        return self._matching(where)

    def link_item_category(
        self, item_id: str, cat_id: str, user_data: Mapping[str, Any] | None = None
    ) -> CategoryItem:
        """Files a memory under a category; one that is filed there stays so.

        Raises:
            memu.errors.NotFoundError: the scope holds no such memory or category.
        """
        request = {"item_id": item_id, "cat_id": cat_id, "user_data": _user(user_data)}
        return self._one(self._native.link_item_category(request))

    def unlink_item_category(self, item_id: str, cat_id: str) -> None:
        """Takes a memory out of a category; nothing happens where it is not filed."""
        self._native.unlink_item_category(item_id, cat_id)

    def get_item_categories(self, item_id: str) -> list[CategoryItem]:
        """The relations of a memory."""
        return self._made(self._native.get_item_categories(item_id))


def _user(user_data: Mapping[str, Any] | None) -> dict[str, Any]:
    given = mapping("user_data", user_data)
    return {key: value for key, value in given.items() if value is not None}


def _category(
    id: str | None,
    name: str,
    description: str,
    summary: str | None,
    embedding: Vector | None,
    user_data: Mapping[str, Any] | None,
) -> dict[str, Any]:
    return {
        "id": id,
        "name": name,
        "description": description,
        "summary": summary,
        "embedding": embedding,
        "user_data": _user(user_data),
    }
