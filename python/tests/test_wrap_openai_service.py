"""`wrap_openai` over the real `MemoryService`, with its memories in this process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from fake_openai import FakeOpenAI
from openai import AsyncOpenAI, OpenAI

from memu import MemoryService
from memu.client import wrap_openai
from memu.integrations.langgraph import MemULangGraphTools

CHAT = [
    {"role": "user", "content": "I drink my coffee with oat milk. My sister Ines lives in Lisbon."},
    {"role": "assistant", "content": "Noted."},
]
ASKED: dict[str, Any] = {
    "model": "fake-model",
    "messages": [{"role": "user", "content": "What do I take in my coffee?"}],
}


@pytest.fixture
def service() -> Iterator[MemoryService]:
    service = MemoryService(database_config={"metadata_store": {"provider": "inmemory"}})
    service.sync.memorize(content=CHAT, modality="conversation", user={"user_id": "alice"})
    service.sync.memorize(
        content=[{"role": "user", "content": "I never drink coffee, only green tea."}],
        modality="conversation",
        user={"user_id": "bob"},
    )
    yield service
    service.sync.close()


def test_a_synchronous_chat_recalls_what_this_user_said(
    fake_openai: FakeOpenAI, service: MemoryService
) -> None:
    with wrap_openai(OpenAI(), service, user_id="alice") as client:
        client.chat.completions.create(**ASKED)
    assert "oat milk" in fake_openai.instructions
    assert "green tea" not in fake_openai.instructions


@pytest.mark.parametrize("ranking", ["similarity", "salience"])
def test_an_asynchronous_chat_recalls_by_either_ranking(
    fake_openai: FakeOpenAI, service: MemoryService, ranking: str
) -> None:
    async def chat() -> None:
        async with wrap_openai(
            AsyncOpenAI(), service, user_id="alice", ranking=ranking, top_k=1
        ) as client:
            await client.chat.completions.create(**ASKED)

    asyncio.run(chat())
    assert "oat milk" in fake_openai.instructions
    assert "Ines" not in fake_openai.instructions


def test_a_synchronous_chat_recalls_within_a_running_event_loop(
    fake_openai: FakeOpenAI, service: MemoryService
) -> None:
    async def chat() -> None:
        # Both halves of the service in one program.
        await service.retrieve(["What is my sister called?"], where={"user_id": "alice"})
        with wrap_openai(OpenAI(), service, user_id="alice") as client:
            client.chat.completions.create(**ASKED)

    asyncio.run(chat())
    assert "oat milk" in fake_openai.instructions


def recalled(server: FakeOpenAI, service: MemoryService, user_id: str, ranking: str) -> str:
    """The only memory that a chat of this user gets."""
    asked = {**ASKED, "messages": [{"role": "user", "content": "Tea with what?"}]}
    with wrap_openai(OpenAI(), service, user_id=user_id, ranking=ranking, top_k=1) as client:
        client.chat.completions.create(**asked)
    (memory,) = (line for line in server.instructions.splitlines() if line.startswith("- "))
    return memory


def test_salience_ranks_what_was_met_more_often_first(
    fake_openai: FakeOpenAI, service: MemoryService
) -> None:
    sayings = ["Tea with lemon is liked.", "Tea with honey is liked."]
    for user_id, favourite in zip(("carol", "dave"), sayings, strict=True):
        for saying in [*sayings, favourite, favourite, favourite]:
            service.database.memory_item_repo.create_item(
                memory_type="profile",
                summary=saying,
                reinforce=True,
                user_data={"user_id": user_id},
            )
    for user_id, favourite in zip(("carol", "dave"), sayings, strict=True):
        assert recalled(fake_openai, service, user_id, "salience") == f"- {favourite}"
    # How often they were met is all that tells them apart.
    carols, daves = (
        recalled(fake_openai, service, user_id, "similarity") for user_id in ("carol", "dave")
    )
    assert carols == daves


def test_a_scope_field_that_the_service_does_not_have_is_an_error_when_wrapped(
    service: MemoryService,
) -> None:
    with pytest.raises(ValueError, match="unknown scope field 'agent_id'"):
        wrap_openai(OpenAI(api_key="sk-nobody"), service, user_id="alice", agent_id="bot")


def test_without_a_user_a_store_of_several_recalls_nothing_and_says_so(
    fake_openai: FakeOpenAI, service: MemoryService, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, logger="memu.client")
    with wrap_openai(OpenAI(), service) as client:
        client.chat.completions.create(**ASKED)
    assert fake_openai.chats[-1].messages == ASKED["messages"]
    assert "ScopeError" in caplog.text


def test_the_tools_of_an_agent_save_and_search(service: MemoryService) -> None:
    save, search = MemULangGraphTools(service).tools()
    saved = save.invoke({"content": "Carol prefers dark mode.", "user_id": "carol"})
    assert saved == "The memory was saved successfully."
    asked: dict[str, Any] = {"query": "What does Carol prefer?", "user_id": "carol"}
    assert "Carol prefers dark mode." in search.invoke(asked)
    assert "Carol prefers dark mode." in asyncio.run(search.ainvoke(asked))
    nobodys = search.invoke({**asked, "metadata_filter": {"category": "no such category"}})
    assert nobodys == "No memories found."
    unknown = search.invoke({**asked, "metadata_filter": {"mood": "happy"}})
    assert unknown.startswith("search_memory failed: ")
    assert "mood" in unknown
    assert search.invoke({**asked, "limit": 0}).startswith("search_memory failed: ")
