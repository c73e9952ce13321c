"""What the core tells about its work reaches the callables that want to hear of it."""

from __future__ import annotations

import asyncio
from typing import Any

from memu.workflow import WorkflowStepContext
from memu.workflow.dispatcher import Dispatcher


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
