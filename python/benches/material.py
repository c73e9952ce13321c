"""Texts and vectors to measure with; the same in every run."""

from __future__ import annotations

import random

import numpy as np
import numpy.typing as npt

DIMENSION = 384

Matrix = npt.NDArray[np.float32]

_SYLLABLES = ("ka", "lo", "mi", "ne", "ru", "sta", "te", "vo", "pra", "shi", "un", "del")


class Texts:
    """Sentences of made-up words, of which a few are frequent and most are rare."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def sentence(self) -> str:
        """12 to 40 words."""
        words = [self._word() for _ in range(self._random.randint(12, 40))]
        return " ".join(words).capitalize() + "."

    def _word(self) -> str:
        # The number of a word by Zipf's law; its syllables are the digits of the number.
        number = int(50_000 ** self._random.random()) + 11
        syllables: list[str] = []
        while number:
            number, digit = divmod(number, len(_SYLLABLES))
            syllables.append(_SYLLABLES[digit])
        return "".join(syllables)


def gaussian(seed: int, count: int) -> Matrix:
    """Vectors of length 1 that have nothing to do with each other: the hardest to search."""
    vectors = np.random.default_rng(seed).standard_normal((count, DIMENSION), dtype=np.float32)
    lengths: Matrix = np.sqrt(np.square(vectors).sum(axis=1, keepdims=True))
    return vectors / lengths
