"""The programs that are promised, word by word, each in a process and a folder of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from fake_openai import FakeOpenAI
from support import CONVERSATION, program

PROGRAM = """
import asyncio
from memu.app import MemoryService

async def main():
    service = MemoryService(
{arguments}
    )
    result = await service.memorize(
        resource_url="conversation.json", modality="conversation", user={{"user_id": "alice"}}
    )
    print(len(result["categories"]))
    result = await service.retrieve(
        queries=[{{"role": "user", "content": {{"text": "What are my preferences?"}}}}],
        where={{"user_id": "alice"}},
    )
    for item in result["items"]:
        print(item["summary"])

asyncio.run(main())
"""
PROFILES = 'llm_profiles={"default": {"api_key": "your-api-key"}}'
STORE = '"metadata_store": {"provider": "sqlite", "dsn": "sqlite:///my_memories.db"}'
FILE = f"database_config={{{STORE}}}"
INDEX = f'database_config={{{STORE}, "vector_index": {{"provider": "bruteforce"}}}}'
MEMORY = FILE.replace("my_memories.db", ":memory:")
NOTHING = {
    name: "" for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "ANTHROPIC_API_KEY", "MEMU_CONFIG")
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a conversation and nothing else."""
    shutil.copy(CONVERSATION, tmp_path)
    return tmp_path


@pytest.mark.parametrize("database", [FILE, INDEX, MEMORY], ids=["file", "bruteforce", "memory"])
def test_with_a_provider(folder: Path, fake_openai: FakeOpenAI, database: str) -> None:
    source = PROGRAM.format(arguments=f"{PROFILES}, {database}")
    count, *found = program(
        source, folder, variables={"OPENAI_BASE_URL": fake_openai.base_url}
    ).splitlines()
    assert int(count) == 10
    assert any("flat white" in summary for summary in found)
    asked = fake_openai.requests
    assert {request.authorization for request in asked} == {"Bearer your-api-key"}
    assert {request.path for request in asked} == {"/v1/chat/completions", "/v1/embeddings"}
    assert (folder / "my_memories.db").exists() is (database != MEMORY)


@pytest.mark.parametrize("database", [FILE, INDEX, MEMORY], ids=["file", "bruteforce", "memory"])
def test_without_any_profile(folder: Path, database: str) -> None:
    source = PROGRAM.format(arguments=database)
    count, *found = program(source, folder, variables=NOTHING).splitlines()
    assert int(count) == 10
    assert any("flat white" in summary for summary in found)


def test_without_any_argument(folder: Path) -> None:
    count, *found = program(PROGRAM.format(arguments=""), folder, variables=NOTHING).splitlines()
    assert int(count) == 10
    assert found


def test_what_one_process_stored_another_one_finds(folder: Path) -> None:
    program(PROGRAM.format(arguments=FILE), folder, variables=NOTHING)
    source = """
import asyncio
from memu import MemUService

async def main():
    service = MemUService(
        database_config={
            "metadata_store": {"provider": "sqlite", "dsn": "sqlite:///my_memories.db"},
        }
    )
    result = await service.retrieve(
        queries=[{"role": "user", "content": {"text": "What should I not eat?"}}],
        where={"user_id": "alice"},
    )
    print(result["items"][0]["summary"])

asyncio.run(main())
"""
    assert "peanuts" in program(source, folder, variables=NOTHING)


IMPORT = """
import sys
from memu.app.settings import DatabaseConfig, DefaultUserModel
from memu.database.postgres import build_postgres_database
from memu.database.sqlite import build_sqlite_database

sqlite_db = build_sqlite_database(
    config=DatabaseConfig(metadata_store={"provider": "sqlite", "dsn": "sqlite:///my_memories.db"}),
    user_model=DefaultUserModel,
)
sqlite_db.load_existing()

postgres_db = build_postgres_database(
    config=DatabaseConfig(metadata_store={"provider": "postgres", "dsn": sys.argv[1]}),
    user_model=DefaultUserModel,
)
for resource_id, resource in sqlite_db.resources.items():
    postgres_db.resource_repo.create_resource(
        id=resource_id,
        url=resource.url,
        modality=resource.modality,
        local_path=resource.local_path,
        caption=resource.caption,
        embedding=resource.embedding,
        user_data={"user_id": resource.user_id},
    )
for item_id, item in sqlite_db.items.items():
    postgres_db.memory_item_repo.create_item(
        id=item_id,
        resource_id=item.resource_id,
        memory_type=item.memory_type,
        summary=item.summary,
        embedding=item.embedding,
        extra=item.extra,
        happened_at=item.happened_at,
        user_data={"user_id": item.user_id},
    )
for category_id, category in sqlite_db.categories.items():
    postgres_db.memory_category_repo.create_category(
        id=category_id,
        name=category.name,
        description=category.description,
        embedding=category.embedding,
        summary=category.summary,
        user_data={"user_id": category.user_id},
    )
for relation in sqlite_db.relations:
    postgres_db.category_item_repo.link_item_category(
        relation.item_id, relation.category_id, user_data={"user_id": relation.user_id}
    )

def told(database):
    return (
        {one.id: (one.url, one.modality, one.user_id) for one in database.resources.values()},
        {one.id: (one.summary, one.extra, one.embedding) for one in database.items.values()},
        {one.id: (one.name, one.summary, one.user_id) for one in database.categories.values()},
        {(one.item_id, one.category_id) for one in database.relations},
    )

assert told(postgres_db) == told(sqlite_db)
print(*map(len, told(postgres_db)))
"""


def test_the_import_to_postgresql(folder: Path, postgres_dsn: str) -> None:
    program(PROGRAM.format(arguments=FILE), folder, variables=NOTHING)
    counts = [int(count) for count in program(IMPORT, folder, postgres_dsn).split()]
    assert counts[0] == 1
    assert counts[1] >= 5
    assert counts[2] == 10
    assert counts[3] >= counts[1]
    source = """
import sys
from memu import MemoryService
service = MemoryService(database_config={"metadata_store": {"dsn": sys.argv[1]}})
answer = service.sync.retrieve(["What should I not eat?"], {"user_id": "alice"})
print(answer["items"][0]["summary"])
"""
    assert "peanuts" in program(source, folder, postgres_dsn, variables=NOTHING)
