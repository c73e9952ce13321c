"""What a memory of type ``tool`` knows about how a tool was used.

These functions work on a memory in hand. To note a use of a tool in a store, call
``MemoryService.add_tool_call``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from memu.errors import InputError

if TYPE_CHECKING:
    from memu.database.models import MemoryItem, ToolCallResult

__all__ = ["add_tool_call", "get_tool_calls", "get_tool_statistics", "set_tool_calls"]


def get_tool_calls(item: MemoryItem) -> list[dict[str, Any]]:
    """The uses that a memory notes, the latest last; an empty list where there are none."""
    calls: list[dict[str, Any]] = item.extra.get("tool_calls") or []
    return calls


def set_tool_calls(item: MemoryItem, tool_calls: list[dict[str, Any]]) -> None:
    """Puts these uses in place of those that a memory notes."""
    item.extra["tool_calls"] = tool_calls


def add_tool_call(item: MemoryItem, tool_call: ToolCallResult) -> None:
    """Notes a use, with its hash, as the latest one of a memory of type ``tool``.

    Raises:
        InputError: The memory is of another type.
    """
    if item.memory_type != "tool":
        raise InputError(
            "add_tool_call can only be used with tool type memories; "
            f"this one is of type {item.memory_type!r}"
        )
    tool_call.ensure_hash()
    # As JSON, which is what a store keeps.
    set_tool_calls(item, [*get_tool_calls(item), tool_call.model_dump(mode="json")])


def get_tool_statistics(item: MemoryItem, recent_n: int = 20) -> dict[str, Any]:
    """What the latest ``recent_n`` uses that a memory notes have in common.

    The keys are ``total_calls``, ``recent_calls_analyzed``, ``avg_time_cost`` in seconds,
    ``success_rate`` and ``avg_score`` from 0 to 1, and ``avg_token_cost``, which is over the
    uses whose tokens are known. Means are 0 where there is nothing to take the mean of.

    Raises:
        InputError: ``recent_n`` is below 1.
    """
    if recent_n < 1:
        raise InputError(f"recent_n is {recent_n}; it must be at least 1")
    calls = get_tool_calls(item)
    latest = calls[-recent_n:]

    def mean(of: Callable[[Mapping[str, Any]], float], among: list[dict[str, Any]]) -> float:
        return sum(map(of, among)) / len(among) if among else 0.0

    counted = [call for call in latest if call.get("token_cost", -1) >= 0]
    return {
        "total_calls": len(calls),
        "recent_calls_analyzed": len(latest),
        "avg_time_cost": mean(lambda call: call.get("time_cost", 0.0), latest),
        "success_rate": mean(lambda call: bool(call.get("success", True)), latest),
        "avg_score": mean(lambda call: call.get("score", 0.0), latest),
        "avg_token_cost": mean(lambda call: call["token_cost"], counted),
    }
