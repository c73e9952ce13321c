"""What a response of ``retrieve`` tells, as texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Hit(NamedTuple):
    """A text that answers a question, and its score, which is comparable within a response."""

    text: str
    score: float


def hits_of(response: Mapping[str, Any]) -> list[Hit]:
    """The summaries of the items, best first or, where no item fits, the messages and passages
    themselves. Each is one line; those without text are left out."""
    for kind, field in (("items", "summary"), ("segments", "text")):
        found = [
            Hit(" ".join(str(hit.get(field) or "").split()), float(hit.get("score", 1.0)))
            for hit in response.get(kind) or ()
        ]
        if hits := [hit for hit in found if hit.text]:
            return hits
    return []
