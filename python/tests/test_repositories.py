"""The store below the verbs: what is put there is kept as it is."""

from __future__ import annotations

import array
import math
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from pydantic import BaseModel
from support import ALICE, BOB, NOBODY

from memu import MemoryService
from memu.database import Database, build_database
from memu.database.models import (
    CategoryItem,
    MemoryCategory,
    MemoryItem,
    Resource,
    compute_content_hash,
)
from memu.errors import (
    ConflictError,
    FilterError,
    InputError,
    MemuError,
    NotFoundError,
    ScopeError,
    StorageError,
)


@pytest.fixture
def database(store: dict[str, Any] | None) -> Iterator[Database]:
    """An empty store of each kind."""
    with build_database(config=store) as database:
        yield database


def put(database: Database, summary: Any = "Alice plays the cello", **changes: Any) -> MemoryItem:
    arguments: dict[str, Any] = {"memory_type": "profile", "user_data": ALICE, **changes}
    arguments["summary"] = summary
    return database.memory_item_repo.create_item(**arguments)


def test_a_resource_is_kept_as_it_is(database: Database) -> None:
    resource = database.resource_repo.create_resource(
        id="resource-1",
        url="notes.txt",
        modality="document",
        local_path="/data/notes.txt",
        caption="Notes",
        embedding=[1.0, 0.5],
        user_data=ALICE,
    )
    assert isinstance(resource, Resource)
    assert (resource.id, resource.url, resource.modality) == ("resource-1", "notes.txt", "document")
    assert (resource.local_path, resource.caption) == ("/data/notes.txt", "Notes")
    assert resource.embedding == [1.0, 0.5]
    assert resource.model_dump()["user_id"] == "alice"
    assert resource.created_at.utcoffset() == timedelta(0)
    assert database.resources == {"resource-1": resource}
    assert database.resource_repo.list_resources(ALICE) == {"resource-1": resource}
    assert database.resource_repo.list_resources({**ALICE, "modality": "image"}) == {}
    assert database.resource_repo.clear_resources(ALICE) == {"resource-1": resource}
    assert database.resources == {}


def test_an_item_is_kept_as_it_is(database: Database) -> None:
    resource = database.resource_repo.create_resource(
        url="notes.txt", modality="document", user_data=ALICE
    )
    item = put(
        database,
        id="item-1",
        resource_id=resource.id,
        embedding=[1.0, 0.5],
        extra={"tags": ["a"]},
        happened_at="2024-05-06T07:08:00",
    )
    assert isinstance(item, MemoryItem)
    assert (item.id, item.resource_id, item.memory_type) == ("item-1", resource.id, "profile")
    assert item.summary == "Alice plays the cello"
    assert item.happened_at == datetime(2024, 5, 6, 7, 8)
    assert item.extra == {"tags": ["a"]}
    assert database.memory_item_repo.get_item("item-1") == item
    assert database.memory_item_repo.get_item(NOBODY) is None
    assert database.items == {"item-1": item}


def test_an_item_changes_by_what_is_named(database: Database) -> None:
    repo = database.memory_item_repo
    item = put(database, embedding=[1.0, 0.0], extra={"a": 1, "b": 1})
    changed = repo.update_item(item_id=item.id, summary="Alice plays the viola", extra={"b": 2})
    assert (changed.summary, changed.memory_type) == ("Alice plays the viola", "profile")
    assert (changed.extra["a"], changed.extra["b"]) == (1, 2)
    assert changed.created_at == item.created_at
    assert changed.updated_at >= item.updated_at
    changed = repo.update_item(item_id=item.id, memory_type="skill", embedding=[0.0, 1.0])
    assert (changed.memory_type, changed.embedding) == ("skill", [0.0, 1.0])
    assert repo.get_item(item.id) == changed
    repo.delete_item(item.id)
    assert repo.get_item(item.id) is None
    repo.delete_item(item.id)
    with pytest.raises(NotFoundError) as raised:
        repo.update_item(item_id=item.id, summary="x")
    assert isinstance(raised.value, KeyError)


