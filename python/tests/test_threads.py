"""One service in many threads, and on the event loops of several threads at once."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fake_openai import FakeOpenAI
from support import ALICE, BOB, created, memorized, openai, summaries

from memu import MemoryService
from memu.workflow.interceptor import WorkflowStepContext
from memu.workflow.step import WorkflowStep

THREADS = 8


def test_many_threads_write_and_nothing_is_lost(service: MemoryService) -> None:
    def write(thread: int) -> None:
        user = {"user_id": f"user {thread % 3}"}
        for number in range(5):
            created(service, f"Fact {thread} {number}", user)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(write, range(THREADS)))
    stored = service.sync.list_memory_items(all_scopes=True)["items"]
    assert {item["summary"] for item in stored} == {
        f"Fact {thread} {number}" for thread in range(THREADS) for number in range(5)
    }
    assert len(stored) == THREADS * 5
    findings = service.sync.check()["findings"]
    assert {finding["severity"] for finding in findings} == {"ok"}


def test_many_threads_ask_while_others_write(service: MemoryService) -> None:
    memorized(service)
    whole = service.sync.retrieve(["What should I not eat?"], ALICE)

    def ask(number: int) -> Any:
        if number % 4 == 0:
            created(service, f"Bob rests on day {number}", BOB)
        return service.sync.retrieve(["What should I not eat?"], ALICE)

    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(ask, range(40)))
    assert all(answer == whole for answer in answers)
    assert len(summaries(service, BOB)) == 10


def test_event_loops_of_several_threads_share_a_service(service: MemoryService) -> None:
    async def work(thread: int) -> list[str]:
        user = {"user_id": f"user {thread}"}
        await asyncio.gather(
            *(
                service.create_memory_item(
                    memory_type="profile",
                    memory_content=f"Fact {thread} {number}",
                    memory_categories=["goals"],
                    user=user,
                )
                for number in range(6)
            )
        )
        answer = await service.list_memory_items(user)
        return sorted(item["summary"] for item in answer["items"])

    def run(thread: int) -> list[str]:
        return asyncio.run(work(thread))

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(run, range(4)))
    assert found == [[f"Fact {thread} {number}" for number in range(6)] for thread in range(4)]


def test_the_same_conversation_from_many_threads_is_stored_once(service: MemoryService) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        results = list(pool.map(memorized, [service] * THREADS))
    assert sorted(result["status"] for result in results) == ["created"] + ["unchanged"] * 7
    assert service.sync.stats(ALICE)["resources"] == 1


def test_other_threads_run_while_one_waits(fake_openai: FakeOpenAI) -> None:
    service = MemoryService(llm_profiles=openai())
    ticks = 0
    end = threading.Event()

    def handler(state: Any, context: Any) -> Any:
        time.sleep(0.3)
        return state

    service.insert_step_after(
        target_step_id="extract_items",
        new_step=WorkflowStep(step_id="slow", role="wait", handler=handler),
    )

    def tick() -> None:
        nonlocal ticks
        while not end.wait(0.01):
            ticks += 1

    thread = threading.Thread(target=tick)
    thread.start()
    memorized(service)
    end.set()
    thread.join()
    assert ticks >= 10
    assert fake_openai.chats


async def test_the_loop_runs_while_a_verb_is_awaited(service: MemoryService) -> None:
    items = [
        {"memory_type": "knowledge", "memory_content": f"The hall number {number} has seats"}
        for number in range(2_000)
    ]
    work = asyncio.ensure_future(service.create_memory_items(items, user=ALICE))
    longest, last = 0.0, time.perf_counter()
    while not work.done():
        await asyncio.sleep(0.001)
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    assert len((await work)["memory_items"]) == 2_000
    assert longest < 1.0


async def test_verbs_may_be_awaited_at_once(service: MemoryService) -> None:
    memorized_now = service.memorize(
        content=[{"role": "user", "content": "I am allergic to peanuts."}],
        modality="conversation",
        user=ALICE,
    )
    listed = service.list_memory_items(BOB)
    answers = await asyncio.gather(memorized_now, listed, service.stats(BOB))
    assert answers[0]["status"] == "created"
    assert answers[1]["items"] == []


def test_registering_while_others_work_breaks_nothing() -> None:
    service = MemoryService()
    memorized(service)
    heard: list[str] = []
    end = threading.Event()

    def hear(context: WorkflowStepContext, state: Any) -> None:
        heard.append(context.step_id)

    def register() -> None:
        while not end.is_set():
            assert service.intercept_before_workflow_step(hear).dispose()

    thread = threading.Thread(target=register)
    thread.start()
    try:
        for _ in range(50):
            assert service.sync.retrieve(["What should I not eat?"], ALICE)["items"]
    finally:
        end.set()
        thread.join()
    heard.clear()
    service.sync.retrieve(["What should I not eat?"], ALICE)
    assert heard == []


@pytest.mark.parametrize("number", range(2))
def test_a_service_may_be_made_in_any_thread(number: int) -> None:
    def work(_: int) -> list[str]:
        service = MemoryService()
        created(service, f"Fact {number}")
        return summaries(service)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, range(8))) == [[f"Fact {number}"]] * 8
