"""The service, its configuration, and what runs its pipelines."""

from __future__ import annotations

from memu.app.service import MemoryService
from memu.app.settings import (
    BlobConfig,
    DatabaseConfig,
    DefaultUserModel,
    LLMConfig,
    LLMProfilesConfig,
    MemorizeConfig,
    RetrieveConfig,
    UserConfig,
)
from memu.workflow.runner import (
    LocalWorkflowRunner,
    WorkflowRunner,
    register_workflow_runner,
    resolve_workflow_runner,
)

__all__ = [
    "BlobConfig",
    "DatabaseConfig",
    "DefaultUserModel",
    "LLMConfig",
    "LLMProfilesConfig",
    "LocalWorkflowRunner",
    "MemorizeConfig",
    "MemoryService",
    "RetrieveConfig",
    "UserConfig",
    "WorkflowRunner",
    "register_workflow_runner",
    "resolve_workflow_runner",
]
