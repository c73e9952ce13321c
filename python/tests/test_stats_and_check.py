"""`stats`, `check` and `close`: how much there is, whether it is sound, and the end."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from fake_openai import FakeOpenAI
from support import ALICE, BOB, Call, created, memorized, openai, sqlite, summaries

from memu import MemoryService
from memu.errors import FilterError, ScopeError, StorageError


def test_stats_count_what_a_scope_holds(service: MemoryService, call: Call) -> None:
    assert call(service, "stats") == {
        "scopes": 0,
        "resources": 0,
        "segments": 0,
        "items": 0,
        "categories": 0,
        "unfinished": 0,
        "model_calls": [],
    }
    stored = memorized(service)
    created(service, "Bob plays the cello", BOB)
    alice = call(service, "stats", ALICE)
    assert (alice["scopes"], alice["resources"], alice["segments"]) == (1, 1, 7)
    assert alice["items"] == len(stored["items"])
    everybody = call(service, "stats", all_scopes=True)
    assert (everybody["scopes"], everybody["items"]) == (2, alice["items"] + 1)


def test_stats_tell_what_models_took(fake_openai: FakeOpenAI, call: Call) -> None:
    service = MemoryService(llm_profiles=openai())
    memorized(service)
    calls = call(service, "stats", ALICE)["model_calls"]
    assert {one["step"] for one in calls} == {"extract_items", "persist_index"}
    assert {one["model"] for one in calls} == {"openai/gpt-4o-mini"}
    count = sum(one["calls"] for one in calls)
    assert count == len(fake_openai.chats)
    assert sum(one["input_tokens"] for one in calls) == 12 * count
    assert sum(one["output_tokens"] for one in calls) == 3 * count


def test_stats_of_nobody_in_particular_are_refused(call: Call) -> None:
    service = MemoryService()
    for user in (ALICE, BOB):
        created(service, "Somebody plays the cello", user)
    with pytest.raises(ScopeError, match="2 scopes"):
        call(service, "stats")
    with pytest.raises(FilterError, match="nobody"):
        call(service, "stats", {"nobody": "x"})
    with pytest.raises(FilterError, match="null"):
        call(service, "stats", {"user_id": None})


def test_a_sound_store_is_found_sound(service: MemoryService, call: Call) -> None:
    stored = memorized(service)
    answer = call(service, "check")
    assert {finding["severity"] for finding in answer["findings"]} == {"ok"}
    assert all(
        set(finding) == {"check", "message", "repaired", "severity"}
        for finding in answer["findings"]
    )
    counts = (answer["scopes"], answer["resources"], answer["segments"], answer["items"])
    assert counts == (1, 1, 7, len(stored["items"]))
    assert answer["relations"] == len(stored["relations"])


def test_what_can_be_derived_is_repaired(tmp_path: Path, call: Call) -> None:
    file = tmp_path / "memu.db"
    service = MemoryService(database_config=sqlite(file))
    memorized(service)
    service.sync.close()
    with closing(sqlite3.connect(file)) as database:
        names = {
            name
            for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        }
        outlines = sorted(name for name in names if "outline" in name)
        assert outlines
        for name in outlines:
            database.execute(f"DELETE FROM {name}")
        database.commit()
    service = MemoryService(database_config=sqlite(file))
    found = call(service, "check")
    assert any(finding["severity"] != "ok" for finding in found["findings"])
    assert not any(finding["repaired"] for finding in found["findings"])
    repaired = call(service, "check", repair=True)
    assert any(finding["repaired"] for finding in repaired["findings"])
    assert {finding["severity"] for finding in call(service, "check")["findings"]} == {"ok"}
    answer = service.sync.retrieve(["What should I not eat?"], ALICE)
    assert "peanuts" in answer["segments"][0]["text"]


def test_a_closed_service_says_so(tmp_path: Path, call: Call) -> None:
    service = MemoryService(database_config=sqlite(tmp_path / "memu.db"))
    created(service, "Alice plays the cello")
    call(service, "close")
    for verb in ("stats", "check", "list_memory_items"):
        with pytest.raises(StorageError, match="closed") as raised:
            call(service, verb)
        assert isinstance(raised.value, RuntimeError)
    call(service, "close")
    again = MemoryService(database_config=sqlite(tmp_path / "memu.db"))
    assert summaries(again) == ["Alice plays the cello"]
    again.sync.close()


def test_the_end_of_a_with_block_closes(tmp_path: Path) -> None:
    service = MemoryService(database_config=sqlite(tmp_path / "memu.db"))
    with service.sync as memory:
        memory.stats()
    with pytest.raises(StorageError, match="closed"):
        service.sync.stats()


async def test_the_end_of_an_async_with_block_closes(tmp_path: Path) -> None:
    async with MemoryService(database_config=sqlite(tmp_path / "memu.db")) as service:
        await service.stats()
    with pytest.raises(StorageError, match="closed"):
        await service.stats()


def test_when_no_write_is_running_the_file_alone_is_a_copy(tmp_path: Path, call: Call) -> None:
    service = MemoryService(database_config=sqlite(tmp_path / "memu.db"))
    memorized(service)
    copy = tmp_path / "copy.db"
    copy.write_bytes((tmp_path / "memu.db").read_bytes())
    copied = MemoryService(database_config=sqlite(copy))
    assert call(copied, "list_memory_items", ALICE) == call(service, "list_memory_items", ALICE)
