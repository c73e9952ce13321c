"""`clear_memory`: a scope is forgotten whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support import (
    ALICE,
    BOB,
    CATEGORY,
    ITEM,
    RESOURCE,
    Call,
    assert_record,
    created,
    everything,
    memorized,
    sqlite,
    summaries,
)

from memu import MemoryService
from memu.errors import FilterError, MemuError, ScopeError


def test_everything_of_a_user_goes_and_nothing_else(service: MemoryService, call: Call) -> None:
    stored = memorized(service)
    memorized(service, BOB)
    bobs = service.sync.retrieve(["What should I not eat?"], BOB)
    answer = call(service, "clear_memory", where=ALICE)
    assert set(answer) == {
        "deleted_categories",
        "deleted_items",
        "deleted_resources",
        "deleted_relations",
        "deleted_segments",
        "deleted_scopes",
    }
    assert {one["id"] for one in answer["deleted_items"]} == {one["id"] for one in stored["items"]}
    assert [one["id"] for one in answer["deleted_resources"]] == [stored["resource"]["id"]]
    assert len(answer["deleted_categories"]) == 10
    assert answer["deleted_relations"] == len(stored["relations"])
    assert (answer["deleted_segments"], answer["deleted_scopes"]) == (7, 1)
    for key, fields in (
        ("deleted_items", ITEM),
        ("deleted_resources", RESOURCE),
        ("deleted_categories", CATEGORY),
    ):
        for record in answer[key]:
            assert_record(record, *fields)
    assert summaries(service) == []
    assert service.sync.retrieve(["What should I not eat?"], ALICE)["segments"] == []
    assert service.sync.retrieve(["What should I not eat?"], BOB) == bobs
    assert service.sync.stats()["scopes"] == 1
    again = memorized(service)
    assert again["status"] == "created"


def test_nothing_goes_twice(service: MemoryService, call: Call) -> None:
    created(service, "Alice plays the cello")
    call(service, "clear_memory", ALICE)
    answer = call(service, "clear_memory", ALICE)
    assert answer["deleted_items"] == answer["deleted_categories"] == []
    assert answer["deleted_scopes"] == 0


def test_everybody_is_forgotten_when_that_is_said(service: MemoryService, call: Call) -> None:
    for user in (ALICE, BOB):
        created(service, "Somebody plays the cello", user)
    answer = call(service, "clear_memory", all_scopes=True)
    assert (len(answer["deleted_items"]), answer["deleted_scopes"]) == (2, 2)
    assert everything(service) == ([], [], [])


@pytest.mark.parametrize(
    ("where", "error", "message"),
    [
        (None, ScopeError, "name whose memory to forget"),
        ({}, ScopeError, "name whose memory to forget"),
        ({"user_id": None}, FilterError, "user_id is null"),
        ({"memory_type": "profile"}, FilterError, "memory_type cannot narrow it"),
        ({**ALICE, "memory_type": "profile"}, FilterError, "memory_type cannot narrow it"),
        ({"nobody": "x"}, FilterError, 'unknown filter field "nobody"'),
    ],
)
def test_what_is_not_clear_forgets_nothing(
    call: Call, where: dict[str, Any] | None, error: type[MemuError], message: str
) -> None:
    service = MemoryService()
    created(service, "Alice plays the cello")
    before = everything(service)
    with pytest.raises(error, match=message) as raised:
        call(service, "clear_memory", where)
    assert isinstance(raised.value, ValueError)
    assert everything(service) == before


def test_no_trace_is_left_in_the_file(tmp_path: Path, call: Call) -> None:
    file = tmp_path / "memu.db"
    service = MemoryService(database_config=sqlite(file))
    created(service, "Alice likes pamplemousse")
    created(service, "Bob likes rhubarb", BOB)
    call(service, "clear_memory", ALICE)
    service.sync.close()
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"pamplemousse" not in content
    assert b"rhubarb" in content
