"""What callers hand over, as the Rust core takes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, cast

from pydantic import BaseModel

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
        ValueError: there is no query, or one has no text.
        TypeError: a query is neither a text nor a message.
    """
    messages = [_query(one) for one in given]
    if not messages:
        raise ValueError("queries is empty; the last one is the question")
    return messages


def _query(given: Any) -> dict[str, str]:
    if isinstance(given, str):
        return {"role": "user", "text": given}
    if not isinstance(given, Mapping):
        kind = type(given).__name__
        raise TypeError(f"a query is a text or a message with role and content, not a {kind}")
    message = cast("Mapping[str, Any]", given)
    role = message.get("role", "user")
    return {"role": role, "text": _text(message.get("content", message.get("text")))}


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, Mapping):
        text = cast("Mapping[str, Any]", content).get("text")
        if isinstance(text, str):
            return text
    if isinstance(content, list):
        parts = [_text(part) for part in cast("list[object]", content) if _is_text(part)]
        if parts:
            return "\n".join(parts)
    raise ValueError('a query has no text: its content is a text or {"text": "..."}')


def _is_text(part: Any) -> bool:
    return isinstance(part, str) or (isinstance(part, Mapping) and "text" in part)


def whose(user: User, model: type[BaseModel]) -> dict[str, Any]:
    """The scope fields of a user, checked by the configured model.

    What the model does not know goes on to the core, which refuses it by name.
    """
    if user is None:
        return {}
    if isinstance(user, BaseModel):
        return user.model_dump(exclude_none=True)
    given = {key: value for key, value in user.items() if value is not None}
    checked = model.model_validate(given).model_dump(exclude_none=True)
    return {**given, **checked}
