"""Copies the memories of an SQLite file to a PostgreSQL server, record by record.

    python examples/python/migrate_to_postgres.py sqlite:///memu.db postgresql://user@host/memu

This is for programs that change something on the way: leave records out, rename categories, merge
users. The messages and passages that the memories cite stay behind, and times become those of the
copy. To move everything as it is, with a comparison at the end, there is
`memu migrate --from sqlite:///memu.db --to postgresql://…`.
"""

from __future__ import annotations

import argparse
from typing import Any

from pydantic import BaseModel

from memu.app.settings import DatabaseConfig
from memu.database.postgres import build_postgres_database
from memu.database.sqlite import build_sqlite_database


class User(BaseModel):
    """Whose memories they are: the fields with which the SQLite file was made."""

    user_id: str | None = None


def config(provider: str, dsn: str) -> DatabaseConfig:
    """The configuration of a store."""
    return DatabaseConfig.model_validate({"metadata_store": {"provider": provider, "dsn": dsn}})


def whose(record: BaseModel) -> dict[str, Any]:
    """The scope of a record. Without it, memories would become everybody's."""
    return {name: getattr(record, name) for name in User.model_fields}


def migrate(source_dsn: str, target_dsn: str) -> dict[str, int]:
    """Copies all records with their ids; returns how many of each kind."""
    source = build_sqlite_database(config=config("sqlite", source_dsn), user_model=User)
    target = build_postgres_database(config=config("postgres", target_dsn), user_model=User)
    with source, target:
        for resource in source.resources.values():
            target.resource_repo.create_resource(
                id=resource.id,
                url=resource.url,
                modality=resource.modality,
                local_path=resource.local_path,
                caption=resource.caption,
                embedding=resource.embedding,
                user_data=whose(resource),
            )
        for category in source.categories.values():
            target.memory_category_repo.create_category(
                id=category.id,
                name=category.name,
                description=category.description,
                summary=category.summary,
                embedding=category.embedding,
                user_data=whose(category),
            )
        for item in source.items.values():
            target.memory_item_repo.create_item(
                id=item.id,
                resource_id=item.resource_id,
                memory_type=item.memory_type,
                summary=item.summary,
                happened_at=item.happened_at,
                extra=item.extra,
                embedding=item.embedding,
                user_data=whose(item),
            )
        for relation in source.relations:
            target.category_item_repo.link_item_category(
                relation.item_id, relation.category_id, whose(relation)
            )
        return {
            "resources": len(target.resources),
            "categories": len(target.categories),
            "items": len(target.items),
            "relations": len(target.relations),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description="Copies memories from SQLite to PostgreSQL.")
    parser.add_argument("source", help="sqlite:///memu.db")
    parser.add_argument("target", help="postgresql://user@host/database, which is empty")
    arguments = parser.parse_args()
    for kind, count in migrate(arguments.source, arguments.target).items():
        print(f"{count} {kind}")


if __name__ == "__main__":
    main()
