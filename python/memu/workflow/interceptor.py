"""Callables that watch the steps of pipelines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from memu.workflow._registry import InterceptorHandle, InterceptorRegistry, Moment
from memu.workflow.step import WorkflowState

__all__ = ["WorkflowInterceptorHandle", "WorkflowInterceptorRegistry", "WorkflowStepContext"]


@dataclass(frozen=True)
class WorkflowStepContext:
    """Which step is meant.

    Attributes:
        workflow_name: The pipeline, such as ``memorize``.
        step_id: The name of the step.
        step_role: What it is for; empty for the core's own steps.
        step_context: The same as a dictionary, with ``step_config`` where the step has one.
    """

    workflow_name: str
    step_id: str
    step_role: str
    step_context: dict[str, Any]


class WorkflowInterceptorHandle(InterceptorHandle):
    """Takes a callable that watches steps away again."""


class WorkflowInterceptorRegistry(InterceptorRegistry):
    """Callables that watch steps: called as they were registered, and the other way round after
    a step and on an error.

    Those before and after are given a :class:`WorkflowStepContext` and the state, a dictionary;
    those on error also the exception.
    """

    def register_before(
        self, fn: Callable[..., Any], *, name: str | None = None
    ) -> WorkflowInterceptorHandle:
        """Has ``fn(step_context, state)`` called before each step.

        Raises:
            TypeError: ``fn`` cannot be called.
        """
        return WorkflowInterceptorHandle(self, self._add("before", fn, name))

    def register_after(
        self, fn: Callable[..., Any], *, name: str | None = None
    ) -> WorkflowInterceptorHandle:
        """Has ``fn(step_context, state)`` called after each step that succeeded.

        Raises:
            TypeError: ``fn`` cannot be called.
        """
        return WorkflowInterceptorHandle(self, self._add("after", fn, name))

    def register_on_error(
        self, fn: Callable[..., Any], *, name: str | None = None
    ) -> WorkflowInterceptorHandle:
        """Has ``fn(step_context, state, error)`` called after each step that failed.

        Raises:
            TypeError: ``fn`` cannot be called.
        """
        return WorkflowInterceptorHandle(self, self._add("on_error", fn, name))

    async def run(
        self,
        moment: Moment,
        step: WorkflowStepContext,
        state: WorkflowState,
        error: BaseException | None = None,
    ) -> None:
        """Calls the callables for a moment, one after the other."""
        arguments = (step, state) if error is None else (step, state, error)
        for interceptor in self._at(moment):
            await self._call(interceptor, *arguments)
