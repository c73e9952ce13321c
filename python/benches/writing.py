"""How fast memories are stored, each of them on the disk before the call returns."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from material import Texts, gaussian
from memu.app import MemoryService
from memu.app.service import SyncMemoryService
from row import Row
from searching import USER, open_store
from sizes import Sizes
from stand_in import Keeper, Sqlite, StandIn

STAND_IN = "stand-in for memU 1.x"
SQLITE = "its rows by sqlite3 alone"


def one_by_one_name(sizes: Sizes) -> str:
    """What the measurement is called."""
    return f"create_item, {sizes.rounds * sizes.ones} one by one, durable"


def batches_name(sizes: Sizes) -> str:
    """What the measurement is called."""
    return f"create_items, batches of {sizes.batch}"


def verb_name(sizes: Sizes) -> str:
    """What the measurement is called."""
    return f"create_memory_item, {sizes.rounds * sizes.ones} one by one, durable"


def batch_verb_name(sizes: Sizes) -> str:
    """What the measurement is called."""
    return f"create_memory_items, batches of {sizes.batch}"


def one_by_one(sizes: Sizes, folder: Path) -> list[Row]:
    """``create_item`` of the repository, with vectors that the caller has."""
    with open_store(folder / "one-by-one.db") as store:

        def ours(items: list[dict[str, Any]]) -> None:
            for item in items:
                store.memory_item_repo.create_item(**item)

        return [_rates(one_by_one_name(sizes), sizes, folder, sizes.ones, ours)]


def batches(sizes: Sizes, folder: Path) -> list[Row]:
    """``create_items`` of the repository, with vectors that the caller has."""
    with open_store(folder / "batches.db") as store:

        def ours(items: list[dict[str, Any]]) -> None:
            store.memory_item_repo.create_items(items)

        return [_rates(batches_name(sizes), sizes, folder, sizes.batch, ours)]


def verb(sizes: Sizes, folder: Path) -> list[Row]:
    """``create_memory_item`` of the service, which makes the vector and files the memory.

    The others are handed their vectors, and file each memory with a second commit.
    """
    with _service(folder / "verb.db") as service:

        def ours(items: list[dict[str, Any]]) -> None:
            for item in items:
                service.create_memory_item(**_request(item), user=USER, propagate=False)

        return [_rates(verb_name(sizes), sizes, folder, sizes.ones, ours, is_filed=True)]


def batch_verb(sizes: Sizes, folder: Path) -> list[Row]:
    """``create_memory_items`` of the service; as `verb`."""
    with _service(folder / "batch-verb.db") as service:

        def ours(items: list[dict[str, Any]]) -> None:
            service.create_memory_items(map(_request, items), user=USER, propagate=False)

        return [_rates(batch_verb_name(sizes), sizes, folder, sizes.batch, ours, is_filed=True)]


def _service(path: Path) -> SyncMemoryService:
    store = {"provider": "sqlite", "dsn": f"sqlite:///{path}"}
    return MemoryService(database_config={"metadata_store": store}).sync


def _request(item: dict[str, Any]) -> dict[str, Any]:
    return {"memory_type": item["memory_type"], "memory_content": item["summary"]}


def _rates(
    name: str,
    sizes: Sizes,
    folder: Path,
    count: int,
    ours: Callable[[list[dict[str, Any]]], None],
    *,
    is_filed: bool = False,
) -> Row:
    """Memories per second, ``count`` in each turn; the others have ``sizes.ones`` in their own."""
    texts = Texts(3)
    file = folder / name.split(",")[0]
    others: dict[str, Keeper] = {
        STAND_IN: StandIn(file.with_suffix(".stand-in")),
        SQLITE: Sqlite(file.with_suffix(".sqlite3")),
    }
    rates: list[float] = []
    beside: dict[str, list[float]] = {who: [] for who in others}
    # The first round makes the scope and warms all.
    for turn in range(sizes.rounds + 1):
        # Lists, as services for embeddings answer.
        items: list[dict[str, Any]] = [
            {
                "memory_type": "knowledge",
                "summary": texts.sentence(),
                "embedding": vector.tolist(),
                "user_data": USER,
            }
            for vector in gaussian(turn, max(count, sizes.ones))
        ]
        began = time.perf_counter()
        ours(items[:count])
        rates.append(count / (time.perf_counter() - began))
        for who, keeper in others.items():
            began = time.perf_counter()
            for item in items[: sizes.ones]:
                id = keeper.create_item(item["summary"], item["embedding"])
                if is_filed:
                    keeper.file(id)
            beside[who].append(sizes.ones / (time.perf_counter() - began))
    for keeper in others.values():
        keeper.close()
    middle = {who: median(known[1:]) for who, known in beside.items()}
    return Row(name, median(rates[1:]), "items/s").beside(middle)
