"""Memories on a PostgreSQL server with pgvector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from memu.app.settings import DatabaseConfig
from memu.database._store import NativeStore as PostgresStore
from memu.database._store import open_store_of

__all__ = ["PostgresStore", "build_postgres_database"]


def build_postgres_database(
    *,
    config: DatabaseConfig | Mapping[str, Any] | None = None,
    user_model: type[BaseModel] | None = None,
) -> PostgresStore:
    """Opens a database on a PostgreSQL server, and makes the tables where there are none.

    Args:
        config: The configuration; its ``metadata_store.provider`` must be ``postgres`` or left out.
        user_model: The fields of a scope, for a new store; ``user_id`` by default.

    Raises:
        memu.errors.ConfigError: a setting is unknown, out of range or of another store.
    """
    return open_store_of("postgres", config, user_model)