def test_an_equal_memory_is_counted_where_that_is_wanted(database: Database) -> None:
    first = put(database, reinforce=True)
    second = put(database, "Alice  plays the CELLO", reinforce=True)
    assert second.id == first.id
    assert second.extra["reinforcement_count"] == 2
    assert second.extra["content_hash"] == compute_content_hash(first.summary, "profile")
    assert len(database.items) == 1
    assert put(database).id != first.id


def test_items_are_found_by_what_summaries_cite(database: Database) -> None:
    repo = database.memory_item_repo
    item = put(database)
    other = put(database, "Bob rests", user_data=BOB)
    assert repo.list_items_by_ref_ids([item.id[:6]], ALICE) == {item.id: item}
    assert repo.list_items_by_ref_ids([item.id, other.id], ALICE) == {item.id: item}
    assert repo.list_items_by_ref_ids(["zzzzzz"], ALICE) == {}
    assert repo.list_items_by_ref_ids([], ALICE) == {}


def test_a_category_is_made_once(database: Database) -> None:
    repo = database.memory_category_repo
    category = repo.get_or_create_category(
        name="music",
        description="What is played",
        embedding=[0.5, 1.0],
        user_data=ALICE,
        summary="She plays.",
        id="category-1",
    )
    assert isinstance(category, MemoryCategory)
    assert (category.id, category.name) == ("category-1", "music")
    assert (category.description, category.summary) == ("What is played", "She plays.")
    again = repo.get_or_create_category(name="music", description="Other", user_data=ALICE)
    assert again == category
    assert repo.get_or_create_category(name="music", user_data=BOB).id != category.id
    second = repo.create_category(name="music", user_data=ALICE)
    assert second.id != category.id
    changed = repo.update_category(category_id="category-1", summary="She plays the cello.")
    assert (changed.summary, changed.name) == ("She plays the cello.", "music")
    assert repo.list_categories(ALICE) == {"category-1": changed, second.id: second}
    with pytest.raises(NotFoundError):
        repo.update_category(category_id=NOBODY, name="x")
    assert set(repo.clear_categories(ALICE)) == {"category-1", second.id}
    assert len(database.categories) == 1


def test_items_are_filed_and_taken_out(database: Database) -> None:
    repo = database.category_item_repo
    item = put(database)
    category = database.memory_category_repo.get_or_create_category(name="music", user_data=ALICE)
    relation = repo.link_item_category(item.id, category.id, ALICE)
    assert isinstance(relation, CategoryItem)
    assert (relation.item_id, relation.category_id) == (item.id, category.id)
    assert repo.link_item_category(item.id, category.id, user_data=ALICE) == relation
    assert database.relations == repo.list_relations(ALICE) == [relation]
    assert repo.get_item_categories(item.id) == [relation]
    assert repo.get_item_categories(NOBODY) == []
    for linked, to, whose in (
        (item.id, NOBODY, ALICE),
        (NOBODY, category.id, ALICE),
        (item.id, category.id, BOB),
    ):
        with pytest.raises(NotFoundError):
            repo.link_item_category(linked, to, whose)
    repo.unlink_item_category(item.id, category.id)
    repo.unlink_item_category(item.id, category.id)
    assert database.relations == []


def test_a_deleted_item_takes_its_relations_with_it(database: Database) -> None:
    item = put(database)
    category = database.memory_category_repo.get_or_create_category(name="music", user_data=ALICE)
    database.category_item_repo.link_item_category(item.id, category.id, ALICE)
    database.memory_item_repo.delete_item(item.id)
    assert database.relations == []
    assert set(database.categories) == {category.id}


