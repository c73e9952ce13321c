"""The records of a store, as pydantic models.

A store gives records with the fields of its scope beside these, such as ``user_id``:
:func:`build_scoped_models` makes the classes for that.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from datetime import UTC, datetime
from functools import cache
from types import new_class
from typing import Annotated, Any, Literal, TypeVar, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    WrapSerializer,
)

from memu import _memu

__all__ = [
    "BaseRecord",
    "CategoryItem",
    "MemoryCategory",
    "MemoryItem",
    "MemoryType",
    "Resource",
    "ToolCallResult",
    "build_scoped_models",
    "compute_content_hash",
    "merge_scope_model",
]

MemoryType = Literal["profile", "event", "knowledge", "behavior", "skill", "tool"]


def _listed(value: Any, handler: SerializerFunctionWrapHandler) -> Any:
    to_list = getattr(value, "tolist", None)
    return handler(value if to_list is None else to_list())


# Of `create_items` it is what was handed over, which may be an array.
_Embedding = Annotated[list[float] | None, WrapSerializer(_listed)]


def compute_content_hash(summary: str, memory_type: str) -> str:
    """Sixteen hexadecimal digits by which an equal memory is recognised.

    Case and spacing of the summary make no difference; the type does.
    """
    return _memu.content_hash(summary, memory_type)


def _new_id() -> str:
    return str(uuid.uuid4())


def _now() -> datetime:
    return datetime.now(UTC)


class BaseRecord(BaseModel):
    """What every record has: an id, and when it was made and last changed, in UTC."""

    id: str = Field(default_factory=_new_id)
    created_at: datetime = Field(default_factory=_now)
    updated_at: datetime = Field(default_factory=_now)


class ToolCallResult(BaseModel):
    """One use of a tool.

    Attributes:
        tool_name: The tool.
        input: What it was given: an object or a text. Default an empty text.
        output: What it gave back. Default empty.
        success: Whether it worked. Default yes.
        time_cost: How long it took, in seconds. Default 0.
        token_cost: How many tokens it took; -1 for unknown, which is the default.
        score: How good the result was, from 0 to 1. Default 0.
        call_hash: By what an equal use is recognised; see :meth:`ensure_hash`.
        created_at: When it was. Default now.
    """

    tool_name: str
    input: dict[str, Any] | str = ""
    output: str = ""
    success: bool = True
    time_cost: float = 0.0
    token_cost: int = -1
    score: float = 0.0
    call_hash: str = ""
    created_at: datetime = Field(default_factory=_now)

    def generate_hash(self) -> str:
        """The MD5 hash of name, input and output, in hexadecimal digits."""
        given = (
            self.input if isinstance(self.input, str) else json.dumps(self.input, sort_keys=True)
        )
        text = f"{self.tool_name}|{given}|{self.output}"
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    def ensure_hash(self) -> None:
        """Sets ``call_hash`` where it is empty."""
        self.call_hash = self.call_hash or self.generate_hash()


class Resource(BaseRecord):
    """Something that was handed over: a conversation, a document, an image, a recording."""

    url: str
    modality: str
    local_path: str
    caption: str | None = None
    embedding: _Embedding = None


class MemoryItem(BaseRecord):
    """One memory.

    ``extra`` may hold ``when_to_use``, ``metadata`` and ``tool_calls`` of the caller, and
    ``content_hash``, ``ref_id``, ``reinforcement_count`` and ``last_reinforced_at``, which the
    store keeps itself.
    """

    resource_id: str | None
    memory_type: str
    summary: str
    embedding: _Embedding = None
    happened_at: datetime | None = None
    extra: dict[str, Any] = Field(default_factory=dict[str, Any])


class MemoryCategory(BaseRecord):
    """A topic with a summary that follows its memories."""

    name: str
    description: str
    embedding: _Embedding = None
    summary: str | None = None


class CategoryItem(BaseRecord):
    """A memory that is filed under a category."""

    item_id: str
    category_id: str


RecordT = TypeVar("RecordT", bound=BaseRecord)


def merge_scope_model(
    user_model: type[BaseModel], core_model: type[RecordT], *, name_suffix: str
) -> type[RecordT]:
    """A record class that has the fields of a scope, too. Other fields are kept as they come.

    The same arguments give the same class, and its records can be pickled where those of
    ``user_model`` can.

    Raises:
        TypeError: The scope has a field that the record has itself.
    """
    return cast("type[RecordT]", _merged(user_model, core_model, name_suffix))


@cache
def _merged(
    user_model: type[BaseModel], core_model: type[BaseRecord], name_suffix: str
) -> type[BaseRecord]:
    overlap = sorted(user_model.model_fields.keys() & core_model.model_fields.keys())
    if overlap:
        raise TypeError(f"Scope fields conflict with core model fields: {overlap}")

    def reduce(record: BaseRecord) -> tuple[Any, ...]:
        return _blank, (user_model, core_model, name_suffix), record.__getstate__()

    def fill(namespace: dict[str, Any]) -> None:
        namespace["__module__"] = __name__
        namespace["__reduce__"] = reduce
        namespace["model_config"] = ConfigDict(extra="allow")

    name = f"{user_model.__name__}{core_model.__name__}{name_suffix}"
    return cast("type[BaseRecord]", new_class(name, (user_model, core_model), exec_body=fill))


def _blank(
    user_model: type[BaseModel], core_model: type[BaseRecord], name_suffix: str
) -> BaseRecord:
    """A record that a pickle has yet to fill. No module has its class under a name."""
    scoped = _merged(user_model, core_model, name_suffix)
    return scoped.__new__(scoped)


def build_scoped_models(
    user_model: type[BaseModel],
) -> tuple[type[Resource], type[MemoryCategory], type[MemoryItem], type[CategoryItem]]:
    """The four record classes of a store whose scope has the fields of ``user_model``.

    Raises:
        TypeError: The scope has a field that a record has itself.
    """
    return (
        merge_scope_model(user_model, Resource, name_suffix="Resource"),
        merge_scope_model(user_model, MemoryCategory, name_suffix="MemoryCategory"),
        merge_scope_model(user_model, MemoryItem, name_suffix="MemoryItem"),
        merge_scope_model(user_model, CategoryItem, name_suffix="CategoryItem"),
    )
