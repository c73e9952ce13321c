"""What memU 1.x does on SQLite to keep a memory: through SQLAlchemy as it does, and without."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import JSON, Index, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

_CATEGORY = str(uuid.UUID(int=0))
_USER = "nora"


class Keeper(Protocol):
    """Keeps memories, each with a commit of its own."""

    def create_item(self, summary: str, embedding: Sequence[float]) -> str:
        """Keeps a memory, and returns its id."""
        ...

    def file(self, item_id: str) -> None:
        """Files a memory under a category."""
        ...

    def close(self) -> None:
        """Closes the file."""
        ...


def _id() -> str:
    return str(uuid.uuid4())


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


class _Base(DeclarativeBase):
    pass


class _Record:
    id: Mapped[str] = mapped_column(primary_key=True, index=True, default=_id)
    created_at: Mapped[datetime] = mapped_column(default=_now)
    updated_at: Mapped[datetime] = mapped_column(default=_now)
    user_id: Mapped[str | None]


class _Item(_Record, _Base):
    __tablename__ = "memu_memory_items"
    __table_args__ = (Index("ix_memu_memory_items__scope", "user_id"),)

    resource_id: Mapped[str | None]
    memory_type: Mapped[str]
    summary: Mapped[str]
    happened_at: Mapped[datetime | None]
    extra: Mapped[dict[str, Any]] = mapped_column(JSON)
    embedding_json: Mapped[str | None]


class _Relation(_Record, _Base):
    __tablename__ = "memu_category_items"
    __table_args__ = (
        Index("ix_memu_category_items__scope", "user_id"),
        Index("idx_sqlite_category_items_unique", "item_id", "category_id", unique=True),
    )

    item_id: Mapped[str]
    category_id: Mapped[str]


class StandIn:
    """Objects that SQLAlchemy maps, a session for each, which commits it and reads it again."""

    def __init__(self, path: Path) -> None:
        self._engine = create_engine(f"sqlite:///{path}")
        _Base.metadata.create_all(self._engine)

    def create_item(self, summary: str, embedding: Sequence[float]) -> str:
        """Keeps a memory, and returns its id."""
        vector = json.dumps(embedding)
        item = _Item(memory_type="knowledge", summary=summary, extra={}, embedding_json=vector)
        return self._keep(item)

    def file(self, item_id: str) -> None:
        """Files a memory under a category."""
        self._keep(_Relation(item_id=item_id, category_id=_CATEGORY))

    def close(self) -> None:
        """Closes the file."""
        self._engine.dispose()

    def _keep(self, record: _Item | _Relation) -> str:
        record.user_id = _USER
        with Session(self._engine, expire_on_commit=False) as session:
            session.add(record)
            session.commit()
            session.refresh(record)
        return record.id


class Sqlite:
    """The same tables and rows by Python's own module: what of it SQLite itself takes."""

    def __init__(self, path: Path) -> None:
        engine = create_engine(f"sqlite:///{path}")
        _Base.metadata.create_all(engine)
        engine.dispose()
        self._connection = sqlite3.connect(path)

    def create_item(self, summary: str, embedding: Sequence[float]) -> str:
        """Keeps a memory, and returns its id."""
        id, now = _id(), _now().isoformat(sep=" ")
        self._insert(
            "memu_memory_items",
            id=id,
            created_at=now,
            updated_at=now,
            user_id=_USER,
            memory_type="knowledge",
            summary=summary,
            extra="{}",
            embedding_json=json.dumps(embedding),
        )
        return id

    def file(self, item_id: str) -> None:
        """Files a memory under a category."""
        now = _now().isoformat(sep=" ")
        self._insert(
            "memu_category_items",
            id=_id(),
            created_at=now,
            updated_at=now,
            user_id=_USER,
            item_id=item_id,
            category_id=_CATEGORY,
        )

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()

    def _insert(self, table: str, **columns: str) -> None:
        places = ", ".join("?" * len(columns))
        statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"
        self._connection.execute(statement, tuple(columns.values()))
        self._connection.commit()
