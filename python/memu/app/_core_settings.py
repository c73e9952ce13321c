"""The configuration as the core reads it: what the caller set, and nothing else.

What is left out has the core's default, or what ``MEMU_*`` variables say.
"""

from __future__ import annotations

from typing import Any, cast

from memu.app._section import Section
from memu.app.settings import (
    BlobConfig,
    BudgetConfig,
    CustomPrompt,
    DatabaseConfig,
    LLMConfig,
    LLMProfilesConfig,
    MemorizeConfig,
    RetrieveConfig,
    UserConfig,
)
from memu.errors import ConfigError

__all__ = ["retrieve_to_core", "scope_fields", "to_core"]

_LOCAL = {"provider": "local"}


def to_core(
    *,
    llm_profiles: LLMProfilesConfig | None = None,
    blob_config: BlobConfig | None = None,
    database_config: DatabaseConfig | None = None,
    memorize_config: MemorizeConfig | None = None,
    retrieve_config: RetrieveConfig | None = None,
    budget: BudgetConfig | None = None,
    user_config: UserConfig | None = None,
) -> dict[str, Any]:
    """The settings of the core; a section of which nothing is set is left out.

    Raises:
        ConfigError: As :func:`retrieve_to_core`.
    """
    sections: dict[str, dict[str, Any]] = {
        "llm_profiles": _profiles(llm_profiles) if llm_profiles else {},
        "blob_config": _given(blob_config) if blob_config else {},
        "database_config": _database(database_config) if database_config else {},
        "memorize_config": _given(memorize_config) if memorize_config else {},
        "retrieve_config": retrieve_to_core(retrieve_config) if retrieve_config else {},
        "budget": _given(budget) if budget else {},
        "user_config": _user(user_config) if user_config else {},
    }
    return {name: section for name, section in sections.items() if section}


def retrieve_to_core(config: RetrieveConfig) -> dict[str, Any]:
    """The settings of the core for questions.

    Raises:
        ConfigError: There is a ``sufficiency_check_prompt``; the core has none to put it in
            place of.
    """
    given = _given(config)
    if given.pop("sufficiency_check_prompt", ""):
        raise ConfigError(
            "retrieve_config.sufficiency_check_prompt is not supported: what was found is judged "
            "by MemU's own prompt; leave it empty"
        )
    return given


def scope_fields(user_config: UserConfig | None) -> list[str] | None:
    """The names of a scope's fields, in order; None where the caller says nothing about it."""
    if user_config is None or "model" not in user_config.model_fields_set:
        return None
    return list(user_config.model.model_fields)


def _user(config: UserConfig) -> dict[str, Any]:
    fields = scope_fields(config)
    given = {"model": fields} if fields else {}
    # The core refuses these by name; their values may be anything.
    return {**given, **dict.fromkeys(config.__pydantic_extra__ or {}, True)}


def _profiles(config: LLMProfilesConfig) -> dict[str, Any]:
    profiles = {name: _profile(profile) for name, profile in config.profiles.items()}
    # What the model filled in: the core does the same where they are missing, and knows better
    # which profile can embed.
    if config.profiles.get("embedding") is config.default:
        profiles.pop("embedding", None)
    if profiles.get("default") == _LOCAL:
        del profiles["default"]
    return profiles


def _profile(profile: LLMConfig) -> dict[str, Any]:
    given = _given(profile)
    given.pop("client_backend", None)
    given.pop("lazyllm_source", None)
    # The core would take a profile of which nothing is set for a local one.
    return {"provider": profile.provider, **given}


def _database(config: DatabaseConfig) -> dict[str, Any]:
    given = _given(config)
    index = given.get("vector_index")
    if index:
        index.pop("dsn", None)
    return given


def _given(section: Section) -> dict[str, Any]:
    """What was set in a section and those in it; None is as good as nothing."""
    given: dict[str, Any] = {}
    set_fields = section.model_fields_set
    for name, value in section.__dict__.items():
        if isinstance(value, Section):
            if inner := _given(value):
                given[name] = inner
        elif value is not None and (name in set_fields or _was_changed(section, name, value)):
            given[name] = _plain(value)
    # What the models do not know: the core says what is wrong with it.
    given.update(section.__pydantic_extra__ or {})
    return given


def _was_changed(section: Section, name: str, value: object) -> bool:
    """Whether a list or dictionary is no longer the default that it was."""
    if not isinstance(value, list | dict):
        return False
    field = type(section).model_fields[name]
    return bool(value != field.get_default(call_default_factory=True))


def _plain(value: Any) -> Any:
    if isinstance(value, Section):
        return _given(value)
    if isinstance(value, CustomPrompt):
        return {name: _given(block) for name, block in value.items()}
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in cast("dict[str, object]", value).items()}
    if isinstance(value, list):
        return [_plain(one) for one in cast("list[object]", value)]
    return value
