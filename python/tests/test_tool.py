"""Uses of tools are noted with a memory and summed up."""

from __future__ import annotations

import json
from typing import Any

import pytest

from memu.database.models import MemoryItem, ToolCallResult
from memu.utils.tool import add_tool_call, get_tool_calls, get_tool_statistics, set_tool_calls


def _item(memory_type: str = "tool", calls: list[dict[str, Any]] | None = None) -> MemoryItem:
    extra = {} if calls is None else {"tool_calls": calls}
    return MemoryItem(resource_id=None, memory_type=memory_type, summary="Tides", extra=extra)


def test_a_use_is_noted_with_its_hash_as_json() -> None:
    item = _item()
    call = ToolCallResult(tool_name="tides", input={"port": "Kiel"}, output="low", time_cost=0.5)
    add_tool_call(item, call)
    add_tool_call(item, ToolCallResult(tool_name="tides"))
    noted = get_tool_calls(item)
    assert [one["output"] for one in noted] == ["low", ""]
    assert noted[0]["call_hash"] == call.call_hash == call.generate_hash()
    # What a store keeps must be JSON.
    assert json.loads(json.dumps(item.extra)) == item.extra
    assert ToolCallResult.model_validate(noted[0]) == call


def test_only_a_memory_of_a_tool_notes_uses() -> None:
    item = _item("event")
    with pytest.raises(ValueError, match="can only be used with tool type memories"):
        add_tool_call(item, ToolCallResult(tool_name="tides"))
    assert item.extra == {}


def test_uses_can_be_replaced() -> None:
    item = _item(calls=[{"tool_name": "tides"}])
    set_tool_calls(item, [])
    assert get_tool_calls(item) == []
    assert get_tool_calls(_item()) == []


def test_without_uses_statistics_are_zero() -> None:
    assert get_tool_statistics(_item()) == {
        "total_calls": 0,
        "recent_calls_analyzed": 0,
        "avg_time_cost": 0.0,
        "success_rate": 0.0,
        "avg_score": 0.0,
        "avg_token_cost": 0.0,
    }


def test_statistics_are_means_and_tokens_those_that_are_known() -> None:
    calls: list[dict[str, Any]] = [
        {"success": True, "time_cost": 0.1, "score": 1.0, "token_cost": 10},
        {"success": True, "time_cost": 0.2, "score": 0.9, "token_cost": -1},
        {"success": False, "time_cost": 0.6, "score": 0.2, "token_cost": 20},
        # What is not said is as a new ToolCallResult has it.
        {"tool_name": "tides"},
    ]
    assert get_tool_statistics(_item(calls=calls)) == {
        "total_calls": 4,
        "recent_calls_analyzed": 4,
        "avg_time_cost": pytest.approx(0.225),
        "success_rate": 0.75,
        "avg_score": pytest.approx(0.525),
        "avg_token_cost": 15.0,
    }


def test_statistics_are_of_the_latest_uses() -> None:
    calls = [{"success": number != 4, "time_cost": float(number)} for number in range(25)]
    assert get_tool_statistics(_item(calls=calls))["recent_calls_analyzed"] == 20
    latest = get_tool_statistics(_item(calls=calls), recent_n=2)
    assert latest["total_calls"] == 25
    assert latest["recent_calls_analyzed"] == 2
    assert latest["avg_time_cost"] == 23.5
    assert latest["success_rate"] == 1.0


@pytest.mark.parametrize("recent_n", [0, -1])
def test_statistics_of_no_uses_are_refused(recent_n: int) -> None:
    with pytest.raises(ValueError, match="must be at least 1"):
        get_tool_statistics(_item(calls=[{}]), recent_n=recent_n)
