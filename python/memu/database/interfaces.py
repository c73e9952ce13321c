"""What a store of memories offers, whatever it is kept in."""

from __future__ import annotations

from memu.database._repositories import (
    NativeCategoryItemRepo as CategoryItemRepo,
)
from memu.database._repositories import (
    NativeMemoryCategoryRepo as MemoryCategoryRepo,
)
from memu.database._repositories import (
    NativeMemoryItemRepo as MemoryItemRepo,
)
from memu.database._repositories import (
    NativeResourceRepo as ResourceRepo,
)
from memu.database._store import NativeStore as Database
from memu.database.models import CategoryItem as CategoryItemRecord
from memu.database.models import MemoryCategory as MemoryCategoryRecord
from memu.database.models import MemoryItem as MemoryItemRecord
from memu.database.models import Resource as ResourceRecord

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
]
