"""What callers hand over, as the Rust core takes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike, fspath
from typing import Any, Literal, cast

from pydantic import BaseModel, ValidationError

from memu._mappings import mapping
from memu.app._section import in_words
from memu.errors import InputError, ScopeError

User = Mapping[str, Any] | BaseModel | None
"""Whose memory: values of scope fields, as a dictionary or as the configured model."""

Ranking = Literal["similarity", "salience"]
"""What orders memories."""

Where = Mapping[str, Any] | None
"""Conditions on records: ``field`` or ``field__operator`` to a value."""


def queries(given: Iterable[Any]) -> list[dict[str, str]]:
    """The role and the text of each query.

    A query is a text, or a message: ``{"role": "user", "content": {"text": "..."}}``, where the
    content may be the text itself or parts as chat models take them.

    Raises:
        InputError: there is no query, or one has no text.
        TypeError: a query is neither a text nor a message, or there is one and no list of them.
    """
    if not _is_list(given):
        kind = type(cast("object", given)).__name__
        raise TypeError(f"queries is a list of texts or messages, not a {kind}")
    messages = [_query(one) for one in given]
    if not messages:
        raise InputError("queries is empty; the last one is the question")
    return messages


def _is_list(given: object) -> bool:
    """Whether it holds several of something: also a generator, but no text and no dictionary."""
    return isinstance(given, Iterable) and not isinstance(given, str | bytes | Mapping)


def _query(given: object) -> dict[str, str]:
    if isinstance(given, str):
        return {"role": "user", "text": given}
    if not isinstance(given, Mapping):
        kind = type(given).__name__
        raise TypeError(f"a query is a text or a message with role and content, not a {kind}")
    message = cast("Mapping[str, Any]", given)
    content = message.get("content", message.get("text"))
    return {"role": message.get("role", "user"), "text": _text(content)}


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, Mapping):
        text = cast("Mapping[str, object]", content).get("text")
        if isinstance(text, str):
            return text
    if isinstance(content, list):
        parts = [_text(part) for part in cast("list[object]", content) if _is_text(part)]
        if parts:
            return "\n".join(parts)
    raise InputError('a query has no text: its content is a text or {"text": "..."}')


def _is_text(part: object) -> bool:
    return isinstance(part, str) or (isinstance(part, Mapping) and "text" in part)


def content(given: object) -> object:
    """What is to be memorized, of which the core takes no bytes but ``bytes``.

    Raises:
        TypeError: it is neither text, bytes nor messages.
    """
    if isinstance(given, memoryview):
        return cast("memoryview[int]", given).tobytes()
    if isinstance(given, bytearray):
        return bytes(given)
    if given is None or isinstance(given, str | bytes | Mapping | Sequence):
        return cast("object", given)
    kind = type(given).__name__
    raise TypeError(f"content is a text, bytes or a list of messages, not a {kind}")


def url(given: str | PathLike[str] | None) -> str | None:
    """Where content is: a path may be one of ``pathlib``."""
    return fspath(given) if isinstance(given, PathLike) else given


def names(given: Iterable[str] | None) -> list[str]:
    """The names of categories; none for None.

    Raises:
        TypeError: it is a single name: its letters are no names.
    """
    if isinstance(given, str):
        raise TypeError(f"memory_categories is a list of names, such as [{given!r}], not a str")
    return list(given or ())


def items(given: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Memories to create.

    Raises:
        TypeError: it is no list of dictionaries.
    """
    if not _is_list(given):
        kind = type(cast("object", given)).__name__
        raise TypeError(f"items is a list of dictionaries, not a {kind}")
    made: list[dict[str, Any]] = []
    for one in cast("Iterable[object]", given):
        if not isinstance(one, Mapping):
            kind = type(one).__name__
            raise TypeError(
                f"one of items is a dictionary with memory_type and memory_content, not a {kind}"
            )
        made.append(dict(cast("Mapping[str, Any]", one)))
    return made


def whose(user: User, model: type[BaseModel]) -> dict[str, Any]:
    """The scope fields of a user, checked by the configured model, whose defaults count.

    Fields may be called by their names or by their aliases. What the model does not know goes on
    to the core, which refuses it by name.

    Raises:
        ScopeError: the model refuses a value, or misses one.
        TypeError: ``user`` is neither a dictionary nor a model.
    """
    if isinstance(user, BaseModel):
        return user.model_dump(exclude_none=True)
    given = {key: value for key, value in mapping("user", user).items() if value is not None}
    aliases = {
        name: field.validation_alias
        for name, field in model.model_fields.items()
        if isinstance(field.validation_alias, str)
    }
    given = {aliases.get(key, key): value for key, value in given.items()}
    try:
        checked = model.model_validate(given).model_dump(exclude_none=True)
    except ValidationError as error:
        raise ScopeError(f"user: {in_words(error)}") from error
    unknown = {key: value for key, value in given.items() if key not in aliases.values()}
    return {**unknown, **checked}
