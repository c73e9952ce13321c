"""Conversations in JSON become one line a message."""

from __future__ import annotations

import json
from typing import Any

import pytest

from memu.utils.conversation import format_conversation_for_preprocess


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        (
            [
                {"role": "user", "content": "Hello", "created_at": "2026-11-22T10:00:00"},
                {"role": "assistant", "content": "Hi", "created_at": " 2026-11-22T10:05:00 "},
            ],
            "[0] 2026-11-22T10:00:00 [user]: Hello\n[1] 2026-11-22T10:05:00 [assistant]: Hi",
        ),
        ([{"content": "Hello"}], "[0] [user]: Hello"),
        ([{"role": " ", "content": "Hello"}], "[0] [user]: Hello"),
        ([{"role": "system", "content": "One\ntwo\r\nthree "}], "[0] [system]: One two three"),
        ([{"role": "user", "content": {"text": "Hello"}}], "[0] [user]: Hello"),
        ([{"role": "user", "content": {"image": "a.png"}}], "[0] [user]: "),
        ([{"role": "user", "content": None}], "[0] [user]: "),
        ([{"role": "user", "content": 7, "created_at": 1732269600}], "[0] 1732269600 [user]: 7"),
        (["no message", {"content": "Hello"}, 3], "[0] [user]: Hello"),
        ([], ""),
    ],
)
def test_messages_become_lines(messages: list[Any], expected: str) -> None:
    assert format_conversation_for_preprocess(json.dumps(messages)) == expected
    wrapped = json.dumps({"content": messages, "id": "c"}, indent=2)
    assert format_conversation_for_preprocess(f"\n{wrapped}\n") == expected


@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
def test_nothing_stays_nothing(text: str) -> None:
    assert format_conversation_for_preprocess(text) == ""


@pytest.mark.parametrize(
    "text",
    [
        "Hello there",
        '{"role": "user", "content": "no end"',
        '[{"content": "Hello"}] and more',
        "{}",
        '{"content": "a text"}',
        '{"key": [1, 2]}',
        "123",
        "null",
        '"a text"',
        "  plain, with space around it \n",
        "[" * 100_000,
    ],
)
def test_what_is_no_conversation_comes_back_as_it_is(text: str) -> None:
    assert format_conversation_for_preprocess(text) == text
