"""A process may end at once after an answer, whatever threads of the core still do."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from memu.database.sqlite import build_sqlite_database

ROUNDS = 20

ASYNC = """
import asyncio
from memu.app import MemoryService

async def main():
    service = MemoryService()
    await service.create_memory_item(
        memory_type="profile", memory_content="Nora keeps bees", user={"user_id": "nora"}
    )
    CLOSE

asyncio.run(main())
"""

UNAWAITED = """
import asyncio
from memu.app import MemoryService

async def main():
    service = MemoryService()
    for number in range(20):
        asyncio.ensure_future(service.create_memory_item(
            memory_type="event", memory_content=f"{number} bees swarmed", user={"user_id": "nora"}
        ))
    await asyncio.sleep(0)

asyncio.run(main())
"""

SYNC = """
from memu.app import MemoryService

MemoryService().sync.create_memory_item(
    memory_type="profile", memory_content="Nora keeps bees", user={"user_id": "nora"}
)
"""

# Registered before MemU is imported, so called after what it does at the end.
LOOK = """
import atexit
import os

def look():
    assert not os.path.getsize("memory.db-wal")

atexit.register(look)
"""

# Quick writes leave it to the next moment to empty the log, which is the last one here.
QUICK = """
from memu.app import MemoryService

store = {"provider": "sqlite", "dsn": "sqlite:///memory.db"}
memory = MemoryService(database_config={"metadata_store": store}).sync
for number in range(200):
    memory.create_memory_item(
        memory_type="event", memory_content=f"{number} bees swarmed", user={"user_id": "nora"}
    )
"""


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(ASYNC.replace("CLOSE", ""), id="awaited"),
        pytest.param(ASYNC.replace("CLOSE", "await service.close()"), id="closed"),
        pytest.param(UNAWAITED, id="given up"),
        pytest.param(SYNC, id="sync"),
    ],
)
def test_a_process_ends_cleanly_right_after_an_answer(program: str, tmp_path: Path) -> None:
    # What goes wrong at the end of a process does so now and then only.
    for number in range(ROUNDS):
        ended = subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (ended.returncode, ended.stderr) == (0, ""), f"round {number}"


def test_a_process_that_never_closes_leaves_its_file_complete(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", LOOK + QUICK],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    copy = shutil.copy(tmp_path / "memory.db", tmp_path / "copy.db")
    store = {"provider": "sqlite", "dsn": f"sqlite:///{copy}"}
    with build_sqlite_database(config={"metadata_store": store}) as database:
        found = {item.summary for item in database.items.values()}
    assert found == {f"{number} bees swarmed" for number in range(200)}


WAITING = """
import threading
import time
from memu.app import MemoryService

store = {"provider": "sqlite", "dsn": "sqlite:///memory.db"}
memory = MemoryService(database_config={"metadata_store": store}).sync

def create():
    memory.create_memory_item(
        memory_type="event", memory_content="Bees swarmed", user={"user_id": "nora"}
    )
    print("written")

threading.Thread(target=create, daemon=True).start()
time.sleep(0.3)
"""


def test_a_process_ends_though_another_one_holds_its_file(tmp_path: Path) -> None:
    file = tmp_path / "memory.db"
    with build_sqlite_database(config={"metadata_store": {"dsn": f"sqlite:///{file}"}}) as database:
        assert database.items == {}
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        # Less than writers wait for each other.
        command = [sys.executable, "-c", WAITING]
        ended = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, timeout=20, check=True
        )
    finally:
        other.close()
    assert ended.stdout == ""
