"""The tools of `MemULangGraphTools`, called by the real langchain-core."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.tools import StructuredTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import BaseModel, ValidationError

from memu.integrations import MemULangGraphTools

Run = Callable[[StructuredTool, dict[str, Any]], str]


class Service:
    """A stand-in for `MemoryService` that notes what it is asked."""

    class User(BaseModel):
        user_id: str | None = None
        agent_id: str | None = None

    user_model = User

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.response: dict[str, Any] = {"status": "created"}
        self.failure: Exception | None = None
        self.sync = Twin(self)

    async def memorize(self, **request: Any) -> dict[str, Any]:
        await asyncio.sleep(0)
        return self.answer("memorize", request)

    async def retrieve(self, **request: Any) -> dict[str, Any]:
        await asyncio.sleep(0)
        return self.answer("retrieve", request)

    def answer(self, verb: str, request: dict[str, Any]) -> dict[str, Any]:
        self.asked.append((verb, request))
        if self.failure is not None:
            raise self.failure
        return self.response


class Twin:
    """Its synchronous half."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def memorize(self, **request: Any) -> dict[str, Any]:
        return self._service.answer("memorize", request)

    def retrieve(self, **request: Any) -> dict[str, Any]:
        return self._service.answer("retrieve", request)


def invoke(tool: StructuredTool, arguments: dict[str, Any]) -> str:
    answer: str = tool.invoke(arguments)
    return answer


def ainvoke(tool: StructuredTool, arguments: dict[str, Any]) -> str:
    answer: str = asyncio.run(tool.ainvoke(arguments))
    return answer


@pytest.fixture(params=[invoke, ainvoke])
def run(request: pytest.FixtureRequest) -> Run:
    """Both ways in which an agent calls a tool."""
    way: Run = request.param
    return way


@pytest.fixture
def service() -> Service:
    return Service()


def found(*scores: float) -> dict[str, Any]:
    items = [{"summary": f"Memory {number}", "score": s} for number, s in enumerate(scores, 1)]
    return {"items": items, "segments": []}


def test_the_tools_have_the_names_and_arguments_of_memu() -> None:
    tools = MemULangGraphTools(Service()).tools()
    assert all(isinstance(tool, StructuredTool) for tool in tools)
    functions = [convert_to_openai_tool(tool)["function"] for tool in tools]
    assert [function["name"] for function in functions] == ["save_memory", "search_memory"]
    save, search = (function["parameters"] for function in functions)
    assert list(save["properties"]) == ["content", "user_id", "metadata"]
    assert save["required"] == ["content", "user_id"]
    assert list(search["properties"]) == [
        "query",
        "user_id",
        "limit",
        "metadata_filter",
        "min_relevance_score",
    ]
    assert search["required"] == ["query", "user_id"]
    assert search["properties"]["limit"]["default"] == 5
    assert search["properties"]["min_relevance_score"]["default"] == 0.0


def test_saving_memorizes_the_text_for_the_user(service: Service, run: Run) -> None:
    tool = MemULangGraphTools(service).save_memory_tool()
    answer = run(tool, {"content": "Alice prefers dark mode.", "user_id": "alice"})
    assert answer == "The memory was saved successfully."
    request = {
        "content": "Alice prefers dark mode.",
        "modality": "document",
        "user": {"user_id": "alice"},
    }
    assert service.asked == [("memorize", request)]


def test_saving_the_same_again_says_so(service: Service, run: Run) -> None:
    service.response = {"status": "unchanged"}
    tool = MemULangGraphTools(service).save_memory_tool()
    answer = run(tool, {"content": "Alice prefers dark mode.", "user_id": "alice"})
    assert answer == "This was saved before."


def test_scope_fields_among_the_metadata_are_taken_and_the_others_named(
    service: Service, run: Run
) -> None:
    tool = MemULangGraphTools(service).save_memory_tool()
    metadata = {"agent_id": "bot", "category": "preferences", "mood": None}
    answer = run(tool, {"content": "Tea.", "user_id": "alice", "metadata": metadata})
    assert answer == "The memory was saved successfully. Metadata not kept: category."
    assert service.asked[0][1]["user"] == {"user_id": "alice", "agent_id": "bot"}


