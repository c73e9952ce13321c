"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """How much is measured. Both sides take turns; a result is the median of the rounds."""

    rounds: int
    """How many turns each side has."""
    calls: int
    """Calls of a cheap verb in a turn."""
    vectors: int
    """How many vectors are searched."""
    searches: int
    """Searches in a turn."""
    ones: int
    """Memories stored one by one in a turn."""
    batch: int
    """Memories stored at once in a turn."""


FULL = Sizes(rounds=20, calls=1_000, vectors=100_000, searches=10, ones=25, batch=1_000)
SMALL = Sizes(rounds=3, calls=5, vectors=300, searches=2, ones=2, batch=20)
