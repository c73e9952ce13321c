"""Citations in the summaries of categories.

A summary may cite the memories that it rests on as ``[ref:ID]``, or several as ``[ref:ID,ID]``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from memu.database.interfaces import Database
    from memu.database.models import MemoryItem

__all__ = [
    "build_item_reference_map",
    "extract_references",
    "fetch_referenced_items",
    "format_references_as_citations",
    "strip_references",
]

_CITATION = r"\[ref:([A-Za-z0-9_,\- ]+)\]"
_CITATIONS = re.compile(_CITATION)
# With the space that parts a citation from what it stands beside: before it, or at the
# beginning of a line after it. A run of space is looked at from its beginning only, once.
_WITH_SPACE = re.compile(rf"^(?:{_CITATION}[ \t]*)+|(?<![ \t])[ \t]*{_CITATION}", re.MULTILINE)
_LONGEST_SUMMARY = 100


def extract_references(text: str | None) -> list[str]:
    """The ids that a text cites, each once, in the order in which they first appear."""
    cited: dict[str, None] = {}
    for match in _CITATIONS.finditer(text or ""):
        cited.update(dict.fromkeys(_ids(match)))
    return list(cited)


def strip_references(text: str | None) -> str | None:
    """The text without its citations; a text that cites nothing comes back as it is.

    Lines stay lines. Space before a citation goes with it, and so does space at both ends.
    """
    if not text or not _CITATIONS.search(text):
        return text
    return _WITH_SPACE.sub("", text).strip()


def format_references_as_citations(text: str | None) -> str | None:
    """The text with ``[1]``, ``[2]`` in place of its citations, and what they mean below it.

    A text that cites nothing comes back as it is.
    """
    cited = extract_references(text)
    if not text or not cited:
        return text
    numbers = {item_id: number for number, item_id in enumerate(cited, start=1)}

    def numbered(match: re.Match[str]) -> str:
        here = [str(numbers[item_id]) for item_id in _ids(match)]
        return f"[{','.join(here)}]" if here else ""

    listed = "\n".join(f"[{number}] {item_id}" for item_id, number in numbers.items())
    return f"{_CITATIONS.sub(numbered, text)}\n\nReferences:\n{listed}"


def fetch_referenced_items(
    text: str | None, store: Database, *, where: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """The memories that a text cites, each as ``{"id", "summary", "memory_type"}``.

    They come in the order of their citations; what the store does not hold is left out. A whole
    id is found in whatever scope. The first characters of one, as summaries cite, are looked for
    in the scope that ``where`` names, such as ``{"user_id": "alice"}``.

    Raises:
        ScopeError: A short id is cited, the store holds several scopes, and ``where`` names none.
    """
    cited = extract_references(text)
    repository = store.memory_item_repo
    found = {item_id: repository.get_item(item_id) for item_id in cited}
    short = [item_id for item_id, item in found.items() if item is None]
    listed = repository.list_items_by_ref_ids(short, where) if short else {}
    for item_id in short:
        found[item_id] = next((item for item in listed.values() if _is(item, item_id)), None)
    # A whole and a short id may mean one memory.
    items = {item.id: item for item in found.values() if item is not None}
    return [
        {"id": item.id, "summary": item.summary, "memory_type": item.memory_type}
        for item in items.values()
    ]


def build_item_reference_map(items: Iterable[tuple[str, str]]) -> str:
    """A list of memories for a prompt, from pairs of an id and a summary.

    Of a summary, the first 100 characters are shown. Without memories the text is empty.
    """
    lines = [f"- [ref:{item_id}] {_shortened(summary)}" for item_id, summary in items]
    return "\n".join(["Available memory items for reference:", *lines]) if lines else ""


def _ids(match: re.Match[str]) -> list[str]:
    return [item_id for item_id in map(str.strip, match.group(1).split(",")) if item_id]


def _is(item: MemoryItem, reference: str) -> bool:
    named = item.extra.get("ref_id")
    return bool(named == reference if named else item.id.startswith(reference))


def _shortened(summary: str) -> str:
    return summary if len(summary) <= _LONGEST_SUMMARY else f"{summary[:_LONGEST_SUMMARY]}..."
