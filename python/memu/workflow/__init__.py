"""Steps that callers put into pipelines, and callables that watch them.

Pipelines run in the Rust core; what is here is what a caller gives to it.
"""

from __future__ import annotations

from memu.workflow.interceptor import (
    WorkflowInterceptorHandle,
    WorkflowInterceptorRegistry,
    WorkflowStepContext,
)
from memu.workflow.runner import (
    LocalWorkflowRunner,
    WorkflowRunner,
    register_workflow_runner,
    resolve_workflow_runner,
)
from memu.workflow.step import WorkflowContext, WorkflowState, WorkflowStep

__all__ = [
    "LocalWorkflowRunner",
    "WorkflowContext",
    "WorkflowInterceptorHandle",
    "WorkflowInterceptorRegistry",
    "WorkflowRunner",
    "WorkflowState",
    "WorkflowStep",
    "WorkflowStepContext",
    "register_workflow_runner",
    "resolve_workflow_runner",
]
