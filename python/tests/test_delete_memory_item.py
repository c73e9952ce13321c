"""`delete_memory_item`: a memory, and what it contributed to summaries."""

from __future__ import annotations

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
from memu.errors import InputError, NotFoundError, ScopeError


def test_a_memory_goes_with_what_it_contributed(service: MemoryService, call: Call) -> None:
    gone = created(service, "Alice plays the cello")
    created(service, "Alice goes hiking")
    answer = call(service, "delete_memory_item", memory_id=gone["id"], user=ALICE)
    assert set(answer) == {"memory_item", "category_updates"}
    assert_record(answer["memory_item"], *ITEM)
    assert answer["memory_item"] == gone
    (category,) = answer["category_updates"]
    assert_record(category, *CATEGORY)
    assert "hiking" in category["summary"]
    assert "cello" not in category["summary"]
    assert summaries(service) == ["Alice goes hiking"]
    assert "cello" not in str(service.sync.retrieve(["Who plays the cello?"], ALICE)["items"])
    assert len(service.database.relations) == 1


def test_summaries_stay_as_they_are_without_propagate(call: Call) -> None:
    service = MemoryService()
    item = created(service, "Alice plays the cello")
    answer = call(service, "delete_memory_item", memory_id=item["id"], user=ALICE, propagate=False)
    assert answer["category_updates"] == []
    assert summaries(service) == []
    assert "cello" in str(service.sync.list_memory_categories(ALICE))


@pytest.mark.parametrize("user", [BOB, {}, None])
def test_another_scope_holds_no_such_memory(
    service: MemoryService, call: Call, user: dict[str, str] | None
) -> None:
    item = created(service, "Alice plays the cello")
    before = everything(service)
    with pytest.raises(NotFoundError, match=item["id"]) as raised:
        call(service, "delete_memory_item", memory_id=item["id"], user=user)
    assert isinstance(raised.value, KeyError)
    assert everything(service) == before


@pytest.mark.parametrize("memory_id", [NOBODY, "zz"])
def test_an_id_that_nothing_has_is_named(
    service: MemoryService, call: Call, memory_id: str
) -> None:
    created(service, "Alice plays the cello")
    before = everything(service)
    with pytest.raises(NotFoundError, match=memory_id):
        call(service, "delete_memory_item", memory_id=memory_id, user=ALICE)
    assert everything(service) == before


@pytest.mark.parametrize("memory_id", ["", "x" * 300])
def test_what_is_no_id_is_refused(call: Call, memory_id: str) -> None:
    with pytest.raises(InputError, match="an id"):
        call(MemoryService(), "delete_memory_item", memory_id=memory_id, user=ALICE)


def test_a_second_time_there_is_nothing_left(call: Call) -> None:
    service = MemoryService()
    item = created(service, "Alice plays the cello")
    call(service, "delete_memory_item", memory_id=item["id"], user=ALICE)
    with pytest.raises(NotFoundError):
        call(service, "delete_memory_item", memory_id=item["id"], user=ALICE)


def test_a_user_that_does_not_fit_is_refused(call: Call) -> None:
    service = MemoryService()
    item = created(service, "Alice plays the cello")
    with pytest.raises(ScopeError, match="team") as raised:
        call(service, "delete_memory_item", memory_id=item["id"], user={"team": "x"})
    assert isinstance(raised.value, ValueError)
    assert summaries(service) == ["Alice plays the cello"]
