"""Tries an installed package: `python smoke.py` remembers, recalls and fails when it cannot.

It needs nothing but the package, no network and no key, and leaves nothing behind.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import memu
from memu.app import MemoryService

CONVERSATION = Path(__file__).parent / "data" / "conversation.json"


async def try_service(file: Path) -> str:
    """Stores a conversation in a file, closes it, and asks another service about it."""
    config = {"metadata_store": {"provider": "sqlite", "dsn": f"sqlite:///{file.as_posix()}"}}
    alice = {"user_id": "alice"}

    writer = MemoryService(database_config=config)
    stored = await writer.memorize(
        resource_url=str(CONVERSATION), modality="conversation", user=alice
    )
    assert stored["status"] == "created", stored
    await writer.close()

    reader = MemoryService(database_config=config)
    answer = await reader.retrieve(
        queries=[{"role": "user", "content": {"text": "What should I not eat?"}}], where=alice
    )
    await reader.close()
    return str(answer["items"][0]["summary"])


def main() -> None:
    """Runs the trial in a folder that goes with it."""
    with tempfile.TemporaryDirectory() as folder:
        summary = asyncio.run(try_service(Path(folder) / "memu.db"))
    assert "peanuts" in summary, summary
    print(f"memu {memu.__version__}: {summary}")


if __name__ == "__main__":
    main()
