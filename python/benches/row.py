"""What a measurement says, and how it is printed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Baseline:
    """Something else at the same task."""

    name: str
    value: float
    ratio: float
    """How many times as good MemU is: above 1 is better, for times and for rates."""


@dataclass
class Row:
    """One measurement."""

    name: str
    value: float
    unit: str
    baselines: list[Baseline] = field(default_factory=list[Baseline])

    def beside(self, others: Mapping[str, float]) -> Row:
        """The row with what others took, or did in a second, by name."""
        is_better_when_higher = self.unit.endswith("/s") or self.unit == "share"
        for name, value in others.items():
            better, worse = (self.value, value) if is_better_when_higher else (value, self.value)
            self.baselines.append(Baseline(name, value, better / worse))
        return self

    def line(self) -> str:
        """The row for people."""
        text = f"{self.name:<58}{_number(self.value):>12} {self.unit:<8}"
        for one in self.baselines:
            text += f"  {one.ratio:.2f}× {one.name} ({_number(one.value)})"
        return text.rstrip()

    def json(self) -> str:
        """The row as one JSON object, of the form that ``memu bench --json`` prints."""
        baselines = [
            {"name": one.name, "value": one.value, "ratio": one.ratio} for one in self.baselines
        ]
        row = {"name": self.name, "value": self.value, "unit": self.unit, "baselines": baselines}
        return json.dumps(row, ensure_ascii=False)


def _number(value: float) -> str:
    size = abs(value)
    if size >= 100:
        return f"{value:.0f}"
    return f"{value:.2f}" if size >= 1 else f"{value:.4f}"
