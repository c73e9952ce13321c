"""Texts and vectors to measure with; the same in every run."""

from __future__ import annotations

import random

import numpy as np
import numpy.typing as npt

DIMENSION = 384

Matrix = npt.NDArray[np.float32]

_SYLLABLES = ("ka", "lo", "mi", "ne", "ru", "sta", "te", "vo", "pra", "shi", "un", "del")


# How many words there are; the most frequent one is the first, by Zipf's law.
_WORDS = 50_000


class Texts:
    """Sentences of made-up words, of which a few are frequent and most are rare."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def sentence(self) -> str:
        """12 to 40 words."""
        words = [self._word() for _ in range(self._random.randint(12, 40))]
        return " ".join(words).capitalize() + "."

    def _word(self) -> str:
        # The syllables of a word are the digits of its number.
        number = int(_WORDS ** self._random.random()) + 11
        syllables: list[str] = []
        while number:
            number, digit = divmod(number, len(_SYLLABLES))
            syllables.append(_SYLLABLES[digit])
        return "".join(syllables)


def gaussian(seed: int, count: int) -> Matrix:
    """Vectors of length 1 that have nothing to do with each other: the hardest to search."""
    vectors = np.random.default_rng(seed).standard_normal((count, DIMENSION), dtype=np.float32)
    return _unit(vectors)


def sentences(seed: int, count: int) -> Matrix:
    """Vectors of length 1 as those of sentences are made of words: sums in which rare words weigh
    more (a / (a + p), Arora et al. 2017, with a = 0.001), so that some lie near each other.
    """
    words = np.random.default_rng(0).standard_normal((_WORDS, DIMENSION), dtype=np.float32)
    numbers = np.arange(1, _WORDS + 1)
    weights = 1e-3 / (1e-3 + 1 / (numbers * np.log(_WORDS)))
    words *= weights[:, np.newaxis].astype(np.float32)
    random = np.random.default_rng(seed)
    sums = np.empty((count, DIMENSION), dtype=np.float32)
    for place in range(count):
        length = int(random.integers(12, 40, endpoint=True))
        ranks = _WORDS ** random.random(length, dtype=np.float64)
        sums[place] = words[ranks.astype(np.int64) - 1].sum(axis=0)
    return _unit(sums)


def _unit(vectors: Matrix) -> Matrix:
    lengths: Matrix = np.sqrt(np.square(vectors).sum(axis=1, keepdims=True))
    return vectors / lengths
