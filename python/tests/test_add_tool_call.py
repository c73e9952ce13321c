"""`add_tool_call`: a memory of type `tool` notes how its tool was used."""

from __future__ import annotations

from typing import Any

import pytest
from support import ALICE, BOB, ITEM, NOBODY, Call, assert_record, created, everything

from memu import MemoryService
from memu.database.models import MemoryItem, ToolCallResult
from memu.errors import InputError, MemuError, NotFoundError, ScopeError
from memu.utils.tool import get_tool_statistics

GREP: dict[str, Any] = {
    "tool_name": "grep",
    "input": {"pattern": "x"},
    "output": "3 lines",
    "success": False,
    "time_cost": 0.5,
    "token_cost": 10,
    "score": 0.25,
}


def tool(service: MemoryService) -> str:
    item = created(service, "grep finds lines", memory_type="tool", category="knowledge")
    return str(item["id"])


def test_uses_are_noted_in_their_order(service: MemoryService, call: Call) -> None:
    memory_id = tool(service)
    first = call(service, "add_tool_call", memory_id=memory_id, tool_call=GREP, user=ALICE)
    assert_record(first["memory_item"], *ITEM)
    second = call(
        service, "add_tool_call", memory_id=memory_id, tool_call={"tool_name": "rg"}, user=ALICE
    )
    noted = second["memory_item"]["extra"]["tool_calls"]
    assert {key: noted[0][key] for key in GREP} == GREP
    assert set(noted[0]) == {*GREP, "call_hash", "created_at"}
    assert {key: noted[1][key] for key in GREP} == {
        "tool_name": "rg",
        "input": "",
        "output": "",
        "success": True,
        "time_cost": 0.0,
        "token_cost": -1,
        "score": 0.0,
    }
    (item,) = service.sync.list_memory_items(ALICE)["items"]
    assert item["extra"]["tool_calls"] == noted


def test_a_model_does_as_well_and_has_the_same_hash(call: Call) -> None:
    service = MemoryService()
    use = ToolCallResult(**GREP)
    answer = call(service, "add_tool_call", memory_id=tool(service), tool_call=use, user=ALICE)
    (noted,) = answer["memory_item"]["extra"]["tool_calls"]
    assert noted["call_hash"] == use.generate_hash()
    assert ToolCallResult.model_validate(noted).created_at == use.created_at


def test_statistics_are_taken_of_what_is_stored(call: Call) -> None:
    service = MemoryService()
    memory_id = tool(service)
    for number in range(4):
        use = {**GREP, "success": number % 2 == 0}
        call(service, "add_tool_call", memory_id=memory_id, tool_call=use, user=ALICE)
    item = MemoryItem.model_validate(service.sync.list_memory_items(ALICE)["items"][0])
    assert get_tool_statistics(item) == {
        "total_calls": 4,
        "recent_calls_analyzed": 4,
        "avg_time_cost": 0.5,
        "success_rate": 0.5,
        "avg_score": 0.25,
        "avg_token_cost": 10,
    }


@pytest.mark.parametrize(
    ("use", "message"),
    [
        ({}, "tool_name"),
        ({"tool_name": "x", "score": 2}, "score of a tool call is 2"),
        ({"tool_name": "x", "time_cost": -2}, "time_cost of a tool call is -2"),
        ({"tool_name": "x", "time_cost": float("nan")}, "(?i)nan"),
        ({"tool_name": "x", "success": "yes"}, "success|boolean"),
        ("grep", "tool_call|ToolCall"),
    ],
)
def test_a_use_that_cannot_be_one_changes_nothing(call: Call, use: Any, message: str) -> None:
    service = MemoryService()
    memory_id = tool(service)
    before = everything(service)
    with pytest.raises(InputError, match=message):
        call(service, "add_tool_call", memory_id=memory_id, tool_call=use, user=ALICE)
    assert everything(service) == before


def test_only_memories_of_tools_note_uses(call: Call) -> None:
    service = MemoryService()
    item = created(service, "Alice plays the cello")
    with pytest.raises(InputError, match='this one is of type "profile"') as raised:
        call(service, "add_tool_call", memory_id=item["id"], tool_call=GREP, user=ALICE)
    assert isinstance(raised.value, ValueError)
    assert everything(service)[0] == [item]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"memory_id": NOBODY}, NotFoundError),
        ({"user": BOB}, NotFoundError),
        ({"user": None}, NotFoundError),
        ({"user": {"team": "x"}}, ScopeError),
    ],
)
def test_a_memory_that_is_not_there_is_not_found(
    call: Call, change: dict[str, Any], error: type[MemuError]
) -> None:
    service = MemoryService()
    arguments = {"memory_id": tool(service), "tool_call": GREP, "user": ALICE, **change}
    before = everything(service)
    with pytest.raises(error):
        call(service, "add_tool_call", **arguments)
    assert everything(service) == before