def test_searching_lists_the_best_memories_first(service: Service, run: Run) -> None:
    service.response = found(1.6, 0.8)
    tool = MemULangGraphTools(service).search_memory_tool()
    answer = run(tool, {"query": "What does Alice prefer?", "user_id": "alice"})
    assert answer.splitlines()[1:] == ["1. (1.00) Memory 1", "2. (0.50) Memory 2"]
    request = {
        "queries": [{"role": "user", "content": "What does Alice prefer?"}],
        "where": {"user_id": "alice"},
        "top_k": 5,
    }
    assert service.asked == [("retrieve", request)]


def test_limit_filter_and_least_relevance_are_respected(service: Service, run: Run) -> None:
    service.response = found(1.6, 1.2, 0.8, 0.4)
    tool = MemULangGraphTools(service).search_memory_tool()
    asked = {
        "query": "What does Alice prefer?",
        "user_id": "alice",
        "limit": 3,
        "metadata_filter": {"category": "preferences", "agent_id": None},
        "min_relevance_score": 0.6,
    }
    answer = run(tool, asked)
    assert answer.splitlines()[1:] == ["1. (1.00) Memory 1", "2. (0.75) Memory 2"]
    assert service.asked[0][1]["top_k"] == 3
    assert service.asked[0][1]["where"] == {"category": "preferences", "user_id": "alice"}


def test_where_no_item_fits_the_passages_are_listed(service: Service, run: Run) -> None:
    service.response = {"items": [], "segments": [{"text": "Dark\nmode.", "score": 0.9}]}
    tool = MemULangGraphTools(service).search_memory_tool()
    answer = run(tool, {"query": "What does Alice prefer?", "user_id": "alice"})
    assert answer.splitlines()[1:] == ["1. (1.00) Dark mode."]


def test_finding_nothing_is_said(service: Service, run: Run) -> None:
    service.response = found()
    tool = MemULangGraphTools(service).search_memory_tool()
    assert run(tool, {"query": "Anything?", "user_id": "alice"}) == "No memories found."


@pytest.mark.parametrize("arguments", [{"user_id": ""}, {"user_id": "alice", "other": "bob"}])
def test_no_argument_reaches_another_user(
    service: Service, run: Run, arguments: dict[str, str]
) -> None:
    tools = MemULangGraphTools(service)
    user_id = arguments["user_id"]
    other = {"user_id": arguments.get("other", "bob")}
    saved = run(
        tools.save_memory_tool(), {"content": "Tea.", "user_id": user_id, "metadata": other}
    )
    searched = run(
        tools.search_memory_tool(), {"query": "?", "user_id": user_id, "metadata_filter": other}
    )
    assert saved.startswith("save_memory failed: ")
    assert searched.startswith("search_memory failed: ")
    assert service.asked == []


def test_a_failing_service_is_reported_to_the_agent_and_logged(
    service: Service, run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    service.failure = ValueError("unknown filter field 'mood'; use user_id, category")
    tools = MemULangGraphTools(service)
    saved = run(tools.save_memory_tool(), {"content": "Tea.", "user_id": "alice"})
    searched = run(tools.search_memory_tool(), {"query": "?", "user_id": "alice"})
    assert saved == f"save_memory failed: {service.failure}"
    assert searched == f"search_memory failed: {service.failure}"
    assert [record.name for record in caplog.records] == ["memu.integrations.langgraph"] * 2


def test_arguments_of_another_shape_are_refused(service: Service, run: Run) -> None:
    with pytest.raises(ValidationError, match="user_id"):
        run(MemULangGraphTools(service).search_memory_tool(), {"query": "?"})
    assert service.asked == []


def test_without_langchain_the_error_says_what_to_install() -> None:
    program = (
        "import sys\nsys.modules['langchain_core'] = None\nimport memu.integrations.langgraph\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "ImportError: memu.integrations.langgraph needs langchain-core: "
        'pip install "memu-rs[langgraph]"'
    )
