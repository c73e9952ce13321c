"""Records are pydantic models that carry the fields of their scope."""

from __future__ import annotations

import copy
import hashlib
import json
import pickle
import uuid
from datetime import UTC, datetime, timedelta
from typing import get_args

import numpy as np
import pytest
from pydantic import BaseModel, ValidationError

from memu.app.settings import DefaultUserModel
from memu.database.inmemory import build_inmemory_database
from memu.database.models import (
    BaseRecord,
    CategoryItem,
    MemoryCategory,
    MemoryItem,
    MemoryType,
    Resource,
    ToolCallResult,
    build_scoped_models,
    compute_content_hash,
    merge_scope_model,
)


class Agent(BaseModel):
    """A scope of two fields."""

    user_id: str | None = None
    agent_id: str | None = None


class Clashing(BaseModel):
    """A scope with fields that records have."""

    summary: str | None = None
    id: str | None = None


def test_a_record_has_an_id_and_times_in_utc() -> None:
    one, other = BaseRecord(), BaseRecord()
    assert uuid.UUID(one.id).version == 4
    assert one.id != other.id
    for time in (one.created_at, one.updated_at):
        assert time.tzinfo is UTC
        assert datetime.now(UTC) - time < timedelta(minutes=1)


def test_records_have_the_fields_of_memu() -> None:
    item = MemoryItem(resource_id=None, memory_type="event", summary="Rows")
    assert (item.embedding, item.happened_at, item.extra) == (None, None, {})
    resource = Resource(url="a.json", modality="conversation", local_path="a.json")
    assert (resource.caption, resource.embedding) == (None, None)
    category = MemoryCategory(name="activities", description="")
    assert (category.summary, category.embedding) == (None, None)
    relation = CategoryItem(item_id="i", category_id="c")
    assert set(relation.model_dump()) == {
        "id",
        "created_at",
        "updated_at",
        "item_id",
        "category_id",
    }
    assert set(get_args(MemoryType)) == {
        "profile",
        "event",
        "knowledge",
        "behavior",
        "skill",
        "tool",
    }


def test_records_do_not_share_their_details() -> None:
    one = MemoryItem(resource_id=None, memory_type="event", summary="Rows")
    one.extra["ref_id"] = "a"
    assert MemoryItem(resource_id=None, memory_type="event", summary="Rows").extra == {}


def test_vectors_that_are_arrays_are_written_as_lists() -> None:
    vector = np.array([0.5, 0.25], dtype=np.float32)
    with build_inmemory_database() as database:
        given = {"memory_type": "profile", "summary": "Alice sings", "embedding": vector}
        (item,) = database.memory_item_repo.create_items([given])
    kept: object = item.embedding
    assert kept is vector
    assert json.loads(item.model_dump_json())["embedding"] == [0.5, 0.25]
    assert item.model_dump()["embedding"] == [0.5, 0.25]
    assert MemoryItem.model_validate(item.model_dump()).embedding == [0.5, 0.25]


def test_a_record_without_what_it_needs_is_refused() -> None:
    with pytest.raises(ValidationError, match="summary"):
        MemoryItem.model_validate({"resource_id": None, "memory_type": "event"})
    with pytest.raises(ValueError, match="created_at"):
        CategoryItem.model_validate({"item_id": "i", "category_id": "c", "created_at": "soon"})


def test_the_content_hash_is_that_of_memu() -> None:
    expected = hashlib.sha256(b"profile:i love coffee").hexdigest()[:16]
    assert compute_content_hash("I love coffee", "profile") == expected
    assert compute_content_hash("  i   LOVE\n coffee ", "profile") == expected
    assert compute_content_hash("I love coffee", "event") != expected


def test_the_hash_of_a_tool_call_is_that_of_memu() -> None:
    call = ToolCallResult(tool_name="tides", input={"port": "Kiel ü", "days": [1]}, output="low")
    given = json.dumps(call.input, sort_keys=True)
    assert call.generate_hash() == hashlib.md5(f"tides|{given}|low".encode()).hexdigest()
    # The order of keys is no difference, another value is one.
    reordered = ToolCallResult(
        tool_name="tides", input={"days": [1], "port": "Kiel ü"}, output="low"
    )
    assert reordered.generate_hash() == call.generate_hash()
    assert ToolCallResult(tool_name="tides", output="low").generate_hash() != call.generate_hash()
    # As the core's own test has it.
    text = ToolCallResult(tool_name="tides", input="Kiel", output="low")
    assert text.generate_hash() == "b60d0e16c6ecad853005dc29c887f464"


def test_a_hash_that_is_there_stays() -> None:
    call = ToolCallResult(tool_name="tides")
    assert call.call_hash == ""
    call.ensure_hash()
    assert call.call_hash == call.generate_hash()
    call.call_hash = "mine"
    call.ensure_hash()
    assert call.call_hash == "mine"


def test_scoped_records_have_both_kinds_of_fields_and_keep_others() -> None:
    resource, category, item, relation = build_scoped_models(Agent)
    bases = (Resource, MemoryCategory, MemoryItem, CategoryItem)
    for model, base in zip((resource, category, item, relation), bases, strict=True):
        assert issubclass(model, base)
        assert issubclass(model, Agent)
    record = item.model_validate(
        {
            "resource_id": None,
            "memory_type": "event",
            "summary": "Rows",
            "user_id": "alice",
            "agent_id": "a1",
            "revision": 3,
        }
    )
    assert record.model_dump(include={"user_id", "agent_id", "revision", "summary"}) == {
        "user_id": "alice",
        "agent_id": "a1",
        "revision": 3,
        "summary": "Rows",
    }


def test_a_scope_may_not_have_fields_of_records() -> None:
    with pytest.raises(TypeError, match=r"\['id', 'summary'\]"):
        merge_scope_model(Clashing, MemoryItem, name_suffix="")
    with pytest.raises(TypeError, match="id"):
        build_scoped_models(Clashing)


def test_the_same_scope_gives_the_same_classes() -> None:
    assert build_scoped_models(Agent) == build_scoped_models(Agent)
    assert build_scoped_models(Agent) != build_scoped_models(DefaultUserModel)


def test_scoped_records_can_be_pickled_and_copied() -> None:
    item = build_scoped_models(DefaultUserModel)[2]
    record = item.model_validate(
        {
            "resource_id": None,
            "memory_type": "event",
            "summary": "Rows",
            "user_id": "alice",
            "revision": 3,
            "embedding": [0.5, 0.25],
        }
    )
    for same in (pickle.loads(pickle.dumps(record)), copy.copy(record), copy.deepcopy(record)):
        assert type(same) is item
        assert same == record
        assert same.model_dump() == record.model_dump()
