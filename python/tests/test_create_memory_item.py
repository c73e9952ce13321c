"""`create_memory_item`: a memory in the caller's own words."""

from __future__ import annotations

from typing import Any

import pytest
from support import ALICE, BOB, CATEGORY, ITEM, Call, assert_record, created, everything, summaries

from memu import MemoryService
from memu.errors import InputError, MemuError, ScopeError

CELLO: dict[str, Any] = {
    "memory_type": "profile",
    "memory_content": "Alice plays the cello",
    "memory_categories": ["activities"],
    "user": ALICE,
}


def test_a_memory_is_kept_and_its_category_follows(service: MemoryService, call: Call) -> None:
    answer = call(service, "create_memory_item", **CELLO)
    assert set(answer) == {"memory_item", "category_updates"}
    item = answer["memory_item"]
    assert_record(item, *ITEM)
    assert (item["summary"], item["memory_type"]) == ("Alice plays the cello", "profile")
    assert (item["resource_id"], item["happened_at"]) == (None, None)
    assert set(item["extra"]) == {"content_hash"}
    (category,) = answer["category_updates"]
    assert_record(category, *CATEGORY)
    assert category["name"] == "activities"
    assert "Alice plays the cello" in category["summary"]
    assert service.sync.list_memory_items(ALICE)["items"] == [item]
    (found,) = service.sync.retrieve(["Who plays the cello?"], ALICE)["items"]
    assert (found["id"], found["categories"]) == (item["id"], ["activities"])


def test_without_categories_it_is_filed_by_its_content(call: Call) -> None:
    service = MemoryService()
    arguments = {
        **CELLO,
        "memory_content": "Alice goes hiking at weekends",
        "memory_categories": (),
    }
    answer = call(service, "create_memory_item", **arguments)
    names = [category["name"] for category in answer["category_updates"]]
    assert "activities" in names


def test_summaries_stay_as_they_are_without_propagate(call: Call) -> None:
    service = MemoryService()
    answer = call(service, "create_memory_item", **CELLO, propagate=False)
    assert answer["category_updates"] == []
    assert summaries(service) == ["Alice plays the cello"]
    categories = service.sync.list_memory_categories(ALICE)["categories"]
    assert all("cello" not in (category["summary"] or "") for category in categories)


@pytest.mark.parametrize(
    "memory_type", ["profile", "event", "knowledge", "behavior", "skill", "tool"]
)
def test_every_type_of_memu_is_known(call: Call, memory_type: str) -> None:
    service = MemoryService()
    answer = call(service, "create_memory_item", **{**CELLO, "memory_type": memory_type})
    assert answer["memory_item"]["memory_type"] == memory_type


def test_details_are_kept_as_they_are(service: MemoryService, call: Call) -> None:
    extra = {
        "when_to_use": "at concerts",
        "metadata": {"source": "form", "weight": 0.5, "tags": ["a", None, True]},
        "created_at": "2020-01-02T03:04:05Z",
        "{braces}": "🎻 \u0000",
    }
    call(service, "create_memory_item", **CELLO, extra=extra)
    (item,) = service.sync.list_memory_items(ALICE)["items"]
    assert item["extra"] == {**extra, "content_hash": item["extra"]["content_hash"]}


def test_the_user_may_be_the_model_of_the_scope(call: Call) -> None:
    service = MemoryService()
    user = service.user_model(user_id="alice")
    answer = call(service, "create_memory_item", **{**CELLO, "user": user})
    assert answer["memory_item"]["user_id"] == "alice"


def test_equal_words_of_two_users_are_two_memories(call: Call) -> None:
    service = MemoryService()
    for user in (ALICE, BOB):
        call(service, "create_memory_item", **{**CELLO, "user": user})
    assert len(summaries(service, ALICE)) == len(summaries(service, BOB)) == 1


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"memory_type": "nonsense"}, InputError, 'unknown memory type "nonsense"; use profile'),
        ({"memory_content": ""}, InputError, "the memory is empty"),
        ({"memory_content": "\ud800"}, InputError, "surrogate"),
        ({"memory_categories": ["nope"]}, InputError, 'unknown category "nope"; use personal_info'),
        ({"memory_type": None}, InputError, "memory_type"),
        ({"memory_content": 3}, InputError, "memory_content"),
        ({"extra": {"content_hash": "x"}}, InputError, "content_hash"),
        ({"extra": {"ref_id": "x"}}, InputError, "ref_id"),
        ({"extra": {"tool_calls": "x"}}, InputError, "tool_calls of a memory must be a list"),
        ({"extra": {"weight": float("nan")}}, InputError, "(?i)nan"),
        ({"user": {"team": "x"}}, ScopeError, 'unknown scope field "team"'),
        ({"user": {"user_id": 1}}, ScopeError, "user_id"),
    ],
)
def test_what_cannot_be_kept_changes_nothing(
    call: Call, change: dict[str, Any], error: type[MemuError], message: str
) -> None:
    service = MemoryService()
    created(service, "Alice knows Latin")
    before = everything(service)
    with pytest.raises(error, match=message) as raised:
        call(service, "create_memory_item", **{**CELLO, **change})
    assert isinstance(raised.value, ValueError)
    assert everything(service) == before
