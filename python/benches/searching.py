"""How fast the nearest of many vectors are found."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from statistics import mean, median

import numpy as np
from material import DIMENSION, Matrix, gaussian, sentences
from memu.database.sqlite import SQLiteStore, build_sqlite_database
from row import Row
from sizes import Sizes

USER = {"user_id": "nora"}
TOP_K = 10
# How many are stored at once.
BATCH = 1_000


# What vectors there are, by the kind that the measurement is called after.
KINDS: dict[str, Callable[[int, int], Matrix]] = {"sentences": sentences, "gaussian": gaussian}


def search_name(sizes: Sizes, kind: str) -> str:
    """What the measurement is called."""
    return f"vector_search_items, {sizes.vectors} × {DIMENSION}, {kind}"


def searches(sizes: Sizes, kind: str, folder: Path) -> list[Row]:
    """``vector_search_items`` beside NumPy, which has the vectors in memory."""
    matrix = KINDS[kind](1, sizes.vectors)
    queries = KINDS[kind](2, (sizes.rounds + 1) * sizes.searches)
    with open_store(folder / f"search-{kind}.db") as store:
        ids = _fill(store, matrix)
        repository = store.memory_item_repo
        ours: list[float] = []
        numpy: list[float] = []
        recalls: list[float] = []
        # The first round warms both.
        for start in range(0, len(queries), sizes.searches):
            turn = queries[start : start + sizes.searches]
            found: list[set[str]] = []
            for query in turn:
                began = time.perf_counter()
                nearest = repository.vector_search_items(query, TOP_K, USER)
                ours.append((time.perf_counter() - began) * 1e3)
                found.append({id for id, _ in nearest})
            for query, known in zip(turn, found, strict=True):
                began = time.perf_counter()
                rows = _by_numpy(matrix, query)
                numpy.append((time.perf_counter() - began) * 1e3)
                recalls.append(len(known & {ids[row] for row in rows}) / len(rows))
    name = search_name(sizes, kind)
    first = sizes.searches
    return [
        Row(name, median(ours[first:]), "ms").beside({"numpy": median(numpy[first:])}),
        Row(f"{name}, recall", mean(recalls), "share").beside({"numpy": 1.0}),
    ]


def open_store(path: Path) -> SQLiteStore:
    """A new memory in a file."""
    return build_sqlite_database(config={"metadata_store": {"dsn": f"sqlite:///{path}"}})


def _fill(store: SQLiteStore, matrix: Matrix) -> list[str]:
    ids: list[str] = []
    for start in range(0, len(matrix), BATCH):
        items = [
            {
                "memory_type": "knowledge",
                "summary": f"Thing {start + number} was seen.",
                "embedding": vector,
                "user_data": USER,
            }
            for number, vector in enumerate(matrix[start : start + BATCH])
        ]
        ids += [item.id for item in store.memory_item_repo.create_items(items)]
    return ids


def _by_numpy(matrix: Matrix, query: Matrix) -> list[int]:
    k = min(TOP_K, len(matrix))
    scores = matrix @ query
    top = np.argpartition(scores, -k)[-k:]
    return [int(row) for row in top[np.argsort(-scores[top])]]
