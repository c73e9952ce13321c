"""Stores of memories below the verbs of a service: reading everything, and putting records."""

from memu.database.factory import build_database
from memu.database.interfaces import (
    CategoryItemRecord,
    CategoryItemRepo,
    Database,
    MemoryCategoryRecord,
    MemoryCategoryRepo,
    MemoryItemRecord,
    MemoryItemRepo,
    ResourceRecord,
    ResourceRepo,
)

__all__ = [
    "CategoryItemRecord",
    "CategoryItemRepo",
    "Database",
    "MemoryCategoryRecord",
    "MemoryCategoryRepo",
    "MemoryItemRecord",
    "MemoryItemRepo",
    "ResourceRecord",
    "ResourceRepo",
    "build_database",
]
