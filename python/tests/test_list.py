"""`list_memory_items`, `list_memory_categories`, `list_resources`: all that match, or pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
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
    memorized,
)

from memu import MemoryService
from memu.errors import FilterError, InputError, ScopeError

VERBS = {
    "list_memory_items": ("items", ITEM),
    "list_memory_categories": ("categories", CATEGORY),
    "list_resources": ("resources", RESOURCE),
}


@pytest.mark.parametrize("verb", VERBS)
def test_records_are_listed_with_their_fields(
    service: MemoryService, call: Call, verb: str
) -> None:
    key, fields = VERBS[verb]
    stored = memorized(service)
    memorized(service, BOB)
    answer = call(service, verb, ALICE)
    assert set(answer) == {key, "next_cursor"}
    assert answer["next_cursor"] is None
    for record in answer[key]:
        assert_record(record, *fields)
        assert record["user_id"] == "alice"
    known = [stored["resource"]] if key == "resources" else stored[key]
    assert {one["id"] for one in answer[key]} == {one["id"] for one in known}
    moments = [one["created_at"] for one in answer[key]]
    assert moments == sorted(moments)


@pytest.mark.parametrize("verb", VERBS)
def test_pages_are_the_whole(service: MemoryService, call: Call, verb: str) -> None:
    key, _ = VERBS[verb]
    for user in (ALICE, BOB):
        memorized(service, user)
    whole = call(service, verb, all_scopes=True)[key]
    pages: list[Any] = []
    cursor = None
    while True:
        page = call(service, verb, all_scopes=True, limit=2, cursor=cursor)
        pages += page[key]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        assert len(page[key]) == 2
    assert pages == whole


@pytest.mark.parametrize("verb", VERBS)
def test_an_empty_store_lists_nothing(service: MemoryService, call: Call, verb: str) -> None:
    key, _ = VERBS[verb]
    assert call(service, verb) == {key: [], "next_cursor": None}
    assert call(service, verb, where=ALICE) == {key: [], "next_cursor": None}


@pytest.mark.parametrize("verb", VERBS)
def test_several_scopes_and_none_named_is_refused(call: Call, verb: str) -> None:
    service = MemoryService()
    for user in (ALICE, BOB):
        memorized(service, user)
    with pytest.raises(ScopeError, match="2 scopes") as raised:
        call(service, verb)
    assert isinstance(raised.value, ValueError)


def test_items_may_be_filtered(call: Call) -> None:
    service = MemoryService()
    created(service, "Alice plays the cello")
    created(service, "Alice knows Latin", memory_type="knowledge", category="knowledge")
    for where, known in (
        ({"memory_type": "knowledge"}, ["Alice knows Latin"]),
        ({"category": "activities"}, ["Alice plays the cello"]),
        ({"memory_type__ne": "knowledge"}, ["Alice plays the cello"]),
        ({"memory_type": "event"}, []),
    ):
        answer = call(service, "list_memory_items", {**ALICE, **where})
        assert [item["summary"] for item in answer["items"]] == known


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"limit": 0}, InputError, "limit is 0; it must be from 1"),
        ({"limit": -1}, InputError, "limit"),
        ({"limit": 10_001}, InputError, "limit is 10001"),
        ({"cursor": "zz"}, InputError, "not a cursor"),
        ({"where": {"user_id": None}}, FilterError, "user_id is null"),
        ({"where": {"nobody": "x"}}, FilterError, 'unknown filter field "nobody"'),
        ({"where": {"user_id__like": "x"}}, FilterError, "unknown operator"),
    ],
)
def test_what_is_not_understood_is_refused(
    call: Call, verb: str, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    service = MemoryService()
    memorized(service)
    with pytest.raises(error, match=message) as raised:
        call(service, verb, **{"where": ALICE, **options})
    assert isinstance(raised.value, ValueError)


def test_a_time_without_a_zone_is_utc(service: MemoryService) -> None:
    created(service, "Alice plays the cello")
    now = datetime.now(UTC).replace(tzinfo=None)
    for moment, expected in ((now - timedelta(minutes=1), 1), (now + timedelta(minutes=1), 0)):
        where = {**ALICE, "created_at__gt": moment}
        assert len(service.sync.list_memory_items(where)["items"]) == expected
