"""Pipelines: steps of the caller's own among those of the core."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from fake_openai import FakeOpenAI
from support import ALICE, CONVERSATION, Call, created, everything, memorized, openai, summaries

from memu import MemoryService
from memu.errors import ConfigError
from memu.workflow.step import WorkflowStep

MEMORIZE = [
    "ingest_resource",
    "preprocess_multimodal",
    "extract_items",
    "dedupe_merge",
    "categorize_items",
    "persist_index",
    "build_response",
]
RETRIEVE = [
    "route_intention",
    "route_category",
    "sufficiency_after_category",
    "recall_items",
    "sufficiency_after_items",
    "recall_resources",
    "build_context",
]
QUESTION = ["What should I not eat?"]
Handler = Callable[[dict[str, Any], Any], Any]


class OwnError(Exception):
    """What a handler of the tests raises."""


def unchanged(state: dict[str, Any], context: Any) -> dict[str, Any]:
    return state


def step(handler: Handler = unchanged, step_id: str = "own", **options: Any) -> WorkflowStep:
    return WorkflowStep(step_id=step_id, role="test", handler=handler, **options)


def with_step(
    handler: Handler, after: str = "dedupe_merge", pipeline: str = "memorize"
) -> MemoryService:
    service = MemoryService()
    service.insert_step_after(target_step_id=after, new_step=step(handler), pipeline=pipeline)
    return service


def run(service: MemoryService, call: Call) -> dict[str, Any]:
    return call(service, "memorize", resource_url=CONVERSATION, modality="conversation", user=ALICE)


def only_peanuts(state: dict[str, Any], context: Any) -> dict[str, Any]:
    items = [item for item in state["items"] if "peanuts" in item["summary"]]
    return {**state, "items": items}


async def only_peanuts_later(state: dict[str, Any], context: Any) -> dict[str, Any]:
    await asyncio.sleep(0.01)
    return only_peanuts(state, context)


def test_the_steps_are_those_of_memu() -> None:
    service = MemoryService()
    assert service.list_steps() == service.list_steps("memorize") == MEMORIZE
    for pipeline in ("retrieve", "retrieve_rag", "retrieve_llm"):
        assert service.list_steps(pipeline) == RETRIEVE


def test_steps_are_put_in_and_taken_out_and_changes_are_counted() -> None:
    service = MemoryService()
    count = service.insert_step_before(target_step_id="extract_items", new_step=step(step_id="a"))
    assert count == 1
    count = service.insert_step_after(target_step_id="extract_items", new_step=step(step_id="b"))
    assert count == 2
    assert service.list_steps()[2:5] == ["a", "extract_items", "b"]
    assert service.replace_step(target_step_id="a", new_step=step(step_id="a")) == 3
    assert service.remove_step(target_step_id="b") == 4
    assert service.remove_step(target_step_id="a") == 5
    assert service.list_steps() == MEMORIZE
    assert service.remove_step(target_step_id="route_intention", pipeline="retrieve_rag") == 1
    assert service.list_steps("retrieve") == RETRIEVE[1:]


@pytest.mark.parametrize("handler", [only_peanuts, only_peanuts_later])
def test_what_a_handler_leaves_out_is_not_kept(call: Call, handler: Handler) -> None:
    service = with_step(handler)
    result = run(service, call)
    (item,) = result["items"]
    assert "peanuts" in item["summary"]
    assert {relation["item_id"] for relation in result["relations"]} == {item["id"]}
    assert summaries(service) == [item["summary"]]


def test_what_a_handler_rewrites_is_kept(call: Call) -> None:
    def rewrite(state: dict[str, Any], context: Any) -> dict[str, Any]:
        for item in state["items"]:
            item["summary"] = item["summary"].replace("peanuts", "walnuts")
            item["memory_type"] = "knowledge"
            item["extra"]["seen"] = True
        return state

    service = with_step(rewrite)
    run(service, call)
    items = service.sync.list_memory_items(ALICE)["items"]
    assert any("walnuts" in item["summary"] for item in items)
    assert {item["memory_type"] for item in items} == {"knowledge"}
    assert all(item["extra"]["seen"] for item in items)
    answer = call(service, "retrieve", ["Which walnuts?"], ALICE)
    assert "walnuts" in answer["items"][0]["summary"]
    categories = str(service.sync.list_memory_categories(ALICE))
    assert "walnuts" in categories
    assert "peanuts" not in categories


def test_a_handler_sees_the_state_and_where_it_is(call: Call) -> None:
    seen: list[Any] = []

    def look(state: dict[str, Any], context: Any) -> dict[str, Any]:
        seen.append((state, context))
        return state

    service = MemoryService()
    service.insert_step_after(
        target_step_id="dedupe_merge", new_step=step(look, config={"limit": 3})
    )
    result = run(service, call)
    ((state, context),) = seen
    assert context == {"workflow_name": "memorize", "step_id": "own", "step_config": {"limit": 3}}
    assert (state["resource_url"], state["modality"]) == (CONVERSATION, "conversation")
    assert state["user"] == ALICE
    assert len(state["segments"]) == 7
    assert "peanuts" in state["raw_text"]
    assert [item["id"] for item in state["items"]] == [item["id"] for item in result["items"]]


async def test_an_async_handler_runs_on_the_loop_of_its_caller() -> None:
    threads: list[int] = []

    async def look(state: dict[str, Any], context: Any) -> dict[str, Any]:
        threads.append(threading.get_ident())
        return state

    service = with_step(look)
    await service.memorize(resource_url=CONVERSATION, modality="conversation", user=ALICE)
    assert threads == [threading.get_ident()]
    memorized(service, {"user_id": "bob"})
    assert threads[1] != threads[0]


@pytest.mark.parametrize("later", [False, True])
def test_what_a_handler_raises_comes_out_and_nothing_is_stored(call: Call, later: bool) -> None:
    error = OwnError("own")

    def fail(state: dict[str, Any], context: Any) -> dict[str, Any]:
        raise error

    async def fail_later(state: dict[str, Any], context: Any) -> dict[str, Any]:
        await asyncio.sleep(0)
        raise error

    service = with_step(fail_later if later else fail)
    with pytest.raises(OwnError) as raised:
        run(service, call)
    assert raised.value is error
    assert everything(service) == ([], [], [])
    service.remove_step(target_step_id="own")
    assert run(service, call)["status"] == "created"


def without_ids(state: dict[str, Any], context: Any) -> Any:
    return {**state, "items": [{"summary": "made up"}]}


def twice(state: dict[str, Any], context: Any) -> Any:
    return {**state, "items": state["items"] * 2}


def without_words(state: dict[str, Any], context: Any) -> Any:
    return {**state, "items": [{**item, "summary": ""} for item in state["items"]]}


def of_no_type(state: dict[str, Any], context: Any) -> Any:
    return {**state, "items": [{**item, "memory_type": "nonsense"} for item in state["items"]]}


STATES: list[tuple[Handler, type[Exception], str]] = [
    (lambda state, context: None, ConfigError, '"own" must give back the state'),
    (lambda state, context: [state], ConfigError, '"own" must give back the state'),
    (lambda state, context: {**state, "items": "all"}, ConfigError, "must stay a list"),
    (lambda state, context: {**state, "seen": object()}, TypeError, "object"),
    (without_ids, ConfigError, "a record that the pipeline does not have"),
    (twice, ConfigError, "a record that the pipeline does not have"),
    (without_words, ValueError, "empty"),
    (of_no_type, ValueError, "nonsense"),
]


@pytest.mark.parametrize(
    ("handler", "error", "message"),
    STATES,
    ids=["none", "list", "no list", "object", "no ids", "twice", "no words", "no type"],
)
def test_a_state_of_no_use_is_refused_and_nothing_is_stored(
    call: Call, handler: Handler, error: type[Exception], message: str
) -> None:
    service = with_step(handler)
    with pytest.raises(error, match=message):
        run(service, call)
    assert everything(service) == ([], [], [])


def test_a_state_without_items_leaves_them_as_they_are(call: Call) -> None:
    service = with_step(lambda state, context: {})
    assert run(service, call)["items"] == service.sync.list_memory_items(ALICE)["items"]


def test_a_step_may_take_the_place_of_one_of_the_core(call: Call) -> None:
    service = MemoryService()
    service.replace_step(target_step_id="categorize_items", new_step=step())
    assert len(service.list_steps()) == len(MEMORIZE)
    result = run(service, call)
    assert result["items"]
    assert result["relations"] == []


def test_a_step_of_the_core_may_be_left_out(call: Call) -> None:
    service = MemoryService()
    service.remove_step(target_step_id="categorize_items")
    assert run(service, call)["relations"] == []
    service.remove_step(target_step_id="recall_items", pipeline="retrieve_rag")
    answer = call(service, "retrieve", QUESTION, ALICE)
    assert answer["items"] == []
    assert answer["segments"]


def test_what_a_later_step_needs_is_missed_by_name(call: Call) -> None:
    service = MemoryService()
    service.remove_step(target_step_id="ingest_resource")
    with pytest.raises(ConfigError, match="needs the content"):
        run(service, call)
    assert everything(service) == ([], [], [])


def test_what_was_found_may_be_put_in_another_order(call: Call) -> None:
    def turn_round(state: dict[str, Any], context: Any) -> dict[str, Any]:
        return {**state, "items": state["items"][::-1][:2]}

    plain = MemoryService()
    memorized(plain)
    found = [item["summary"] for item in plain.sync.retrieve(QUESTION, ALICE)["items"]]
    service = with_step(turn_round, "recall_resources", "retrieve_rag")
    memorized(service)
    answer = call(service, "retrieve", QUESTION, ALICE)
    assert [item["summary"] for item in answer["items"]] == found[::-1][:2]


def test_a_step_may_ask_in_other_words_or_not_at_all(call: Call) -> None:
    def ask_otherwise(state: dict[str, Any], context: Any) -> dict[str, Any]:
        return {**state, "rewritten_query": QUESTION[0]}

    service = with_step(ask_otherwise, "route_intention", "retrieve_llm")
    memorized(service)
    answer = call(service, "retrieve", ["Hello you?"], ALICE)
    assert (answer["original_query"], answer["rewritten_query"]) == ("Hello you?", QUESTION[0])
    assert "peanuts" in answer["items"][0]["summary"]

    def ask_nothing(state: dict[str, Any], context: Any) -> dict[str, Any]:
        return {**state, "needs_retrieval": False}

    service = with_step(ask_nothing, "route_intention", "retrieve")
    memorized(service)
    answer = call(service, "retrieve", QUESTION, ALICE)
    assert (answer["needs_retrieval"], answer["items"], answer["segments"]) == (False, [], [])


def test_a_step_may_use_the_service_itself(call: Call) -> None:
    service = MemoryService()

    async def note(state: dict[str, Any], context: Any) -> dict[str, Any]:
        await service.create_memory_item(
            memory_type="knowledge",
            memory_content=f"{len(state['items'])} memories came in",
            memory_categories=["knowledge"],
            user={"user_id": "log"},
        )
        return state

    service.insert_step_after(target_step_id="dedupe_merge", new_step=step(note))
    result = run(service, call)
    assert summaries(service, {"user_id": "log"}) == [f"{len(result['items'])} memories came in"]


CHANGES: list[Callable[[MemoryService], Any]] = [
    lambda service: service.insert_step_before(target_step_id="zz", new_step=step()),
    lambda service: service.insert_step_after(target_step_id="zz", new_step=step()),
    lambda service: service.replace_step(target_step_id="zz", new_step=step()),
    lambda service: service.remove_step(target_step_id="zz"),
    lambda service: service.remove_step(target_step_id="extract_items", pipeline="zz"),
    lambda service: service.list_steps("zz"),
    lambda service: service.insert_step_after(
        target_step_id="extract_items", new_step=step(step_id="dedupe_merge")
    ),
    lambda service: service.insert_step_after(
        target_step_id="extract_items", new_step=step(step_id="")
    ),
    lambda service: service.configure_pipeline(step_id="zz", configs={"llm_profile": "x"}),
    lambda service: service.configure_pipeline(
        step_id="ingest_resource", configs={"llm_profile": "default"}
    ),
    lambda service: service.configure_pipeline(
        step_id="extract_items", configs={"llm_profile": "zz"}
    ),
    lambda service: service.configure_pipeline(step_id="extract_items", configs={"zz": "x"}),
    lambda service: service.configure_pipeline(step_id="extract_items", configs={}),
]


@pytest.mark.parametrize("change", CHANGES, ids=range(len(CHANGES)))
def test_names_that_nothing_has_are_refused(change: Callable[[MemoryService], Any]) -> None:
    service = MemoryService()
    with pytest.raises(ConfigError) as raised:
        change(service)
    assert isinstance(raised.value, KeyError)
    assert isinstance(raised.value, ValueError)
    assert service.list_steps() == MEMORIZE
    assert memorized(service)["status"] == "created"


def test_a_step_may_use_another_profile(fake_openai: FakeOpenAI, call: Call) -> None:
    profiles = openai(chat_model="dear")
    profiles["cheap"] = {"api_key": "sk-nobody", "chat_model": "cheap"}
    service = MemoryService(llm_profiles=profiles)
    created(service, "Alice knows Latin")
    service.insert_step_after(target_step_id="dedupe_merge", new_step=step(only_peanuts))
    count = service.configure_pipeline(
        step_id="extract_items", configs={"chat_llm_profile": "cheap"}
    )
    assert count == 2
    result = run(service, call)
    assert result["items"]
    assert all("peanuts" in item["summary"] for item in result["items"])
    models = [request.body["model"] for request in fake_openai.chats]
    assert "cheap" in models
    assert "dear" in models
    # The memory is the same as before.
    assert "Alice knows Latin" in summaries(service)
    assert len(service.database.items) == len(result["items"]) + 1
