"""Opening the store that a configuration names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from memu.app.settings import DatabaseConfig
from memu.database._store import NativeStore, open_store

__all__ = ["build_database"]


def build_database(
    *,
    config: DatabaseConfig | Mapping[str, Any] | None = None,
    user_model: type[BaseModel] | None = None,
) -> NativeStore:
    """Opens the store that ``config.metadata_store`` names: ``inmemory`` (default), ``sqlite`` or
    ``postgres``.

    Args:
        config: The configuration of the store.
        user_model: The fields of a scope, for a new store; ``user_id`` by default.

    Raises:
        memu.errors.ConfigError: a setting is unknown or out of range (also a ``ValueError``).
    """
    return open_store(config, user_model)
