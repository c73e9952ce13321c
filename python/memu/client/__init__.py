"""Clients of models that remember: memories are recalled before each chat completion."""

from __future__ import annotations

from memu.client.openai_wrapper import MemuOpenAIWrapper, wrap_openai

__all__ = ["MemuOpenAIWrapper", "wrap_openai"]
