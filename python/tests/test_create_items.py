"""Many memories at once, put into the store below the verbs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from support import ALICE, BOB

from memu.database import Database, build_database
from memu.database.models import MemoryItem
from memu.errors import ConflictError, InputError

# More than a transaction takes.
MANY = 1_200


@pytest.fixture
def database(store: dict[str, Any] | None) -> Iterator[Database]:
    """An empty store of each kind."""
    with build_database(config=store) as database:
        yield database


def given(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "memory_type": "knowledge",
        "summary": f"memory {number}",
        "embedding": [float(number), 1.0],
        "user_data": ALICE,
        **changes,
    }


def test_all_are_kept_as_they_are_told(database: Database) -> None:
    repo = database.memory_item_repo
    array = np.array([3.0, 4.0], dtype=np.float32)
    items = [given(number) for number in range(MANY)]
    items += [
        given(MANY, user_data=BOB, embedding=array, extra={"a": 1}, id="own"),
        given(MANY + 1, user_data=BOB, embedding=None),
    ]
    made = repo.create_items(items)
    assert all(isinstance(item, MemoryItem) for item in made)
    assert [item.summary for item in made] == [item["summary"] for item in items]
    # Vectors are the caller's own, whatever they are.
    assert all(item.embedding is given["embedding"] for item, given in zip(made, items, strict=True))
    assert (made[-2].id, made[-2].extra) == ("own", {"a": 1})
    stored = repo.list_items(ALICE) | repo.list_items(BOB)
    assert set(stored) == {item.id for item in made}
    assert stored["own"].embedding == [3.0, 4.0]
    for item in made[:MANY]:
        assert stored[item.id] == item
    assert repo.create_items([]) == []


def test_whose_a_memory_is_is_read_when_its_turn_comes(database: Database) -> None:
    user: dict[str, Any] = {}

    def of_both() -> Iterator[dict[str, Any]]:
        for name in ("alice", "bob"):
            user["user_id"] = name
            yield given(1, summary=name, user_data=user)

    alices, bobs = database.memory_item_repo.create_items(of_both())
    assert database.memory_item_repo.list_items(ALICE) == {alices.id: alices}
    assert database.memory_item_repo.list_items(BOB) == {bobs.id: bobs}


def test_those_before_one_whose_id_is_taken_stay(database: Database) -> None:
    repo = database.memory_item_repo
    repo.create_items([given(0, id="taken")])
    items = [given(number, id=f"item-{number}") for number in range(1, MANY)]
    with pytest.raises(ConflictError):
        repo.create_items([*items, given(MANY, id="taken")])
    stored = repo.list_items(ALICE)
    assert set(stored) == {"taken", *(f"item-{number}" for number in range(1, 1_001))}
    assert stored["taken"].summary == "memory 0"


@pytest.mark.parametrize(
    "unfit",
    [{"embedding": [float("nan"), 1.0]}, {"reinforce": True}, {"id": "control\x07character"}],
)
def test_nothing_is_stored_where_one_is_unfit(database: Database, unfit: dict[str, Any]) -> None:
    repo = database.memory_item_repo
    items = [given(number) for number in range(MANY)]
    with pytest.raises(InputError):
        repo.create_items([*items, given(MANY, **unfit)])
    assert database.items == {}


def test_where_the_caller_is_interrupted_whole_transactions_are_stored(
    database: Database, store: dict[str, Any] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = database.memory_item_repo

    def interrupted(**_: Any) -> MemoryItem:
        raise KeyboardInterrupt

    # What is made of the records is made while they are stored.
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(MemoryItem, "model_construct", interrupted)
        repo.create_items([given(number) for number in range(2 * MANY)])
    stored = len(database.items)
    # Memory has taken all by then, other stores are at the first thousand.
    assert stored == (1_000 if store else 2 * MANY)
    # Nothing is stored after the caller was told.
    repo.create_items([given(number) for number in range(10)])
    assert len(database.items) == stored + 10
