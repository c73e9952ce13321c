"""What callables that watch calls to models are given, where memU 1.x has it."""

from __future__ import annotations

from memu.workflow.llm_call import (
    LLMCallContext,
    LLMCallFilter,
    LLMInterceptorHandle,
    LLMInterceptorRegistry,
    LLMRequestView,
    LLMResponseView,
    LLMUsage,
)

__all__ = [
    "LLMCallContext",
    "LLMCallFilter",
    "LLMInterceptorHandle",
    "LLMInterceptorRegistry",
    "LLMRequestView",
    "LLMResponseView",
    "LLMUsage",
]
