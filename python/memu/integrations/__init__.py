"""MemU within other frameworks."""

from __future__ import annotations

from memu.integrations.langgraph import MemULangGraphTools

__all__ = ["MemULangGraphTools"]
