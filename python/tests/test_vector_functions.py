"""Functions on vectors at hand, beside the same in plain Python."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from memu import MemoryService
from memu.database.inmemory import build_inmemory_database
from memu.database.inmemory.vector import (
    cosine_topk,
    cosine_topk_salience,
    query_cosine,
    salience_score,
)
from memu.database.models import compute_content_hash
from memu.errors import InputError


def cosine(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True)) / (math.hypot(*a) * math.hypot(*b))


def vectors(count: int) -> list[list[float]]:
    chance = random.Random(11)
    return [[chance.gauss(0, 1) for _ in range(24)] for _ in range(count)]


@pytest.mark.parametrize("dtype", [None, np.float32, np.float64])
def test_the_greatest_cosines_come_first(dtype: Any) -> None:
    query, *plain = vectors(41)
    corpus: list[Any] = plain if dtype is None else [np.array(one, dtype=dtype) for one in plain]
    found = cosine_topk(query, [(str(place), one) for place, one in enumerate(corpus)], k=7)
    scores = {str(place): cosine(query, one) for place, one in enumerate(plain)}
    best = sorted(scores, key=lambda id: -scores[id])[:7]
    assert [id for id, _ in found] == best
    assert [score for _, score in found] == pytest.approx([scores[id] for id in best], abs=1e-5)


def test_any_iterable_is_a_corpus_and_five_are_the_default() -> None:
    query, *rest = vectors(20)
    ids = map(str, range(len(rest)))
    assert len(cosine_topk(np.asarray(query), zip(ids, np.asarray(rest), strict=True))) == 5


def test_entries_without_a_vector_are_passed_over() -> None:
    corpus = [("none", None), ("same", [1.0, 0.0]), ("across", [0.0, 1.0])]
    assert cosine_topk([1.0, 0.0], corpus) == [("same", 1.0), ("across", 0.0)]
    assert cosine_topk([1.0, 0.0], []) == []
    assert cosine_topk([1.0, 0.0], corpus, k=0) == []


def test_vectors_of_another_length_have_a_cosine_of_zero() -> None:
    assert cosine_topk([1.0, 0.0], [("long", [1.0, 0.0, 0.0])]) == [("long", 0.0)]
    assert cosine_topk([1.0, 0.0], [("zeros", [0.0, 0.0])]) == [("zeros", 0.0)]


def test_the_cosine_with_each_vector() -> None:
    query, *rest = vectors(9)
    found = query_cosine(query, rest)
    assert sorted(place for place, _ in found) == list(range(8))
    for place, score in found:
        assert score == pytest.approx(cosine(query, rest[place]), abs=1e-5)
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)


@pytest.mark.parametrize(
    ("similarity", "count", "days", "decay"),
    [(0.8, 0, 0.0, 30.0), (0.8, 1, 0.0, 30.0), (0.5, 7, 30.0, 30.0), (-0.5, 3, 90.0, 10.0)],
)
def test_salience_is_similarity_times_frequency_times_recency(
    similarity: float, count: int, days: float, decay: float
) -> None:
    expected = similarity * math.log(1 + count) * 0.5 ** (days / decay)
    at = datetime.now(UTC) - timedelta(days=days)
    assert salience_score(similarity, count, at, decay) == pytest.approx(expected, rel=1e-4)
    naive = at.replace(tzinfo=None)
    assert salience_score(similarity, count, naive, decay) == pytest.approx(expected, rel=1e-4)


def test_where_nobody_knows_when_a_memory_was_met_it_counts_half() -> None:
    assert salience_score(0.8, 3, None) == pytest.approx(0.8 * math.log(4) * 0.5)


@pytest.mark.parametrize("decay", [0.0, -1.0, math.nan])
def test_a_decay_must_be_above_zero(decay: float) -> None:
    with pytest.raises(ValueError, match="recency_decay_days"):
        salience_score(0.8, 3, datetime.now(UTC), decay)
    with pytest.raises(ValueError, match="recency_decay_days"):
        cosine_topk_salience([1.0], [("a", [1.0], 1, None)], 1, decay)


def test_salience_orders_a_corpus() -> None:
    query, *rest = vectors(31)
    now = datetime.now(UTC)
    corpus = [
        (str(place), one, place % 5, None if place % 7 == 0 else now - timedelta(days=place))
        for place, one in enumerate(rest)
    ]
    scores = {
        id: salience_score(cosine(query, one), count, last) for id, one, count, last in corpus
    }
    best = sorted(scores, key=lambda id: -scores[id])[:6]
    found = cosine_topk_salience(query, corpus, k=6)
    assert [id for id, _ in found] == best
    assert [score for _, score in found] == pytest.approx([scores[id] for id in best], abs=1e-4)
    unknown = [*corpus, ("none", None, 9, now)]
    assert [id for id, _ in cosine_topk_salience(query, unknown, k=6)] == best


@pytest.mark.parametrize("bad", [["a"], "ab", None, b"\0\0\x80?", {"a": 1}])
def test_what_is_no_vector_is_refused(bad: Any) -> None:
    with pytest.raises(TypeError, match="vector"):
        cosine_topk(bad, [("a", [1.0])])
    if bad is not None:
        with pytest.raises(TypeError, match="vector"):
            cosine_topk([1.0], [("a", bad)])


def test_a_matrix_is_no_vector() -> None:
    with pytest.raises(ValueError, match="one dimension, not 2"):
        cosine_topk(np.ones((2, 2), dtype=np.float32), [("a", [1.0, 1.0])])


def test_a_negative_number_of_results_is_refused() -> None:
    with pytest.raises(ValueError, match="k"):
        cosine_topk([1.0], [("a", [1.0])], k=-1)


def test_an_equal_memory_has_an_equal_hash() -> None:
    assert compute_content_hash("Alice  plays\nchess ", "profile") == compute_content_hash(
        "alice plays chess", "profile"
    )
    assert compute_content_hash("a", "profile") != compute_content_hash("a", "event")
    assert len(compute_content_hash("a", "profile")) == 16


def test_a_buffer_of_the_other_byte_order_is_read_by_its_numbers() -> None:
    query = np.array([1.0, 0.5, -0.25], dtype="<f4")
    for kind in (">f4", "<f4", ">f8", "<f8"):
        [(name, score)] = cosine_topk(query, [("same", query.astype(kind))], 1)
        assert name == "same"
        assert score == pytest.approx(1.0, abs=1e-6), kind


def test_a_query_of_a_length_that_a_store_does_not_have_is_refused() -> None:
    store = build_inmemory_database()
    where = {"user_id": "alice"}
    assert store.memory_item_repo.vector_search_items([1.0, 0.0], 3, where) == []
    store.memory_item_repo.create_item(
        memory_type="profile", summary="Alice sails.", embedding=[1.0, 0.0, 0.0], user_data=where
    )
    with pytest.raises(InputError, match="2 numbers; those of this store have 3"):
        store.memory_item_repo.vector_search_items([1.0, 0.0], 3, where)
    store.close()


def test_a_key_with_half_a_pair_is_refused_as_a_value_is() -> None:
    service = MemoryService()
    with pytest.raises(InputError, match="surrogate"):
        service.sync.create_memory_item(
            memory_type="profile", memory_content="Alice sails.", extra={"\ud800": 1}
        )
    assert service.sync.list_memory_items()["items"] == []
    service.sync.close()
