"""Runners are found by name; steps and callables are kept and told what happens."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from memu.errors import UnsupportedError
from memu.llm import wrapper
from memu.workflow import (
    LocalWorkflowRunner,
    WorkflowRunner,
    WorkflowState,
    WorkflowStep,
    WorkflowStepContext,
    register_workflow_runner,
    resolve_workflow_runner,
)
from memu.workflow.dispatcher import Dispatcher
from memu.workflow.interceptor import WorkflowInterceptorRegistry
from memu.workflow.llm_call import LLMCallContext, LLMCallFilter, LLMInterceptorRegistry
from memu.workflow.runner import RUN_IN_CORE

STEP = WorkflowStepContext("memorize", "extract_items", "", {})
CALL = LLMCallContext(
    profile="default",
    request_id="1",
    trace_id=None,
    operation="memorize",
    step_id="extract_items",
    provider="OpenAI",
    model="gpt-4o-mini",
    tags=None,
)


def _handler(state: WorkflowState, context: Any) -> WorkflowState:
    return state


class _Loud(LocalWorkflowRunner):
    """Does something of its own around the core's work."""

    name = "loud"

    async def run(self, *args: Any, **kwargs: Any) -> WorkflowState:
        state = await super().run(*args, **kwargs)
        return {**state, "loud": True}


# Steps


def test_a_step_has_the_fields_of_memu() -> None:
    step = WorkflowStep("tidy", "cleaner", _handler)
    assert (step.description, step.config) == ("", {})
    assert step.requires == step.produces == step.capabilities == set()


def test_a_copy_of_a_step_shares_nothing_but_the_handler() -> None:
    step = WorkflowStep(
        step_id="tidy", role="cleaner", handler=_handler, requires={"items"}, config={"a": 1}
    )
    copy = step.copy()
    assert copy == step
    copy.requires.add("user")
    copy.produces.add("items")
    copy.capabilities.add("llm")
    copy.config["a"] = 2
    assert (step.requires, step.config) == ({"items"}, {"a": 1})
    assert step.produces == step.capabilities == set()
    assert copy.handler is _handler


# Runners


@pytest.mark.parametrize("spec", [None, "local", " Local ", "sync"])
def test_the_local_runner_is_found(spec: str | None) -> None:
    runner = resolve_workflow_runner(spec)
    assert type(runner) is LocalWorkflowRunner
    assert isinstance(runner, WorkflowRunner)
    assert runner.name == "local"


def test_a_runner_of_ones_own_is_found_by_name_or_taken_as_it_is() -> None:
    register_workflow_runner(" Loud ", _Loud)
    assert isinstance(resolve_workflow_runner("loud"), _Loud)
    runner = _Loud()
    assert resolve_workflow_runner(runner) is runner


def test_runners_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match=r"'temporal'.*local, .*register_workflow_runner"):
        resolve_workflow_runner("temporal")
    with pytest.raises(ValueError, match="empty"):
        register_workflow_runner("  ", LocalWorkflowRunner)
    register_workflow_runner("broken", object)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="'broken'"):
        resolve_workflow_runner("broken")


def test_a_runner_has_the_core_do_the_work() -> None:
    async def in_core(state: WorkflowState) -> WorkflowState:
        return {**state, "done": True}

    context = {RUN_IN_CORE: in_core}
    state = asyncio.run(_Loud().run("memorize", [], {"user": {}}, context))
    assert state == {"user": {}, "done": True, "loud": True}


def test_a_runner_without_a_service_says_so() -> None:
    with pytest.raises(UnsupportedError, match="'memorize'"):
        asyncio.run(LocalWorkflowRunner().run("memorize", [], {}))


# Callables that watch steps