def test_lists_and_clears_look_at_the_conditions(database: Database) -> None:
    repo = database.memory_item_repo
    profile, event = put(database), put(database, "Alice moved", memory_type="event")
    bobs = put(database, "Bob rests", user_data=BOB)
    assert set(database.items) == {profile.id, event.id, bobs.id}
    assert set(repo.list_items(ALICE)) == {profile.id, event.id}
    assert set(repo.list_items({**ALICE, "memory_type": "event"})) == {event.id}
    assert set(repo.list_items({"user_id__in": ["alice", "bob"]})) == set(database.items)
    with pytest.raises(ScopeError):
        repo.list_items()
    with pytest.raises(ScopeError):
        repo.clear_items()
    for where in ({"nobody": 1}, {"user_id": None}, {"user_id__like": "a"}):
        with pytest.raises(FilterError):
            repo.list_items(where)
        with pytest.raises(FilterError):
            repo.clear_items(where)
    assert set(repo.clear_items({**ALICE, "memory_type": "event"})) == {event.id}
    assert set(database.items) == {profile.id, bobs.id}


def test_what_others_write_is_seen_after_load_existing(store: dict[str, Any] | None) -> None:
    service = MemoryService(database_config=store)
    database = service.database
    database.load_existing()
    assert database.items == {}
    created = service.sync.create_memory_item(
        memory_type="profile", memory_content="Alice rests", user=ALICE
    )["memory_item"]
    database.load_existing()
    assert database.items[created["id"]].summary == "Alice rests"
    service.sync.delete_memory_item(memory_id=created["id"], user=ALICE)
    assert database.items == {}
    service.sync.close()


@pytest.mark.parametrize(
    "given",
    [
        [1.0, 0.25],
        (1, 0.25),
        np.array([1, 0.25], dtype=np.float32),
        np.array([1, 0.25], dtype=np.float64),
        np.array([1, 0.25], dtype=np.float16),
        np.array([1, 9, 0.25, 9], dtype=np.float32)[::2],
        array.array("f", [1, 0.25]),
        array.array("d", [1, 0.25]),
        memoryview(array.array("f", [1, 0.25])),
    ],
    ids=["list", "tuple", "f32", "f64", "f16", "strided", "array f", "array d", "memoryview"],
)
def test_vectors_come_as_lists_arrays_or_buffers(given: Any) -> None:
    database = build_database()
    item = put(database, embedding=given)
    assert item.embedding == [1.0, 0.25]
    assert database.items[item.id].embedding == [1.0, 0.25]
    ((found, score),) = database.memory_item_repo.vector_search_items(given, 1, ALICE)
    assert found == item.id
    assert score == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ([1.0, math.nan], InputError),
        ([math.inf, 1.0], InputError),
        ([0.0, 0.0], InputError),
        ([], InputError),
        (np.ones((1, 2), dtype=np.float32), ValueError),
        (["a"], TypeError),
        ("ab", TypeError),
        (b"\0\0\x80?", TypeError),
    ],
    ids=["nan", "infinite", "zeros", "empty", "matrix", "texts", "text", "bytes"],
)
def test_what_is_no_vector_is_neither_kept_nor_sought(given: Any, error: type[Exception]) -> None:
    database = build_database()
    with pytest.raises(error):
        put(database, embedding=given)
    assert database.items == {}
    put(database, embedding=[1.0, 0.0])
    with pytest.raises(error):
        database.memory_item_repo.vector_search_items(given, 1, ALICE)


def cosine(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True)) / (math.hypot(*a) * math.hypot(*b))


def test_the_nearest_vectors_are_those_of_the_plain_cosine(database: Database) -> None:
    chance = random.Random(7)
    vectors = {
        put(database, f"Fact {number}", embedding=vector).id: vector
        for number, vector in enumerate(
            [[chance.gauss(0, 1) for _ in range(16)] for _ in range(60)]
        )
    }
    put(database, "Bob's fact", embedding=[1.0] * 16, user_data=BOB)
    put(database, "A fact without a vector")
    for _ in range(5):
        query = [chance.gauss(0, 1) for _ in range(16)]
        scores = {id: cosine(query, vector) for id, vector in vectors.items()}
        best = sorted(scores, key=lambda id: -scores[id])[:10]
        found = database.memory_item_repo.vector_search_items(query, 10, ALICE)
        assert [id for id, _ in found] == best
        assert [score for _, score in found] == pytest.approx([scores[id] for id in best], abs=1e-5)


