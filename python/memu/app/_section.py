"""What all sections of the configuration have in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, BeforeValidator, ConfigDict


def normalized(value: object) -> object:
    """A word without space around it, in small letters; any other value as it is."""
    return value.strip().lower() if isinstance(value, str) else value


Normalized = BeforeValidator(normalized)


class Section(BaseModel):
    """What all sections have in common."""

    # Keys and addresses with passwords must not be shown where one is refused.
    model_config = ConfigDict(extra="allow", validate_assignment=True, hide_input_in_errors=True)

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        # A misspelt setting may hold a key.
        known = type(self).model_fields
        return [(name, value) for name, value in super().__repr_args__() if name in known]
