"""Conversations as text for a prompt."""

from __future__ import annotations

import json
from typing import Any, cast

__all__ = ["format_conversation_for_preprocess"]


def format_conversation_for_preprocess(raw_text: str) -> str:
    """A conversation in JSON with one message a line: ``[0] 2026-11-22T10:00 [user]: Hello``.

    The JSON is a list of messages ``{"role", "content", "created_at"}``, or an object with such
    a list under ``content``. ``content`` of a message is a text or ``{"text": …}``. Without a
    role it is the ``user``'s, and without a time there is none. What is no message is passed
    over. Line breaks in a message become spaces.

    Text that is no such JSON comes back as it is, and nothing but space as an empty text.
    """
    if not raw_text.strip():
        return ""
    messages = _messages(raw_text)
    if messages is None:
        return raw_text
    return "\n".join(f"[{place}] {_line(message)}" for place, message in enumerate(messages))


def _messages(raw_text: str) -> list[dict[str, Any]] | None:
    try:
        value: object = json.loads(raw_text)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, dict):
        value = cast("dict[str, object]", value).get("content")
    if not isinstance(value, list):
        return None
    listed = cast("list[object]", value)
    return [cast("dict[str, Any]", message) for message in listed if isinstance(message, dict)]


def _line(message: dict[str, Any]) -> str:
    time = _text(message.get("created_at"))
    role = _text(message.get("role")) or "user"
    content = message.get("content")
    if isinstance(content, dict):
        content = cast("dict[str, Any]", content).get("text", "")
    said = " ".join(_text(content).splitlines()).strip()
    return f"{time} [{role}]: {said}" if time else f"[{role}]: {said}"


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()
