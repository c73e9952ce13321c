"""What runs the pipelines of a service."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol, TypeAlias, cast, runtime_checkable

from memu.errors import ConfigError, UnsupportedError
from memu.workflow.step import WorkflowContext, WorkflowState, WorkflowStep

if TYPE_CHECKING:
    from memu.workflow.interceptor import WorkflowInterceptorRegistry

__all__ = [
    "RUN_IN_CORE",
    "LocalWorkflowRunner",
    "RunnerFactory",
    "WorkflowRunner",
    "WorkflowRunnerSpec",
    "register_workflow_runner",
    "resolve_workflow_runner",
]

RUN_IN_CORE = "run_in_core"
"""Where the context of a runner holds what has the core run a pipeline: a function of the state
that gives back the state afterwards, awaitable."""


@runtime_checkable
class WorkflowRunner(Protocol):
    """Runs a pipeline, or has another runner do it.

    The steps of MemU itself are done by the core. A runner that does something of its own around
    them is a :class:`LocalWorkflowRunner` whose ``run`` calls ``super().run(…)``.
    """

    name: str

    async def run(
        self,
        workflow_name: str,
        steps: list[WorkflowStep],
        initial_state: WorkflowState,
        context: WorkflowContext = None,
        interceptor_registry: WorkflowInterceptorRegistry | None = None,
    ) -> WorkflowState:
        """Runs the pipeline of this name on a state, and gives back the state afterwards."""
        ...


class LocalWorkflowRunner:
    """Has the core run pipelines, in this process."""

    name = "local"

    async def run(
        self,
        workflow_name: str,
        steps: list[WorkflowStep],
        initial_state: WorkflowState,
        context: WorkflowContext = None,
        interceptor_registry: WorkflowInterceptorRegistry | None = None,
    ) -> WorkflowState:
        """Has the core run the pipeline of this name, as :data:`RUN_IN_CORE` of the context says.

        ``steps`` are those that the caller put into the pipeline; the core knows them, and tells
        the interceptors, already.

        Raises:
            UnsupportedError: The context comes from no service.
        """
        run_in_core = (context or {}).get(RUN_IN_CORE)
        if run_in_core is None:
            raise UnsupportedError(
                f"the pipeline {workflow_name!r} runs in MemU's core: call the verb of a "
                "MemoryService, which runs it"
            )
        run = cast("Callable[[WorkflowState], Awaitable[WorkflowState]]", run_in_core)
        return await run(initial_state)


RunnerFactory: TypeAlias = Callable[[], WorkflowRunner]
WorkflowRunnerSpec: TypeAlias = WorkflowRunner | str | None

_FACTORIES: dict[str, RunnerFactory] = {
    "local": LocalWorkflowRunner,
    "sync": LocalWorkflowRunner,
}


def register_workflow_runner(name: str, factory: RunnerFactory) -> None:
    """Makes a runner known by name, in place of one that has it already.

    Space around the name and case make no difference.

    Raises:
        ConfigError: The name is empty.
    """
    key = name.strip().lower()
    if not key:
        raise ConfigError("the name of a workflow runner must not be empty")
    _FACTORIES[key] = factory


def resolve_workflow_runner(spec: WorkflowRunnerSpec) -> WorkflowRunner:
    """The runner of this name, or the runner itself where it is one; None is ``local``.

    Raises:
        ConfigError: No runner is registered under this name.
        TypeError: It is neither a name nor a runner, or what was registered makes none.
    """
    if isinstance(spec, WorkflowRunner):
        return spec
    given = cast("object", spec)
    if given is not None and not isinstance(given, str):
        kind = type(given).__name__
        raise TypeError(f"workflow_runner is a WorkflowRunner or the name of one, not a {kind}")
    name = (given or "local").strip().lower()
    factory = _FACTORIES.get(name)
    if factory is None:
        raise ConfigError(
            f"there is no workflow runner {name!r}; there are {', '.join(sorted(_FACTORIES))}. "
            "register_workflow_runner adds others"
        )
    runner = cast("object", factory())
    if not isinstance(runner, WorkflowRunner):
        raise TypeError(f"the factory of the workflow runner {name!r} makes no WorkflowRunner")
    return runner
