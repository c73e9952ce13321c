"""What all sections of the configuration have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from memu.errors import ConfigError

Model = TypeVar("Model", bound=BaseModel)


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


def validated(name: str, given: Mapping[str, Any] | BaseModel | None, model: type[Model]) -> Model:
    """A section of the configuration from what was handed over for it.

    Raises:
        ConfigError: a value is of no use.
    """
    if isinstance(given, model):
        return given
    try:
        return model.model_validate(given if given is not None else {})
    except ValidationError as error:
        raise ConfigError(f"{name}: {in_words(error)}") from error


def in_words(error: ValidationError) -> str:
    """What is wrong where, in a line, without the values: they may be keys."""
    told = [
        f"{'.'.join(map(str, one['loc']))}: {one['msg']}" if one["loc"] else one["msg"]
        for one in error.errors(include_url=False, include_context=False, include_input=False)
        # Follows from another one.
        if one["type"] != "default_factory_not_called"
    ]
    return "; ".join(told)
