"""Dictionaries that callers hand over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast


def mapping(name: str, given: object) -> dict[str, Any]:
    """A dictionary of its own for the argument of this name; an empty one for None.

    Raises:
        TypeError: it is no mapping, such as the bare id of a user.
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        kind = type(given).__name__
        raise TypeError(f"{name} is a dictionary such as {{'user_id': 'alice'}}, not a {kind}")
    return dict(cast("Mapping[str, Any]", given))
