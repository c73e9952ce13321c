"""Memories in this process, gone when it ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from memu.app.settings import DatabaseConfig
from memu.database._store import NativeStore as InMemoryStore
from memu.database._store import open_store_of

__all__ = ["InMemoryStore", "build_inmemory_database"]


def build_inmemory_database(
    *,
    config: DatabaseConfig | Mapping[str, Any] | None = None,
    user_model: type[BaseModel] | None = None,
) -> InMemoryStore:
    """A store in memory.

    Args:
        config: The configuration; its ``metadata_store.provider`` must be ``inmemory`` or left out.
        user_model: The fields of a scope, for a new store; ``user_id`` by default.

    Raises:
        memu.errors.ConfigError: a setting is unknown, out of range or of another store.
    """
    return open_store_of("inmemory", config, user_model)
