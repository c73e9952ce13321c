"""Nearest vectors of a corpus at hand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from memu import _memu
from memu.database._repositories import Vector

__all__ = ["cosine_topk", "cosine_topk_salience", "query_cosine", "salience_score"]


def salience_score(
    similarity: float,
    reinforcement_count: int,
    last_reinforced_at: datetime | None,
    recency_decay_days: float = 30.0,
) -> float:
    """How much a memory counts: similarity x ln(1 + count) x 0.5 ** (days / decay).

    Args:
        similarity: The cosine of its vector with that of the question.
        reinforcement_count: How often it was met.
        last_reinforced_at: When it was met last, UTC where no zone is given. Where nobody knows,
            the last factor is 0.5.
        recency_decay_days: After how many days it counts half; above 0.
    """
    days = _days_ago(last_reinforced_at)
    return _memu.salience_score(similarity, reinforcement_count, days, recency_decay_days)


def cosine_topk(
    query_vec: Vector, corpus: Iterable[tuple[str, Vector | None]], k: int = 5
) -> list[tuple[str, float]]:
    """The ``k`` vectors with the greatest cosine, best first: ids with cosines.

    Entries without a vector are passed over; vectors of another length have a cosine of 0.
    """
    return _memu.cosine_topk(query_vec, corpus, k)


def cosine_topk_salience(
    query_vec: Vector,
    corpus: Iterable[tuple[str, Vector | None, int, datetime | None]],
    k: int = 5,
    recency_decay_days: float = 30.0,
) -> list[tuple[str, float]]:
    """As `cosine_topk` with `salience_score` in place of the cosine.

    Args:
        query_vec: The vector.
        corpus: Ids with vectors, how often each was met, and when for the last time.
        k: At most this many.
        recency_decay_days: As in `salience_score`.
    """
    known = ((one, vector, count, _days_ago(last)) for one, vector, count, last in corpus)
    return _memu.cosine_topk_salience(query_vec, known, k, recency_decay_days)


def query_cosine(query_vec: Vector, vecs: Iterable[Vector]) -> list[tuple[int, float]]:
    """The cosine with each vector, greatest first: places with cosines."""
    corpus = [(str(place), vector) for place, vector in enumerate(vecs)]
    return [(int(place), score) for place, score in cosine_topk(query_vec, corpus, len(corpus))]


def _days_ago(moment: datetime | None) -> float | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (datetime.now(UTC) - moment).total_seconds() / 86_400
