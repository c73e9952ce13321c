"""The programs in `examples/python` do what they say, run as their readers would run them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from fake_openai import FakeOpenAI
from pydantic import BaseModel

from memu import MemoryService
from memu.app.settings import DatabaseConfig
from memu.database.postgres import build_postgres_database
from memu.database.sqlite import build_sqlite_database


class User(BaseModel):
    """The scope of the stores that are compared."""

    user_id: str | None = None


EXAMPLES = Path(__file__).parents[2] / "examples" / "python"


def run(folder: Path, example: str, *arguments: str, typed: str = "") -> str:
    """What an example prints when it runs in this folder."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / example), *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONUTF8": "1"},
        input=typed,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{example} failed:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def whose(record: BaseModel) -> str | None:
    """The user of a record."""
    user_id: str | None = getattr(record, "user_id", None)
    return user_id


# The times are those of the copy, and the messages themselves stay behind.
NOT_COPIED = {"created_at", "updated_at", "content_hash", "segment_count", "segment_ids"}


def told(records: Iterable[BaseModel]) -> dict[str, dict[str, Any]]:
    """Everything else that records say, by id."""
    dumped = [record.model_dump(exclude=NOT_COPIED) for record in records]
    return {record["id"]: record for record in dumped}


def test_every_example_is_tested() -> None:
    tested = {"getting_started", "chat_with_memory", "langgraph_agent", "migrate_to_postgres"}
    assert {path.stem for path in EXAMPLES.glob("*.py")} == tested


def test_getting_started_answers_from_the_conversation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It says that no key is needed.
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    first, again = (run(tmp_path, "getting_started.py") for _ in range(2))
    coffee, allergy = first.split("What do I take in my coffee?\n")[1].split(
        "What is Ines allergic to?\n"
    )
    assert "oat milk" in coffee
    assert "walnuts" in allergy
    assert first.startswith("conversation.json (created)\n")
    assert again == first.replace("(created)", "(unchanged)", 1)
    assert (tmp_path / "getting_started.db").is_file()


def test_a_second_chat_knows_what_was_said_in_the_first(
    tmp_path: Path, fake_openai: FakeOpenAI
) -> None:
    first = run(tmp_path, "chat_with_memory.py", typed="I drink my coffee with oat milk.\n\n")
    assert "You said: I drink my coffee with oat milk." in first
    assert "Remembered " in first
    second = run(tmp_path, "chat_with_memory.py", typed="How do I take my coffee?\n")
    assert "You said: How do I take my coffee?" in second

    before, after = fake_openai.chats
    assert [message["role"] for message in before.messages] == ["user"]
    assert [message["role"] for message in after.messages] == ["system", "user"]
    assert "oat milk" in after.messages[0]["content"]
    assert after.body["stream"] is True


def test_a_chat_without_words_remembers_nothing(tmp_path: Path, fake_openai: FakeOpenAI) -> None:
    printed = run(tmp_path, "chat_with_memory.py", typed="")
    assert "Remembered" not in printed
    assert fake_openai.requests == []


def test_the_agent_finds_what_it_saved(tmp_path: Path) -> None:
    printed = run(tmp_path, "langgraph_agent.py")
    assert printed.count("The memory was saved successfully.") == 2
    answer = printed.split("> What does Alice drink in her coffee?\n")[1].splitlines()
    assert answer[0] == "Memories, the most relevant first:"
    assert answer[1].startswith("1. (1.00) ")
    assert "oat milk" in answer[1]


def test_what_is_migrated_to_postgres_arrives_with_ids_and_scopes(
    tmp_path: Path, postgres_dsn: str
) -> None:
    file = f"sqlite:///{tmp_path / 'memu.db'}"
    store = {"metadata_store": {"provider": "sqlite", "dsn": file}}
    service = MemoryService(database_config=store).sync
    with service:
        for user in ("alice", "bob"):
            service.memorize(
                resource_url=str(EXAMPLES / "conversation.json"),
                modality="conversation",
                user={"user_id": user},
            )

    printed = run(tmp_path, "migrate_to_postgres.py", file, postgres_dsn)

    sqlite = build_sqlite_database(config=DatabaseConfig.model_validate(store), user_model=User)
    target = {"metadata_store": {"provider": "postgres", "dsn": postgres_dsn}}
    postgres = build_postgres_database(
        config=DatabaseConfig.model_validate(target), user_model=User
    )
    with sqlite, postgres:
        assert len(sqlite.items) > 0
        assert f"{len(sqlite.items)} items" in printed.splitlines()
        for kind in ("resources", "categories", "items"):
            before, after = getattr(sqlite, kind), getattr(postgres, kind)
            assert told(before.values()) == told(after.values())
        filed = [
            {(one.item_id, one.category_id, whose(one)) for one in store.relations}
            for store in (sqlite, postgres)
        ]
        assert filed[0] == filed[1] != set()
        assert {whose(item) for item in postgres.items.values()} == {"alice", "bob"}
