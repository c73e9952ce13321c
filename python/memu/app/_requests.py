"""What callers hand over, as the Rust core takes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, cast

from pydantic import BaseModel, ValidationError

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
    if isinstance(given, str | bytes | Mapping):
        kind = type(cast("object", given)).__name__
        raise TypeError(f"queries is a list of texts or messages, not a {kind}")
    messages = [_query(one) for one in given]
    if not messages:
        raise InputError("queries is empty; the last one is the question")
    return messages


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
    """What is to be memorized, of which the core takes no bytes but ``bytes``."""
    if isinstance(given, memoryview):
        return cast("memoryview[int]", given).tobytes()
    return bytes(given) if isinstance(given, bytearray) else given


def whose(user: User, model: type[BaseModel]) -> dict[str, Any]:
    """The scope fields of a user, checked by the configured model.

    What the model does not know goes on to the core, which refuses it by name.

    Raises:
        ScopeError: the model refuses a value.
    """
    if user is None:
        return {}
    if isinstance(user, BaseModel):
        return user.model_dump(exclude_none=True)
    given = {key: value for key, value in user.items() if value is not None}
    try:
        checked = model.model_validate(given).model_dump(exclude_none=True)
    except ValidationError as error:
        raise ScopeError(f"user: {in_words(error)}") from error
    return {**given, **checked}
