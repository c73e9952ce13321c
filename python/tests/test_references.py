"""Citations in summaries are found, taken out, numbered and looked up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pytest

from memu.database.interfaces import Database
from memu.database.models import MemoryItem
from memu.errors import ScopeError
from memu.utils.references import (
    build_item_reference_map,
    extract_references,
    fetch_referenced_items,
    format_references_as_citations,
    strip_references,
)


@pytest.mark.parametrize(
    ("text", "cited"),
    [
        ("Rows [ref:abc123].", ["abc123"]),
        ("Rows [ref:abc]. Swims [ref:def].", ["abc", "def"]),
        ("Rows [ref:c,a,b].", ["c", "a", "b"]),
        ("Rows [ref:a, b , c].", ["a", "b", "c"]),
        ("Rows [ref:b][ref:a]. Still rows [ref:b,a].", ["b", "a"]),
        ("Rows [ref:item_a-1].", ["item_a-1"]),
        ("Rows [ref:a,,b,].", ["a", "b"]),
        ("Rows [ref:,].", []),
        ("Rows [ref:], [ref:a.b], [ref a], [Ref:a] and [ref:open", []),
        ("Rows.", []),
        ("", []),
        (None, []),
    ],
)
def test_references_are_extracted_once_and_in_order(text: str | None, cited: list[str]) -> None:
    assert extract_references(text) == cited


@pytest.mark.parametrize(
    ("text", "stripped"),
    [
        ("Rows [ref:abc123].", "Rows."),
        ("Rows [ref:a]. Swims [ref:b].", "Rows. Swims."),
        ("Rows [ref:a][ref:b] and [ref:c,d] swims", "Rows and swims"),
        ("[ref:a] Rows", "Rows"),
        ("[ref:a]", ""),
        # Lines of a list stay lines, with their spacing.
        ("- Rows [ref:a]\n  - on the Elbe [ref:b]\n", "- Rows\n  - on the Elbe"),
        ("Rows [ref:a]\n[ref:b] [ref:c] and swims", "Rows\nand swims"),
        # What is no citation is not touched.
        ("At 7 : 30,  she rows [ref:a] .", "At 7 : 30,  she rows ."),
        ("  Rows  ,  swims  ", "  Rows  ,  swims  "),
        ("", ""),
        (None, None),
    ],
)
def test_references_are_stripped(text: str | None, stripped: str | None) -> None:
    assert strip_references(text) == stripped


def test_a_long_run_of_space_takes_no_time() -> None:
    spaces = " " * 1_000_000
    assert strip_references(f"Rows{spaces}x [ref:a]") == f"Rows{spaces}x"


@pytest.mark.parametrize(
    ("text", "numbered"),
    [
        ("Rows [ref:abc].", "Rows [1].\n\nReferences:\n[1] abc"),
        (
            "Rows [ref:b]. Swims [ref:a,b].\n- Dives [ref:c].",
            "Rows [1]. Swims [2,1].\n- Dives [3].\n\nReferences:\n[1] b\n[2] a\n[3] c",
        ),
        ("Rows [ref:a]. Swims [ref:,].", "Rows [1]. Swims .\n\nReferences:\n[1] a"),
        ("Rows.", "Rows."),
        ("", ""),
        (None, None),
    ],
)
def test_references_become_numbers(text: str | None, numbered: str | None) -> None:
    assert format_references_as_citations(text) == numbered


def test_the_map_for_a_prompt_lists_memories_and_shortens_them() -> None:
    listed = build_item_reference_map([("a", "Rows"), ("b", "x" * 100), ("c", "y" * 101)])
    assert listed == (
        "Available memory items for reference:\n"
        f"- [ref:a] Rows\n- [ref:b] {'x' * 100}\n- [ref:c] {'y' * 100}..."
    )
    assert build_item_reference_map([]) == ""
    assert build_item_reference_map(iter([("a", "Rows")])).endswith("[ref:a] Rows")


class _Items:
    """The memories of two users, one of whom must be named."""

    def __init__(self) -> None:
        self.items = {
            "11aa22-one": _item("11aa22-one", "Rows", {}),
            "33bb44-two": _item("33bb44-two", "Swims", {"ref_id": "33bb44"}),
        }
        self.wheres: list[Mapping[str, Any] | None] = []

    def get_item(self, item_id: str) -> MemoryItem | None:
        return self.items.get(item_id)

    def list_items_by_ref_ids(
        self, ref_ids: list[str], where: Mapping[str, Any] | None = None
    ) -> dict[str, MemoryItem]:
        self.wheres.append(where)
        if where is None:
            raise ScopeError("the store holds 2 scopes")
        return {key: item for key, item in self.items.items() if key.startswith(tuple(ref_ids))}


class _Store:
    def __init__(self) -> None:
        self.memory_item_repo = _Items()


def _item(item_id: str, summary: str, extra: dict[str, Any]) -> MemoryItem:
    return MemoryItem(
        id=item_id, resource_id=None, memory_type="event", summary=summary, extra=extra
    )


ROWS = {"id": "11aa22-one", "summary": "Rows", "memory_type": "event"}
SWIMS = {"id": "33bb44-two", "summary": "Swims", "memory_type": "event"}


def test_whole_ids_are_fetched_without_naming_a_scope() -> None:
    store = _Store()
    text = "Swims [ref:33bb44-two]. Rows [ref:11aa22-one]."
    assert fetch_referenced_items(text, cast("Database", store)) == [SWIMS, ROWS]
    assert store.memory_item_repo.wheres == []


def test_short_ids_are_fetched_from_the_scope_that_is_named() -> None:
    store = _Store()
    text = "Swims [ref:33bb44]. Rows [ref:11aa22], [ref:11aa22-one] and [ref:99]."
    where = {"user_id": "alice"}
    assert fetch_referenced_items(text, cast("Database", store), where=where) == [SWIMS, ROWS]
    assert store.memory_item_repo.wheres == [where]
    with pytest.raises(ScopeError):
        fetch_referenced_items(text, cast("Database", store))


@pytest.mark.parametrize("text", ["Rows.", "", None])
def test_where_nothing_is_cited_nothing_is_fetched(text: str | None) -> None:
    store = _Store()
    assert fetch_referenced_items(text, cast("Database", store)) == []
    assert store.memory_item_repo.wheres == []
