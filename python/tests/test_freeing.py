"""A service that nobody holds any more is gone, with its threads and open files."""

from __future__ import annotations

import gc
import os
import sys
import weakref
from pathlib import Path
from typing import Any

import pytest
from support import created, sqlite

from memu import MemoryService
from memu.workflow.dispatcher import Dispatcher, Relay
from memu.workflow.interceptor import WorkflowStepContext
from memu.workflow.step import WorkflowContext, WorkflowState, WorkflowStep


def _used(file: Path) -> weakref.ref[MemoryService]:
    service = MemoryService(database_config=sqlite(file))
    created(service, "Alice plays the cello")
    assert len(service.database.items) == 1
    return weakref.ref(service)


def _watched(file: Path) -> weakref.ref[MemoryService]:
    service = MemoryService(database_config=sqlite(file))

    def before_step(context: Any, state: Any) -> None:
        assert service

    def handle(state: WorkflowState, context: WorkflowContext) -> WorkflowState:
        assert service
        return state

    service.intercept_before_workflow_step(before_step)
    service.insert_step_after(
        target_step_id="extract_items",
        new_step=WorkflowStep(step_id="look", role="look", handler=handle),
    )
    service.configure_pipeline(step_id="extract_items", configs={"chat_llm_profile": "default"})
    service.sync.memorize(modality="document", content="The cello is old.", user={"user_id": "a"})
    return weakref.ref(service)


def test_a_service_is_freed_at_once(tmp_path: Path) -> None:
    gc.disable()
    try:
        assert _used(tmp_path / "memu.db")() is None
    finally:
        gc.enable()


def test_callables_that_hold_their_service_do_not_keep_it(tmp_path: Path) -> None:
    service = _watched(tmp_path / "memu.db")
    gc.collect()
    assert service() is None


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_files_and_threads_go_with_it(tmp_path: Path) -> None:
    def held() -> tuple[int, int]:
        gc.collect()
        return len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))

    _used(tmp_path / "first.db")
    files, threads = held()
    for number in range(8):
        _used(tmp_path / f"{number}.db")
    # Threads take a moment to end.
    more_files, more_threads = held()
    assert more_files <= files + 2
    assert more_threads <= threads + 8


async def test_nothing_is_told_to_a_dispatcher_that_is_gone() -> None:
    dispatcher = Dispatcher()
    heard: list[str] = []

    def before_step(context: WorkflowStepContext, state: WorkflowState) -> None:
        heard.append(context.step_id)

    dispatcher.steps.register_before(before_step)
    relay = Relay(dispatcher)
    step = {"workflow_name": "memorize", "step_id": "extract_items"}
    await relay.dispatch("before_step", step, {})
    del dispatcher
    gc.collect()
    await relay.dispatch("before_step", step, {})
    assert heard == ["extract_items"]
