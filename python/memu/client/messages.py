"""The messages of a chat: what is asked in them, and how memories are put into them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

_INSTRUCTING = ("system", "developer")
_TAG = re.compile(r"<(/?memu_context)", re.IGNORECASE)
_HEADING = "What is known about the user from earlier; use what helps with the question:"


def question_of(messages: Sequence[object]) -> str:
    """The text of the last message of the user; empty without one, or where it has no text.

    Messages are mappings or objects with the same attributes (what the client answers may be sent
    back to it). Of a content in parts, the texts are joined by line breaks.
    """
    for message in reversed(messages):
        if _field(message, "role") == "user":
            return "\n".join(_texts(_field(message, "content"))).strip()
    return ""


def with_memories(messages: Sequence[object], memories: Sequence[str]) -> list[object]:
    """A list of the messages, with the memories at the end of the leading instructions, or in a
    ``system`` message before all others where there are none. No message is changed in place."""
    if not memories:
        return list(messages)
    context = _context(memories)
    first = messages[0] if messages else None
    if _field(first, "role") in _INSTRUCTING and isinstance(first, Mapping):
        instructions = cast("Mapping[str, Any]", first)
        content = _appended(instructions.get("content"), context)
        return [{**instructions, "content": content}, *messages[1:]]
    return [{"role": "system", "content": context}, *messages]


def _context(memories: Iterable[str]) -> str:
    # A memory must not end the part of the instructions in which it stands.
    lines = ["- " + _TAG.sub(r"(\1", memory) for memory in memories]
    return "\n".join(["<memu_context>", _HEADING, *lines, "</memu_context>"])


def _appended(content: object, context: str) -> object:
    """A message's content, which is a text or a list of parts, and the context after it."""
    if isinstance(content, str) and content:
        return f"{content}\n\n{context}"
    if isinstance(content, Iterable) and not isinstance(content, str):
        return [*cast("Iterable[object]", content), {"type": "text", "text": context}]
    return context


def _texts(content: object) -> list[str]:
    if isinstance(content, str):
        return [content]
    if not isinstance(content, Sequence):
        return []
    parts = cast("Sequence[object]", content)
    texts = [_field(part, "text") for part in parts if _field(part, "type") == "text"]
    return [text for text in texts if isinstance(text, str)]


def _field(message: object, name: str) -> object:
    if isinstance(message, Mapping):
        return cast("Mapping[str, object]", message).get(name)
    return getattr(message, name, None)