def test_steps_are_watched_in_order_and_the_other_way_round_afterwards() -> None:
    registry = WorkflowInterceptorRegistry()
    heard: list[str] = []

    def plain(step: WorkflowStepContext, state: WorkflowState, *error: Exception) -> None:
        heard.append(f"plain {step.step_id} {state['n']} {error}")

    async def slow(step: WorkflowStepContext, state: WorkflowState, *error: Exception) -> None:
        await asyncio.sleep(0)
        heard.append(f"slow {step.step_id} {state['n']} {error}")

    for register in (
        registry.register_before,
        registry.register_after,
        registry.register_on_error,
    ):
        register(plain)
        register(slow)
    asyncio.run(registry.run("before", STEP, {"n": 1}))
    asyncio.run(registry.run("after", STEP, {"n": 2}))
    asyncio.run(registry.run("on_error", STEP, {"n": 3}, KeyError("no")))
    assert heard == [
        "plain extract_items 1 ()",
        "slow extract_items 1 ()",
        "slow extract_items 2 ()",
        "plain extract_items 2 ()",
        "slow extract_items 3 (KeyError('no'),)",
        "plain extract_items 3 (KeyError('no'),)",
    ]


def test_a_callable_can_be_taken_away_once() -> None:
    registry = WorkflowInterceptorRegistry()
    heard: list[int] = []
    first = registry.register_before(lambda *_: heard.append(1))
    registry.register_before(lambda *_: heard.append(2))
    assert first.dispose() is True
    assert first.dispose() is False
    asyncio.run(registry.run("before", STEP, {}))
    assert heard == [2]


def test_a_callable_may_take_itself_away_while_it_is_called() -> None:
    registry = WorkflowInterceptorRegistry()
    heard: list[int] = []
    handles = [registry.register_before(lambda *_: handles[0].dispose())]
    registry.register_before(lambda *_: heard.append(2))
    asyncio.run(registry.run("before", STEP, {}))
    assert heard == [2]
    assert handles[0].dispose() is False


def test_what_cannot_be_called_is_refused() -> None:
    for registry in (WorkflowInterceptorRegistry(), LLMInterceptorRegistry()):
        with pytest.raises(TypeError, match="must be callable, not str"):
            registry.register_before("print")  # type: ignore[arg-type]
        assert not registry


def test_a_callable_that_fails_is_logged_and_passed_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    registry = WorkflowInterceptorRegistry()
    heard: list[int] = []

    def broken(*_: Any) -> None:
        raise KeyError("no")

    registry.register_before(broken, name="mine")
    registry.register_before(lambda *_: heard.append(1))
    with caplog.at_level(logging.ERROR, "memu.workflow"):
        asyncio.run(registry.run("before", STEP, {}))
    assert heard == [1]
    assert [record.getMessage() for record in caplog.records] == ["interceptor failed: mine"]


def test_in_a_strict_registry_what_a_callable_raises_is_raised() -> None:
    registry = WorkflowInterceptorRegistry(strict=True)
    assert registry.strict

    async def broken(*_: Any) -> None:
        raise KeyError("no")

    registry.register_after(broken)
    with pytest.raises(KeyError):
        asyncio.run(registry.run("after", STEP, {}))


# Callables that watch calls to models


def _noting(name: str, heard: list[str]) -> Callable[..., None]:
    return lambda *_: heard.append(name)


def _before_calls_of_default(call: LLMCallContext, status: str | None) -> bool:
    return status is None and call.profile == "default"


def _broken(call: LLMCallContext, status: str | None) -> bool:
    raise KeyError(call.profile, status)


def test_calls_are_watched_by_priority() -> None:
    registry = LLMInterceptorRegistry()
    heard: list[str] = []
    for name, priority in (("late", 9), ("first", -1), ("zero", 0), ("zero too", 0)):
        registry.register_before(_noting(name, heard), priority=priority)
        registry.register_after(_noting(name, heard), priority=priority)
    asyncio.run(registry.run("before", CALL, None))
    assert heard == ["first", "zero", "zero too", "late"]
    heard.clear()
    asyncio.run(registry.run("after", CALL, None, None, None))
    assert heard == ["late", "zero too", "zero", "first"]


