"""`update_memory_item`: what is not named stays, and summaries follow."""

from __future__ import annotations

from typing import Any

import pytest
from support import (
    ALICE,
    BOB,
    CATEGORY,
    ITEM,
    NOBODY,
    Call,
    assert_record,
    created,
    everything,
    summaries,
)

from memu import MemoryService
from memu.errors import InputError, MemuError, NotFoundError, ScopeError


def test_new_words_take_the_place_of_the_old(service: MemoryService, call: Call) -> None:
    item = created(service, "Alice plays the cello")
    answer = call(
        service,
        "update_memory_item",
        memory_id=item["id"],
        memory_content="Alice plays the viola",
        user=ALICE,
    )
    assert set(answer) == {"memory_item", "category_updates"}
    changed = answer["memory_item"]
    assert_record(changed, *ITEM)
    assert (changed["id"], changed["summary"]) == (item["id"], "Alice plays the viola")
    assert changed["memory_type"] == "profile"
    assert changed["created_at"] == item["created_at"]
    assert changed["updated_at"] > item["updated_at"]
    assert changed["extra"]["content_hash"] != item["extra"]["content_hash"]
    (category,) = answer["category_updates"]
    assert_record(category, *CATEGORY)
    assert "viola" in category["summary"]
    assert "cello" not in category["summary"]
    assert service.sync.list_memory_items(ALICE)["items"] == [changed]
    (found,) = service.sync.retrieve(["Who plays the viola?"], ALICE)["items"]
    assert found["summary"] == "Alice plays the viola"


def test_it_may_move_to_other_categories(service: MemoryService, call: Call) -> None:
    item = created(service, "Alice plays the cello")
    answer = call(
        service,
        "update_memory_item",
        memory_id=item["id"],
        memory_categories=["habits"],
        user=ALICE,
    )
    assert answer["memory_item"]["summary"] == "Alice plays the cello"
    updates = {one["name"]: one["summary"] or "" for one in answer["category_updates"]}
    assert set(updates) == {"activities", "habits"}
    assert "cello" in updates["habits"]
    assert "cello" not in updates["activities"]


def test_another_type_and_details(service: MemoryService, call: Call) -> None:
    item = created(service, "Alice plays the cello")
    call(service, "update_memory_item", memory_id=item["id"], extra={"a": 1, "b": 1}, user=ALICE)
    answer = call(
        service,
        "update_memory_item",
        memory_id=item["id"],
        memory_type="skill",
        extra={"b": 2},
        user=ALICE,
    )
    changed = answer["memory_item"]
    assert changed["memory_type"] == "skill"
    assert (changed["extra"]["a"], changed["extra"]["b"]) == (1, 2)
    assert changed["summary"] == "Alice plays the cello"


def test_summaries_stay_as_they_are_without_propagate(call: Call) -> None:
    service = MemoryService()
    item = created(service, "Alice plays the cello")
    answer = call(
        service,
        "update_memory_item",
        memory_id=item["id"],
        memory_content="Alice plays the viola",
        user=ALICE,
        propagate=False,
    )
    assert answer["category_updates"] == []
    assert summaries(service) == ["Alice plays the viola"]
    assert "cello" in str(service.sync.list_memory_categories(ALICE))


@pytest.mark.parametrize("user", [BOB, {}, None])
def test_another_scope_holds_no_such_memory(
    service: MemoryService, call: Call, user: dict[str, str] | None
) -> None:
    item = created(service, "Alice plays the cello")
    before = everything(service)
    with pytest.raises(NotFoundError, match=item["id"]) as raised:
        call(
            service,
            "update_memory_item",
            memory_id=item["id"],
            memory_content="Alice plays the viola",
            user=user,
        )
    assert isinstance(raised.value, KeyError)
    assert everything(service) == before


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"memory_id": NOBODY, "memory_content": "x"}, NotFoundError, NOBODY),
        ({"memory_id": "zz", "memory_content": "x"}, NotFoundError, "zz"),
        ({}, InputError, "nothing to change"),
        ({"memory_content": ""}, InputError, "the memory is empty"),
        ({"memory_type": "nonsense"}, InputError, "unknown memory type"),
        ({"memory_categories": ["nope"]}, InputError, "unknown category"),
        ({"extra": {"ref_id": "x"}}, InputError, "ref_id"),
        ({"extra": {"metadata": "x"}}, InputError, "metadata"),
        ({"memory_content": "x", "user": {"team": "x"}}, ScopeError, "team"),
    ],
)
def test_what_cannot_be_done_changes_nothing(
    call: Call, change: dict[str, Any], error: type[MemuError], message: str
) -> None:
    service = MemoryService()
    item = created(service, "Alice plays the cello")
    before = everything(service)
    with pytest.raises(error, match=message):
        call(service, "update_memory_item", **{"memory_id": item["id"], "user": ALICE, **change})
    assert everything(service) == before
