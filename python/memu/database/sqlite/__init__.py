"""Memories in a SQLite file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from memu.app.settings import DatabaseConfig
from memu.database._store import NativeStore as SQLiteStore
from memu.database._store import open_store_of

__all__ = ["SQLiteStore", "build_sqlite_database"]


def build_sqlite_database(
    *,
    config: DatabaseConfig | Mapping[str, Any] | None = None,
    user_model: type[BaseModel] | None = None,
) -> SQLiteStore:
    """Opens a SQLite file, ``memu.db`` where no DSN is given, and makes it where there is none.

    Args:
        config: The configuration; its ``metadata_store.provider`` must be ``sqlite`` or left out.
        user_model: The fields of a scope, for a new store; ``user_id`` by default.

    Raises:
        memu.errors.ConfigError: a setting is unknown, out of range or of another store.
    """
    return open_store_of("sqlite", config, user_model)
