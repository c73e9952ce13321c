"""A step that a caller puts into a pipeline."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

__all__ = ["WorkflowContext", "WorkflowHandler", "WorkflowState", "WorkflowStep"]

WorkflowState: TypeAlias = dict[str, Any]
WorkflowContext: TypeAlias = Mapping[str, Any] | None
WorkflowHandler: TypeAlias = Callable[
    [WorkflowState, WorkflowContext], Awaitable[WorkflowState] | WorkflowState
]


@dataclass
class WorkflowStep:
    """A step: the core calls ``handler(state, context)`` when the pipeline comes to it.

    The handler, plain or ``async``, gives back the state that the next step is to have, a
    dictionary; anything else is an error.

    Attributes:
        step_id: Its name, which no other step of the pipeline has.
        role: What it is for, in a word.
        handler: What does it.
        description: What it does, for the reader.
        requires: The keys of the state that it reads.
        produces: The keys of the state that it sets.
        capabilities: What it needs: ``llm``, ``vector``, ``db``, ``io``, ``vision``.
        config: Settings of its own, which the handler finds as ``step_config`` in its context.
    """

    step_id: str
    role: str
    handler: WorkflowHandler
    description: str = ""
    requires: set[str] = field(default_factory=set[str])
    produces: set[str] = field(default_factory=set[str])
    capabilities: set[str] = field(default_factory=set[str])
    config: dict[str, Any] = field(default_factory=dict[str, Any])

    def copy(self) -> WorkflowStep:
        """Another step with the same handler, and with sets and settings of its own."""
        return replace(
            self,
            requires=set(self.requires),
            produces=set(self.produces),
            capabilities=set(self.capabilities),
            config=dict(self.config),
        )
