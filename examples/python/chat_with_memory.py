"""A chat with a model of OpenAI that remembers what was said in earlier chats.

    export OPENAI_API_KEY=…
    python examples/python/chat_with_memory.py

An empty line ends the chat. Another address in OPENAI_BASE_URL, and a model in OPENAI_MODEL, make
it a chat with another provider. Remembering itself needs neither.
"""

from __future__ import annotations

import os

from openai import OpenAI

from memu import MemoryService
from memu.client import wrap_openai

USER = {"user_id": "alice"}


def said() -> str:
    """What is typed; empty at the end of the input."""
    try:
        return input("> ").strip()
    except EOFError:
        return ""


def main() -> None:
    service = MemoryService(
        database_config={"metadata_store": {"provider": "sqlite", "dsn": "sqlite:///chat.db"}},
    )
    client = wrap_openai(OpenAI(), service, user_data=USER, top_k=3)
    model = os.environ.get("OPENAI_MODEL", "gpt-4o-mini")

    messages: list[dict[str, str]] = []
    while text := said():
        messages.append({"role": "user", "content": text})
        answer = client.chat.completions.create(model=model, messages=messages, stream=True)
        reply = ""
        for chunk in answer:
            piece = chunk.choices[0].delta.content or "" if chunk.choices else ""
            print(piece, end="", flush=True)
            reply += piece
        print()
        messages.append({"role": "assistant", "content": reply})

    if messages:
        memorized = service.sync.memorize(content=messages, modality="conversation", user=USER)
        print(f"Remembered {len(memorized['items'])} things.")
    service.sync.close()


if __name__ == "__main__":
    main()