@pytest.mark.parametrize(
    ("where", "heard"),
    [
        (None, ["before", "after", "on_error"]),
        (LLMCallFilter(step_ids=set()), ["before", "after", "on_error"]),
        ({"operation": "Memorize"}, ["before", "after", "on_error"]),
        ({"operations": ["retrieve", "memorize"]}, ["before", "after", "on_error"]),
        ({"operation": "retrieve"}, []),
        ({"step_id": "extract_items"}, ["before", "after", "on_error"]),
        ({"step_ids": {"Extract_Items"}}, []),
        ({"provider": "openai", "model": "GPT-4o-mini"}, ["before", "after", "on_error"]),
        ({"providers": ("openai",), "models": ("gpt-4o",)}, []),
        ({"status": "error"}, ["on_error"]),
        (LLMCallFilter(statuses={"Success"}), ["after"]),
        (LLMCallFilter(), ["before", "after", "on_error"]),
        (_before_calls_of_default, ["before"]),
        (_broken, []),
    ],
)
def test_a_filter_says_which_calls(where: Any, heard: list[str]) -> None:
    registry = LLMInterceptorRegistry()
    called: list[str] = []
    registry.register_before(lambda *_: called.append("before"), where=where)
    registry.register_after(lambda *_: called.append("after"), where=where)
    registry.register_on_error(lambda *_: called.append("on_error"), where=where)
    asyncio.run(registry.run("before", CALL, None))
    asyncio.run(registry.run("after", CALL, None, None, None))
    asyncio.run(registry.run("on_error", CALL, None, None, None))
    assert called == heard


def test_filters_that_are_none_are_refused() -> None:
    registry = LLMInterceptorRegistry()
    with pytest.raises(ValueError, match="'profile'; there are operations, "):
        registry.register_before(print, where={"profile": "default"})
    with pytest.raises(TypeError, match="not int"):
        registry.register_before(print, where=3)  # type: ignore[arg-type]
    assert not registry


def test_the_names_of_memu_mean_the_same() -> None:
    assert wrapper.LLMCallFilter is LLMCallFilter
    assert all(hasattr(wrapper, name) for name in wrapper.__all__)


# What the core tells


def _told(dispatcher: Dispatcher, *events: tuple[str, dict[str, Any], Any]) -> None:
    async def tell() -> None:
        for event in events:
            await dispatcher.dispatch(*event)

    asyncio.run(tell())


def test_whether_anybody_listens_is_told_as_it_changes() -> None:
    dispatcher = Dispatcher()
    watched: list[bool] = []
    dispatcher.connect(watched.append)
    step = dispatcher.steps.register_after(print)
    call = dispatcher.calls.register_after(print)
    step.dispose()
    call.dispose()
    assert watched == [False, True, True, True, False]


def test_events_of_steps_reach_those_who_watch_steps() -> None:
    dispatcher = Dispatcher()
    dispatcher.roles["memorize", "tidy"] = "cleaner"
    dispatcher.configs["memorize", "tidy"] = {"a": 1}
    heard: list[tuple[Any, ...]] = []
    dispatcher.steps.register_before(lambda *told: heard.append(told))
    dispatcher.steps.register_after(lambda *told: heard.append(told))
    dispatcher.steps.register_on_error(lambda *told: heard.append(told))
    known = {"workflow_name": "retrieve", "step_id": "recall_items"}
    own = {"workflow_name": "memorize", "step_id": "tidy"}
    error = ValueError("no")
    _told(
        dispatcher,
        ("before_step", known, {"where": {}}),
        ("after_step", own, {"user": {}}),
        ("on_step_error", known, error),
        ("an event of tomorrow", known, None),
    )
    recall = WorkflowStepContext("retrieve", "recall_items", "", known)
    tidy = WorkflowStepContext("memorize", "tidy", "cleaner", {**own, "step_config": {"a": 1}})
    assert heard == [(recall, {"where": {}}), (tidy, {"user": {}}), (recall, {}, error)]


