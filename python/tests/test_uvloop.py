"""The same on uvloop: verbs, cancelling, callables of the caller's own."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from support import ALICE, CONVERSATION, everything, summaries

from memu import MemoryService
from memu.errors import NotFoundError
from memu.workflow.step import WorkflowStep

if sys.platform == "win32":
    pytest.skip("there is no uvloop", allow_module_level=True)

import uvloop


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Runs work on a loop of uvloop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def test_every_verb_can_be_awaited(service: MemoryService) -> None:
    async def work() -> None:
        assert isinstance(asyncio.get_running_loop(), uvloop.Loop)
        stored = await service.memorize(
            resource_url=CONVERSATION, modality="conversation", user=ALICE
        )
        answer = await service.retrieve(["What should I not eat?"], ALICE)
        assert "peanuts" in answer["items"][0]["summary"]
        item = (
            await service.create_memory_item(
                memory_type="tool", memory_content="grep finds lines", user=ALICE
            )
        )["memory_item"]
        await service.add_tool_call(
            memory_id=item["id"], tool_call={"tool_name": "grep"}, user=ALICE
        )
        await service.update_memory_item(
            memory_id=item["id"], memory_content="rg finds lines", user=ALICE
        )
        await service.delete_memory_item(memory_id=item["id"], user=ALICE)
        listed = await service.list_memory_items(ALICE)
        assert len(listed["items"]) == len(stored["items"])
        assert (await service.stats(ALICE))["items"] == len(stored["items"])
        await service.clear_memory(ALICE)
        with pytest.raises(NotFoundError):
            await service.delete_memory_item(memory_id=item["id"], user=ALICE)

    run(work())


def test_many_verbs_at_once_on_loops_of_many_threads(service: MemoryService) -> None:
    async def work(thread: int) -> None:
        await asyncio.gather(
            *(
                service.create_memory_item(
                    memory_type="profile",
                    memory_content=f"Fact {thread} {number}",
                    memory_categories=["goals"],
                    user=ALICE,
                )
                for number in range(5)
            )
        )

    def on_a_loop(thread: int) -> None:
        run(work(thread))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(on_a_loop, range(4)))
    assert len(set(summaries(service))) == 20


def test_cancelling_stops_the_work() -> None:
    service = MemoryService()
    begun = threading.Event()

    async def wait(state: Any, context: Any) -> Any:
        begun.set()
        await asyncio.sleep(30)
        return state

    service.insert_step_after(
        target_step_id="extract_items",
        new_step=WorkflowStep(step_id="wait", role="wait", handler=wait),
    )

    async def work() -> None:
        task = asyncio.ensure_future(
            service.memorize(resource_url=CONVERSATION, modality="conversation", user=ALICE)
        )
        assert await asyncio.to_thread(begun.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(work())
    assert everything(service) == ([], [], [])


def test_async_callables_run_on_the_loop_of_the_caller() -> None:
    service = MemoryService()
    threads: set[int] = set()

    async def hear(context: Any, state: Any) -> None:
        assert isinstance(asyncio.get_running_loop(), uvloop.Loop)
        threads.add(threading.get_ident())

    service.intercept_before_workflow_step(hear)
    run(service.memorize(resource_url=CONVERSATION, modality="conversation", user=ALICE))
    assert threads == {threading.get_ident()}
