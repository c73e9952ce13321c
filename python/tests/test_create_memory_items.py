"""`create_memory_items`: many memories of one scope at once."""

from __future__ import annotations

from typing import Any

import pytest
from support import ALICE, CATEGORY, ITEM, Call, assert_record, created, everything, summaries

from memu import MemoryService
from memu.errors import InputError, MemuError, ScopeError

ITEMS: list[dict[str, Any]] = [
    {
        "memory_type": "profile",
        "memory_content": "Alice plays the cello",
        "memory_categories": ["activities"],
        "extra": {"when_to_use": "at concerts"},
    },
    {
        "memory_type": "knowledge",
        "memory_content": "The hall has 80 seats",
        "memory_categories": ["knowledge"],
    },
    {"memory_type": "event", "memory_content": "Alice moved to Porto for work"},
]


def test_all_are_kept_in_their_order(service: MemoryService, call: Call) -> None:
    answer = call(service, "create_memory_items", ITEMS, user=ALICE)
    assert set(answer) == {"memory_items", "category_updates"}
    assert [item["summary"] for item in answer["memory_items"]] == [
        item["memory_content"] for item in ITEMS
    ]
    for item in answer["memory_items"]:
        assert_record(item, *ITEM)
        assert item["user_id"] == "alice"
    assert answer["memory_items"][0]["extra"]["when_to_use"] == "at concerts"
    names = {category["name"] for category in answer["category_updates"]}
    assert {"activities", "knowledge"} <= names
    for category in answer["category_updates"]:
        assert_record(category, *CATEGORY)
    assert sorted(summaries(service)) == sorted(item["memory_content"] for item in ITEMS)


def test_any_iterable_of_mappings_will_do(call: Call) -> None:
    service = MemoryService()
    answer = call(service, "create_memory_items", (item for item in ITEMS), user=ALICE)
    assert len(answer["memory_items"]) == 3


def test_none_are_no_error(call: Call) -> None:
    answer = call(MemoryService(), "create_memory_items", [], user=ALICE)
    assert answer == {"memory_items": [], "category_updates": []}


def test_summaries_stay_as_they_are_without_propagate(call: Call) -> None:
    service = MemoryService()
    answer = call(service, "create_memory_items", ITEMS, user=ALICE, propagate=False)
    assert answer["category_updates"] == []
    assert len(summaries(service)) == 3


def test_thousands_are_kept_at_once(service: MemoryService, call: Call) -> None:
    many = [
        {"memory_type": "knowledge", "memory_content": f"The hall number {number} has seats"}
        for number in range(2_500)
    ]
    answer = call(service, "create_memory_items", many, user=ALICE, propagate=False)
    assert len({item["id"] for item in answer["memory_items"]}) == 2_500
    assert service.sync.stats(ALICE)["items"] == 2_500


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        ({"memory_type": "nonsense", "memory_content": "x"}, InputError, "nonsense"),
        ({"memory_type": "profile", "memory_content": ""}, InputError, "empty"),
        ({"memory_type": "profile"}, InputError, "memory_content"),
        ({"memory_type": "profile", "memory_content": "x", "tag": 1}, InputError, "tag"),
        (
            {"memory_type": "profile", "memory_content": "x", "memory_categories": ["nope"]},
            InputError,
            "nope",
        ),
        (
            {"memory_type": "profile", "memory_content": "x", "extra": {"ref_id": "x"}},
            InputError,
            "ref_id",
        ),
    ],
)
def test_one_that_cannot_be_kept_and_none_is(
    call: Call, bad: dict[str, Any], error: type[MemuError], message: str
) -> None:
    service = MemoryService()
    created(service, "Alice knows Latin")
    before = everything(service)
    with pytest.raises(error, match=message) as raised:
        call(service, "create_memory_items", [ITEMS[0], bad], user=ALICE)
    assert isinstance(raised.value, ValueError)
    assert everything(service) == before


def test_which_one_it_is_is_told(call: Call) -> None:
    bad = {"memory_type": "nonsense", "memory_content": "x"}
    with pytest.raises(InputError) as raised:
        call(MemoryService(), "create_memory_items", [ITEMS[0], bad], user=ALICE)
    assert raised.value.context["item"] == "1"


def test_a_user_that_does_not_fit_is_refused(call: Call) -> None:
    with pytest.raises(ScopeError, match="team"):
        call(MemoryService(), "create_memory_items", ITEMS, user={"team": "x"})


def test_what_is_no_mapping_is_refused(call: Call) -> None:
    with pytest.raises((TypeError, ValueError)):
        call(MemoryService(), "create_memory_items", ["Alice plays the cello"], user=ALICE)
