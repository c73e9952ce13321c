"""What memU 1.x does on SQLite to keep a memory, without SQLAlchemy and its models."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

# Its tables and indexes, under the names that SQLite allows.
_TABLES = """
CREATE TABLE memu_memory_items (
    id VARCHAR PRIMARY KEY NOT NULL, created_at DATETIME NOT NULL, updated_at DATETIME NOT NULL,
    resource_id VARCHAR, memory_type VARCHAR NOT NULL, summary TEXT NOT NULL,
    happened_at DATETIME, extra JSON, embedding_json TEXT, user_id VARCHAR);
CREATE INDEX ix_memu_memory_items__scope ON memu_memory_items (user_id);
CREATE INDEX ix_memu_memory_items_id ON memu_memory_items (id);
CREATE TABLE memu_category_items (
    id VARCHAR PRIMARY KEY NOT NULL, created_at DATETIME NOT NULL, updated_at DATETIME NOT NULL,
    item_id VARCHAR NOT NULL, category_id VARCHAR NOT NULL, user_id VARCHAR);
CREATE UNIQUE INDEX idx_sqlite_category_items_unique ON memu_category_items (item_id, category_id);
CREATE INDEX ix_memu_category_items__scope ON memu_category_items (user_id);
CREATE INDEX ix_memu_category_items_id ON memu_category_items (id);
"""

_CATEGORY = str(uuid.UUID(int=0))


class StandIn:
    """A rollback journal, vectors as JSON text, one commit for each row."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path)
        self._connection.executescript(_TABLES)

    def create_item(self, summary: str, embedding: Sequence[float]) -> str:
        """Keeps a memory, and returns its id."""
        id, now = str(uuid.uuid4()), _now()
        row = (id, now, now, None, "knowledge", summary, None, "{}", json.dumps(embedding), "nora")
        self._insert("memu_memory_items", row)
        return id

    def file(self, item_id: str) -> None:
        """Files a memory under a category."""
        now = _now()
        row = (str(uuid.uuid4()), now, now, item_id, _CATEGORY, "nora")
        self._insert("memu_category_items", row)

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()

    def _insert(self, table: str, row: Sequence[object]) -> None:
        places = ", ".join("?" * len(row))
        self._connection.execute(f"INSERT INTO {table} VALUES ({places})", row)
        self._connection.commit()


def _now() -> str:
    return datetime.now(UTC).replace(tzinfo=None).isoformat(sep=" ")
