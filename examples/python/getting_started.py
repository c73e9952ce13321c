"""Remembers a conversation in a file and asks two questions. No key and no network are needed.

    python examples/python/getting_started.py

Called again, it finds the conversation remembered already.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from memu import MemoryService

CONVERSATION = Path(__file__).with_name("conversation.json")
QUESTIONS = ["What do I take in my coffee?", "What is Ines allergic to?"]


async def main() -> None:
    service = MemoryService(
        database_config={
            "metadata_store": {"provider": "sqlite", "dsn": "sqlite:///getting_started.db"},
        },
    )
    memorized = await service.memorize(
        resource_url=str(CONVERSATION),
        modality="conversation",
        user={"user_id": "alice"},
    )
    print(f"{CONVERSATION.name} ({memorized['status']})")
    for item in memorized["items"]:
        print(f"  {item['memory_type']}: {item['summary']}")

    for question in QUESTIONS:
        answer = await service.retrieve(
            queries=[{"role": "user", "content": {"text": question}}],
            where={"user_id": "alice"},
            top_k=1,
        )
        print(question)
        for item in answer["items"]:
            print(f"  {item['score']:.2f}  {item['summary']}")
        for message in answer["segments"]:
            print(f"        “{message['text']}”")
    await service.close()


if __name__ == "__main__":
    asyncio.run(main())
