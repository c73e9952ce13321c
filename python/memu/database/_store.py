"""A store and its repositories: a face of the Rust core's."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from pydantic import BaseModel

from memu._memu import NativeDatabase
from memu.app._core_settings import scope_fields, to_core
from memu.app._section import validated
from memu.app.settings import DatabaseConfig, UserConfig
from memu.database._repositories import (
    NativeCategoryItemRepo,
    NativeMemoryCategoryRepo,
    NativeMemoryItemRepo,
    NativeResourceRepo,
)
from memu.database.models import (
    CategoryItem,
    MemoryCategory,
    MemoryItem,
    Resource,
    build_scoped_models,
)
from memu.errors import ConfigError

__all__ = ["NativeStore", "open_store", "open_store_of"]


class NativeStore:
    """A store of memories below the verbs of a service.

    Nothing is extracted, embedded or summarised here: what is handed over is what is kept.
    ``resources``, ``items``, ``categories`` and ``relations`` read what the store holds now, of
    all scopes. Until the store changes they give the same records again: change copies
    (``record.model_copy(deep=True)``). A store is closed by ``close()`` or at the end of a ``with``
    block.
    """

    def __init__(self, native: NativeDatabase, user_model: type[BaseModel]) -> None:
        self._native = native
        models = build_scoped_models(user_model)
        resource, category, item, relation = models
        self.resource_repo = NativeResourceRepo(native, resource)
        self.memory_category_repo = NativeMemoryCategoryRepo(native, category)
        self.memory_item_repo = NativeMemoryItemRepo(native, item)
        self.category_item_repo = NativeCategoryItemRepo(native, relation)

    @property
    def resources(self) -> dict[str, Resource]:
        """All resources by id."""
        return self.resource_repo.resources

    @property
    def items(self) -> dict[str, MemoryItem]:
        """All memories by id."""
        return self.memory_item_repo.items

    @property
    def categories(self) -> dict[str, MemoryCategory]:
        """All categories by id."""
        return self.memory_category_repo.categories

    @property
    def relations(self) -> list[CategoryItem]:
        """Which memories are filed under which categories."""
        return self.category_item_repo.relations

    def load_existing(self) -> None:
        """Nothing to do here: what memU 1.x read into memory with this is read when it is used."""

    def close(self) -> None:
        """Finishes all writes and closes the store."""
        self._native.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def open_store(
    config: DatabaseConfig | Mapping[str, Any] | None, user_model: type[BaseModel] | None
) -> NativeStore:
    """Opens the store that a configuration names, and makes it where there is none.

    Raises:
        memu.errors.ConfigError: a setting is unknown or out of range.
        memu.errors.MemuError: the store cannot be opened.
    """
    config = validated("database_config", config, DatabaseConfig)
    given = {} if user_model is None else {"model": user_model}
    user = validated("user_config", given, UserConfig)
    settings = to_core(database_config=config, user_config=user)
    fields = None if scope_fields(user) else list(user.model.model_fields)
    return NativeStore(NativeDatabase.open(settings, fields), user.model)


def open_store_of(
    provider: str,
    config: DatabaseConfig | Mapping[str, Any] | None,
    user_model: type[BaseModel] | None,
) -> NativeStore:
    """The same for one kind of store only.

    Raises:
        memu.errors.ConfigError: the configuration names another kind.
    """
    config = validated("database_config", config, DatabaseConfig)
    store = config.metadata_store
    if "provider" in store.model_fields_set and store.provider != provider:
        raise ConfigError(
            f"database_config.metadata_store.provider is {store.provider!r}, not {provider!r}"
        )
    store = store.model_copy(update={"provider": provider})
    return open_store(config.model_copy(update={"metadata_store": store}), user_model)
