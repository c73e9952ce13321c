"""Tools with which agents of LangChain and LangGraph save and search memories.

They need ``langchain-core``: ``pip install "memu-rs[langgraph]"``.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from pydantic import BaseModel, Field

from memu.client.hits import Hit, hits_of
from memu.client.recall import Recalls, scope_fields

try:
    from langchain_core.tools import BaseTool, StructuredTool
except ImportError as error:
    raise ImportError(
        'memu.integrations.langgraph needs langchain-core: pip install "memu-rs[langgraph]"'
    ) from error

logger = logging.getLogger("memu.integrations.langgraph")


class Remembers(Recalls, Protocol):
    """The part of ``MemoryService`` that the tools need."""

    @property
    def memorize(self) -> Callable[..., Awaitable[Mapping[str, Any]]]:
        """``await memorize(content=…, modality=…, user=…)``."""
        ...


class SaveRecallInput(BaseModel):
    """The arguments of the tool ``save_memory``."""

    content: str = Field(description="What to remember, in words that will be understood later.")
    user_id: str = Field(description="The id of the user whom it is about.")
    metadata: dict[str, Any] | None = Field(
        default=None,
        description="Further fields that say whose memory it is, such as agent_id.",
    )


class SearchRecallInput(BaseModel):
    """The arguments of the tool ``search_memory``."""

    query: str = Field(description="The question that the memories are to answer.")
    user_id: str = Field(description="The id of the user whose memories are searched.")
    limit: int = Field(default=5, description="How many memories to return at most, from 1.")
    metadata_filter: dict[str, Any] | None = Field(
        default=None,
        description="Conditions on the memories, such as {'category': 'preferences'} or "
        "{'memory_type__in': ['event', 'profile']}.",
    )
    min_relevance_score: float = Field(
        default=0.0,
        description="Leave out memories below this relevance, from 0.0 to 1.0, where 1.0 is the "
        "relevance of the best one.",
    )


class MemULangGraphTools:
    """The tools ``save_memory`` and ``search_memory`` over a ``MemoryService``.

    They work in synchronous agents and in asynchronous ones. A tool does not raise when the
    service fails: it answers what went wrong, so that the agent can correct itself, and logs the
    error.
    """

    def __init__(self, memory_service: Remembers) -> None:
        self.memory_service = memory_service

    def tools(self) -> list[BaseTool]:
        """Both tools, for ``ToolNode(…)``, ``bind_tools(…)`` and the like."""
        return [self.save_memory_tool(), self.search_memory_tool()]

    def save_memory_tool(self) -> StructuredTool:
        """``save_memory(content, user_id, metadata=None)``: remembers a text.

        The scope fields among ``metadata`` become part of whose memory it is. The answer names
        the others, which are not kept.
        """
        fields = scope_fields(self.memory_service) or ("user_id",)

        def request(given: dict[str, Any]) -> dict[str, Any]:
            asked = SaveRecallInput(**given)
            user = {key: value for key, value in _set(asked.metadata) if key in fields}
            return {
                "content": asked.content,
                "modality": "document",
                "user": _of_user(asked.user_id, user, "metadata"),
            }

        def answer(given: dict[str, Any], response: Mapping[str, Any]) -> str:
            unkept = [key for key, _ in _set(SaveRecallInput(**given).metadata)]
            unkept = [key for key in unkept if key not in fields]
            known = response.get("status") == "unchanged"
            text = "This was saved before." if known else "The memory was saved successfully."
            return f"{text} Metadata not kept: {', '.join(unkept)}." if unkept else text

        return self._tool(
            "save_memory",
            "Remember something about a user for later conversations: a fact, a wish, a decision.",
            SaveRecallInput,
            ("memorize", request, answer),
        )

    def search_memory_tool(self) -> StructuredTool:
        """``search_memory(query, user_id, limit=5, metadata_filter=None,
        min_relevance_score=0.0)``: the memories that answer a question, best first.

        ``metadata_filter`` takes whatever ``where`` of ``MemoryService.retrieve`` takes.
        Relevance is the share of the best memory's score.
        """

        def request(given: dict[str, Any]) -> dict[str, Any]:
            asked = SearchRecallInput(**given)
            conditions = dict(_set(asked.metadata_filter))
            return {
                "queries": [{"role": "user", "content": asked.query}],
                "where": _of_user(asked.user_id, conditions, "metadata_filter"),
                "top_k": asked.limit,
            }

        def answer(given: dict[str, Any], response: Mapping[str, Any]) -> str:
            asked = SearchRecallInput(**given)
            return _listed(hits_of(response)[: asked.limit], asked.min_relevance_score)

        return self._tool(
            "search_memory",
            "Look up what is remembered about a user from earlier conversations.",
            SearchRecallInput,
            ("retrieve", request, answer),
        )

    def _tool(
        self,
        name: str,
        description: str,
        arguments: type[BaseModel],
        work: tuple[
            str,
            Callable[[dict[str, Any]], dict[str, Any]],
            Callable[[dict[str, Any], Mapping[str, Any]], str],
        ],
    ) -> StructuredTool:
        verb, request, answer = work
        service = self.memory_service

        def run(**given: Any) -> str:
            try:
                return answer(given, getattr(service.sync, verb)(**request(given)))
            except Exception as error:
                return _failed(name, error)

        async def arun(**given: Any) -> str:
            try:
                return answer(given, await getattr(service, verb)(**request(given)))
            except Exception as error:
                return _failed(name, error)

        return StructuredTool.from_function(
            func=run,
            coroutine=arun,
            name=name,
            description=description,
            args_schema=arguments,
        )


def _set(metadata: dict[str, Any] | None) -> list[tuple[str, Any]]:
    """What a model has filled in: it often names a field that it leaves empty."""
    return [(key, value) for key, value in (metadata or {}).items() if value is not None]


def _of_user(user_id: str, others: dict[str, Any], argument: str) -> dict[str, Any]:
    """The fields with the user's, whom no other argument may replace."""
    if not user_id:
        raise ValueError("user_id must not be empty")
    if others.get("user_id", user_id) != user_id:
        raise ValueError(f"{argument} names another user than user_id")
    return {**others, "user_id": user_id}


def _listed(hits: list[Hit], least: float) -> str:
    best = max((hit.score for hit in hits), default=0.0)
    rated = [(hit.score / best if best > 0 else 0.0, hit.text) for hit in hits]
    lines = [f"({relevance:.2f}) {text}" for relevance, text in rated if relevance >= least]
    if not lines:
        return "No memories found."
    numbered = [f"{number}. {line}" for number, line in enumerate(lines, start=1)]
    return "\n".join(["Memories, the most relevant first:", *numbered])


def _failed(tool: str, error: Exception) -> str:
    logger.error("%s failed", tool, exc_info=error)
    return f"{tool} failed: {error}"
