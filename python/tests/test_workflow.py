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