def test_salience_weighs_how_often_a_memory_was_met(database: Database) -> None:
    vectors = {"often": [1.0, 0.5], "once": [1.0, 0.0], "seldom": [1.0, 0.25]}
    times = {"often": 9, "once": 1, "seldom": 2}
    ids: dict[str, str] = {}
    for name, vector in vectors.items():
        for _ in range(times[name]):
            ids[name] = put(database, f"Met {name}", embedding=vector, reinforce=True).id
    query = [1.0, 0.0]
    expected = {
        ids[name]: cosine(query, vector) * math.log(1 + times[name])
        for name, vector in vectors.items()
    }
    search = database.memory_item_repo.vector_search_items
    found = search(query, 3, ALICE, ranking="salience", recency_decay_days=30.0)
    assert [id for id, _ in found] == sorted(expected, key=lambda id: -expected[id])
    assert dict(found) == pytest.approx(expected, rel=1e-3)
    assert [id for id, _ in search(query, 3, ALICE)] == [ids["once"], ids["seldom"], ids["often"]]


def test_a_search_looks_at_the_conditions(database: Database) -> None:
    search = database.memory_item_repo.vector_search_items
    put(database, embedding=[1.0, 0.0])
    event = put(database, "Alice moved", embedding=[1.0, 0.5], memory_type="event")
    assert [id for id, _ in search([1.0, 0.0], 5, {**ALICE, "memory_type": "event"})] == [event.id]
    assert search([1.0, 0.0], 5, {"user_id": "nobody"}) == []
    assert len(search([1.0, 0.0], 5)) == 2
    put(database, "Bob rests", embedding=[1.0, 0.0], user_data=BOB)
    with pytest.raises(ScopeError):
        search([1.0, 0.0], 5)


@pytest.mark.parametrize(
    "change",
    [
        {"top_k": 0},
        {"top_k": -1},
        {"ranking": "best"},
        {"ranking": "salience", "recency_decay_days": 0.0},
    ],
)
def test_searches_of_no_use_are_refused(change: dict[str, Any]) -> None:
    database = build_database()
    put(database, embedding=[1.0, 0.0])
    arguments: dict[str, Any] = {"query_vec": [1.0, 0.0], "top_k": 1, "where": ALICE, **change}
    with pytest.raises(InputError):
        database.memory_item_repo.vector_search_items(**arguments)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"id": "taken"}, ConflictError),
        ({"id": ""}, InputError),
        ({"id": "x" * 300}, InputError),
        ({"resource_id": NOBODY}, NotFoundError),
        ({"user_data": {"team": "x"}}, ScopeError),
        ({"happened_at": "never"}, InputError),
        ({"summary": None}, InputError),
    ],
)
def test_items_that_cannot_be_put_change_nothing(
    database: Database, change: dict[str, Any], error: type[MemuError]
) -> None:
    put(database, id="taken")
    before = database.items
    with pytest.raises(error):
        put(database, **{"summary": "Alice rests", **change})
    assert database.items == before


def test_a_scope_of_two_fields(store: dict[str, Any] | None) -> None:
    with build_database(config=store, user_model=AgentScope) as database:
        whose = {"user_id": "alice", "agent_id": "cook"}
        item = put(database, user_data=whose)
        assert item.model_dump()["agent_id"] == "cook"
        put(database, user_data={"user_id": "alice", "agent_id": "guide"})
        assert set(database.memory_item_repo.list_items({"agent_id": "cook"})) == {item.id}
        assert len(database.memory_item_repo.list_items({"user_id": "alice"})) == 2


class AgentScope(BaseModel):
    user_id: str | None = None
    agent_id: str | None = None


def test_a_closed_store_says_so(database: Database) -> None:
    database.close()
    with pytest.raises(StorageError, match="closed"):
        put(database)
    with pytest.raises(StorageError, match="closed"):
        assert database.items


def test_times_of_the_caller_are_kept_in_details(database: Database) -> None:
    at = datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
    item = put(database, extra={"created_at": at})
    assert item.extra["created_at"] == at.isoformat()