INFO: dict[str, Any] = {
    "profile": "default",
    "step_id": "extract_items",
    "provider": "openai",
    "model": "gpt-4o-mini",
    "operation": "memorize",
    "call": 7,
}
CHAT: dict[str, Any] = {
    "kind": "chat",
    "request": {
        "messages": [
            {"role": "system", "content": "Be short."},
            {"role": "user", "content": "What happened?", "images": ["image/png 00"]},
        ],
        "max_tokens": 50,
    },
}
REPLY: dict[str, Any] = {
    "text": "Tides.",
    "finish_reason": "stop",
    "usage": {"input_tokens": 12, "output_tokens": 3, "latency": 0.25},
}


def test_events_of_calls_reach_those_who_watch_calls() -> None:
    dispatcher = Dispatcher()
    heard: list[tuple[Any, ...]] = []
    dispatcher.calls.register_before(lambda *told: heard.append(told))
    dispatcher.calls.register_after(lambda *told: heard.append(told))
    _told(dispatcher, ("before_call", INFO, CHAT), ("after_call", INFO, REPLY))
    (before, asked), (after, still_asked, answer, usage) = heard
    assert before == after
    assert (before.profile, before.operation, before.step_id) == (
        "default",
        "memorize",
        "extract_items",
    )
    assert (before.provider, before.model) == ("openai", "gpt-4o-mini")
    assert len(before.request_id) == 32
    assert asked is still_asked
    assert (asked.kind, asked.content, asked.input_chars) == ("chat", "What happened?", 14)
    assert len(asked.content_hash) == 64
    assert asked.metadata == {
        "system_prompt_chars": 9,
        "images": 1,
        "max_tokens": 50,
        "temperature": None,
    }
    assert (answer.content, answer.output_chars, len(answer.content_hash)) == ("Tides.", 6, 64)
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (12, 3, 15)
    assert (usage.latency_ms, usage.finish_reason, usage.status) == (250.0, "stop", "success")


def test_vectors_and_failures_are_told_as_well() -> None:
    dispatcher = Dispatcher()
    heard: list[tuple[Any, ...]] = []
    dispatcher.calls.register_before(lambda *told: heard.append(told))
    dispatcher.calls.register_after(lambda *told: heard.append(told))
    dispatcher.calls.register_on_error(lambda *told: heard.append(told))
    texts = {"kind": "embed", "texts": ["Tides", "Boats"]}
    vectors = {**REPLY, "text": "", "usage": dict.fromkeys(REPLY["usage"], 0)}
    error = RuntimeError("no answer came")
    _told(
        dispatcher,
        ("before_call", INFO, texts),
        ("after_call", INFO, vectors),
        ("before_call", INFO, texts),
        ("on_call_error", INFO, error),
    )
    (first, asked), (_, _, answer, usage), (second, _), (failed, _, raised, failure) = heard
    assert (asked.kind, asked.input_items, asked.input_chars) == ("embed", 2, 10)
    assert asked.content == ["Tides", "Boats"]
    assert answer.content is None
    assert (usage.input_tokens, usage.total_tokens, usage.status) == (None, None, "success")
    assert first.request_id != second.request_id
    assert failed == second
    assert raised is error
    assert failure.status == "error"


def test_who_begins_to_listen_in_the_middle_hears_the_rest() -> None:
    dispatcher = Dispatcher()
    heard: list[tuple[Any, ...]] = []
    dispatcher.calls.register_after(lambda *told: heard.append(told))
    _told(dispatcher, ("after_call", INFO, REPLY))
    [(call, asked, answer, _)] = heard
    assert (call.step_id, asked.kind, answer.content) == ("extract_items", "unknown", "Tides.")
