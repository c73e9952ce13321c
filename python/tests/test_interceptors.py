"""Callables that watch the steps of pipelines and the calls to models."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest
from fake_openai import FakeOpenAI
from support import ALICE, CONVERSATION, Call, everything, memorized, openai
from test_pipelines import MEMORIZE, RETRIEVE

from memu import MemoryService
from memu.errors import FilterError, InputFileNotFoundError, ModelError
from memu.workflow.interceptor import WorkflowStepContext
from memu.workflow.llm_call import (
    LLMCallContext,
    LLMCallFilter,
    LLMRequestView,
    LLMResponseView,
    LLMUsage,
)


@pytest.fixture
def service(fake_openai: FakeOpenAI) -> MemoryService:
    """A service whose model chats with the stand-in for OpenAI."""
    return MemoryService(llm_profiles=openai())


def note(heard: list[Any]) -> Callable[..., None]:
    """A callable that notes what it is told."""

    def listener(*told: Any) -> None:
        heard.append(told)

    return listener


def run(service: MemoryService, call: Call) -> dict[str, Any]:
    return call(service, "memorize", resource_url=CONVERSATION, modality="conversation", user=ALICE)


@pytest.mark.parametrize("later", [False, True])
def test_steps_are_told_before_and_after(service: MemoryService, call: Call, later: bool) -> None:
    heard: list[tuple[str, str, str]] = []

    def before(context: WorkflowStepContext, state: dict[str, Any]) -> None:
        heard.append(("before", context.workflow_name, context.step_id))
        assert isinstance(state, dict)

    def after(context: WorkflowStepContext, state: dict[str, Any]) -> None:
        heard.append(("after", context.workflow_name, context.step_id))

    async def before_later(context: WorkflowStepContext, state: dict[str, Any]) -> None:
        await asyncio.sleep(0)
        before(context, state)

    async def after_later(context: WorkflowStepContext, state: dict[str, Any]) -> None:
        await asyncio.sleep(0)
        after(context, state)

    service.intercept_before_workflow_step(before_later if later else before)
    service.intercept_after_workflow_step(after_later if later else after)
    run(service, call)
    expected = [(moment, "memorize", step) for step in MEMORIZE for moment in ("before", "after")]
    assert heard == expected
    heard.clear()
    call(service, "retrieve", ["What should I not eat?"], ALICE)
    assert [step for moment, _, step in heard if moment == "before"] == RETRIEVE
    assert {name for _, name, _ in heard} == {"retrieve"}


def test_a_step_that_fails_is_told_with_its_error(service: MemoryService, call: Call) -> None:
    heard: list[Any] = []
    service.intercept_on_error_workflow_step(note(heard))
    service.intercept_after_workflow_step(note(heard))
    with pytest.raises(InputFileNotFoundError) as raised:
        call(service, "memorize", resource_url="nothing.json", modality="conversation")
    ((context, state, error),) = heard
    assert context.step_id == "ingest_resource"
    assert isinstance(state, dict)
    assert isinstance(error, InputFileNotFoundError)
    assert str(error) == str(raised.value)


def test_calls_of_models_are_told_with_what_they_took(service: MemoryService, call: Call) -> None:
    asked: list[tuple[LLMCallContext, LLMRequestView]] = []
    answered: list[tuple[LLMCallContext, LLMRequestView, LLMResponseView, LLMUsage]] = []

    def before(context: LLMCallContext, request: LLMRequestView) -> None:
        asked.append((context, request))

    async def after(
        context: LLMCallContext,
        request: LLMRequestView,
        response: LLMResponseView,
        usage: LLMUsage,
    ) -> None:
        answered.append((context, request, response, usage))

    service.intercept_before_llm_call(before)
    service.intercept_after_llm_call(after)
    run(service, call)
    assert [context.step_id for context, _ in asked] == ["extract_items", "persist_index"]
    for context, request in asked:
        assert (context.profile, context.provider, context.model) == (
            "default",
            "openai",
            "gpt-4o-mini",
        )
        assert request.kind == "chat"
        assert isinstance(request.content, str)
        assert request.input_chars == len(request.content)
    assert "peanuts" in str(asked[0][1].content)
    assert [(context, request) for context, request, _, _ in answered] == asked
    for _, _, response, usage in answered:
        assert response.content
        assert response.output_chars == len(response.content)
        assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (12, 3, 15)
        assert (usage.finish_reason, usage.status) == ("stop", "success")
        assert usage.latency_ms is not None and usage.latency_ms > 0


def test_a_call_tells_the_verb_that_made_it(service: MemoryService, call: Call) -> None:
    heard: list[Any] = []
    service.intercept_before_llm_call(note(heard), where={"operations": ["memorize"]})
    run(service, call)
    call(service, "retrieve", ["What should I not eat?"], ALICE)
    assert [context.operation for context, _ in heard] == ["memorize", "memorize"]


def test_embeddings_are_told_as_well(fake_openai: FakeOpenAI, call: Call) -> None:
    service = MemoryService(llm_profiles={"default": {"api_key": "sk-nobody"}})
    texts: list[str] = []

    def before(context: LLMCallContext, request: LLMRequestView) -> None:
        if request.kind == "embed":
            assert isinstance(request.content, list)
            assert request.input_items == len(request.content)
            texts.extend(request.content)

    service.intercept_before_llm_call(before)
    run(service, call)
    assert any("peanuts" in text for text in texts)


def test_a_call_that_fails_is_told_with_its_error(
    service: MemoryService, call: Call, fake_openai: FakeOpenAI
) -> None:
    heard: list[Any] = []
    service.intercept_on_error_llm_call(note(heard))
    service.intercept_after_llm_call(note(heard))
    fake_openai.close()
    with pytest.raises(ModelError) as raised:
        run(service, call)
    assert isinstance(raised.value, RuntimeError)
    ((context, request, error, usage),) = heard
    assert context.step_id == "extract_items"
    assert request.kind == "chat"
    assert isinstance(error, ModelError)
    assert usage.status == "error"
    assert everything(service) == ([], [], [])


def fail(*told: Any) -> None:
    raise ValueError("the callable is broken")


async def fail_later(*told: Any) -> None:
    await asyncio.sleep(0)
    raise ValueError("the callable is broken")


@pytest.mark.parametrize("callback", [fail, fail_later])
def test_a_callable_that_raises_is_logged_and_passed_over(
    service: MemoryService, call: Call, caplog: pytest.LogCaptureFixture, callback: Any
) -> None:
    heard: list[Any] = []
    service.intercept_before_workflow_step(callback, name="broken before")
    service.intercept_after_workflow_step(callback)
    service.intercept_before_llm_call(callback, name="broken call")
    service.intercept_after_llm_call(callback)
    service.intercept_before_workflow_step(note(heard))
    with caplog.at_level(logging.ERROR, logger="memu.workflow"):
        assert run(service, call)["status"] == "created"
    assert [context.step_id for context, _ in heard] == MEMORIZE
    messages = [record.getMessage() for record in caplog.records]
    assert "interceptor failed: broken before" in messages
    assert "interceptor failed: broken call" in messages
    assert "the callable is broken" in caplog.text


def test_a_callable_that_raises_on_an_error_hides_nothing(
    service: MemoryService, call: Call, caplog: pytest.LogCaptureFixture
) -> None:
    service.intercept_on_error_workflow_step(fail)
    with caplog.at_level(logging.CRITICAL), pytest.raises(InputFileNotFoundError):
        call(service, "memorize", resource_url="nothing.json", modality="conversation")


def test_a_callable_is_taken_away_once(service: MemoryService, call: Call) -> None:
    heard: list[Any] = []
    handles = [
        service.intercept_before_workflow_step(note(heard)),
        service.intercept_after_workflow_step(note(heard)),
        service.intercept_on_error_workflow_step(note(heard)),
        service.intercept_before_llm_call(note(heard)),
        service.intercept_after_llm_call(note(heard)),
        service.intercept_on_error_llm_call(note(heard)),
    ]
    assert [handle.dispose() for handle in handles] == [True] * 6
    assert [handle.dispose() for handle in handles] == [False] * 6
    run(service, call)
    assert heard == []


def test_priority_says_who_is_called_first(service: MemoryService, call: Call) -> None:
    heard: list[str] = []
    where = {"step_ids": {"extract_items"}}
    for name, priority in (("late", 5), ("first", -1), ("middle", 0), ("middle again", 0)):

        def hear(*told: Any, name: str = name) -> None:
            heard.append(name)

        service.intercept_before_llm_call(hear, priority=priority, where=where)
        service.intercept_after_llm_call(hear, priority=priority, where=where)
    run(service, call)
    order = ["first", "middle", "middle again", "late"]
    assert heard == [*order, *reversed(order)]


def of_extraction(context: LLMCallContext, status: str | None) -> bool:
    return context.step_id == "extract_items"


@pytest.mark.parametrize(
    ("where", "steps"),
    [
        (None, ["extract_items", "persist_index"]),
        ({"step_ids": {"extract_items"}}, ["extract_items"]),
        ({"step_id": "persist_index"}, ["persist_index"]),
        ({"providers": ["OpenAI"], "models": ["GPT-4o-mini"]}, ["extract_items", "persist_index"]),
        ({"models": ["another"]}, []),
        (LLMCallFilter(step_ids={"extract_items"}), ["extract_items"]),
        (of_extraction, ["extract_items"]),
        ({"statuses": {"error"}}, []),
    ],
)
def test_where_says_for_which_calls(
    service: MemoryService, call: Call, where: Any, steps: list[str]
) -> None:
    heard: list[Any] = []
    service.intercept_after_llm_call(note(heard), where=where)
    run(service, call)
    assert [context.step_id for context, *_ in heard] == steps


def test_what_cannot_be_registered_is_refused(service: MemoryService) -> None:
    with pytest.raises(TypeError, match="callable"):
        service.intercept_before_workflow_step(3)  # type: ignore[arg-type] # pyright: ignore
    with pytest.raises(TypeError, match="callable"):
        service.intercept_before_llm_call("x")  # type: ignore[arg-type] # pyright: ignore
    with pytest.raises(FilterError, match="step_idz"):
        service.intercept_before_llm_call(fail, where={"step_idz": {"x"}})
    with pytest.raises(TypeError, match="where"):
        service.intercept_before_llm_call(fail, where=3)  # type: ignore[arg-type] # pyright: ignore


async def test_async_callables_run_on_the_loop_of_the_caller(service: MemoryService) -> None:
    threads: set[int] = set()

    async def hear(*told: Any) -> None:
        threads.add(threading.get_ident())

    service.intercept_before_workflow_step(hear)
    service.intercept_after_llm_call(hear)
    await service.memorize(resource_url=CONVERSATION, modality="conversation", user=ALICE)
    assert threads == {threading.get_ident()}


def test_a_callable_may_use_the_service_itself(service: MemoryService, call: Call) -> None:
    counts: list[int] = []

    async def count(context: WorkflowStepContext, state: dict[str, Any]) -> None:
        counts.append((await service.stats(all_scopes=True))["items"])

    service.intercept_after_workflow_step(count)
    result = run(service, call)
    assert counts[0] == 0
    assert counts[-1] == len(result["items"])


def test_nobody_is_told_what_happens_to_another_service(service: MemoryService) -> None:
    heard: list[Any] = []
    service.intercept_before_workflow_step(note(heard))
    memorized(MemoryService())
    assert heard == []
