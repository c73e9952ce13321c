"""The memory service: memU's API on MemU's Rust core."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Mapping
from functools import cached_property
from types import TracebackType
from typing import Any, Self, cast

from pydantic import BaseModel

from memu._memu import Core
from memu.app._core_settings import retrieve_to_core, scope_fields, to_core
from memu.app._pipelines import PIPELINES, Pipelines
from memu.app._requests import Ranking
from memu.app._section import validated
from memu.app._sync_verbs import SyncVerbs
from memu.app._verbs import AsyncVerbs
from memu.app.settings import (
    BlobConfig,
    BudgetConfig,
    DatabaseConfig,
    LLMConfig,
    LLMProfilesConfig,
    MemorizeConfig,
    RetrieveConfig,
    UserConfig,
)
from memu.database._store import NativeStore
from memu.errors import ConfigError
from memu.llm.wrapper import LLMInterceptorHandle
from memu.workflow.dispatcher import Dispatcher, Relay
from memu.workflow.interceptor import WorkflowInterceptorHandle
from memu.workflow.runner import (
    RUN_IN_CORE,
    LocalWorkflowRunner,
    WorkflowRunner,
    resolve_workflow_runner,
)
from memu.workflow.step import WorkflowState, WorkflowStep

__all__ = ["MemoryService", "SyncMemoryService"]

Where = Mapping[str, Any] | Callable[..., Any] | None


class MemoryService(AsyncVerbs):
    """Memory for agents: everything that it does is a verb, to be awaited.

    ``service.sync`` has the same verbs for programs without an event loop. All arguments are
    dictionaries or the models of ``memu.app.settings``; without any, memories are kept in this
    process, and no key and no network are needed.

    Raises:
        memu.errors.ConfigError: a setting is unknown or out of range (also a ``ValueError``).
        memu.errors.MemuError: the store cannot be opened.
    """

    def __init__(
        self,
        *,
        llm_profiles: LLMProfilesConfig | Mapping[str, Any] | None = None,
        blob_config: BlobConfig | Mapping[str, Any] | None = None,
        database_config: DatabaseConfig | Mapping[str, Any] | None = None,
        memorize_config: MemorizeConfig | Mapping[str, Any] | None = None,
        retrieve_config: RetrieveConfig | Mapping[str, Any] | None = None,
        workflow_runner: WorkflowRunner | str | None = None,
        user_config: UserConfig | Mapping[str, Any] | None = None,
        budget: BudgetConfig | Mapping[str, Any] | None = None,
    ) -> None:
        self._has_profiles = llm_profiles is not None
        self._llm_profiles = validated("llm_profiles", llm_profiles, LLMProfilesConfig)
        self._blob_config = validated("blob_config", blob_config, BlobConfig)
        self._database_config = validated("database_config", database_config, DatabaseConfig)
        self._memorize_config = validated("memorize_config", memorize_config, MemorizeConfig)
        self._retrieve_config = validated("retrieve_config", retrieve_config, RetrieveConfig)
        self._user_config = validated("user_config", user_config, UserConfig)
        self._budget = validated("budget", budget, BudgetConfig)
        self._workflow_runner = resolve_workflow_runner(workflow_runner)
        self._user_model = self._user_config.model
        self._asked_with = retrieve_to_core(self._retrieve_config)
        self._dispatcher = Dispatcher()
        fields = None if scope_fields(self.user_config) else list(self._user_model.model_fields)
        self._core = Core.open(self._settings(), fields, Relay(self._dispatcher))
        self._pipelines = Pipelines(self._core, self._dispatcher)
        # Weak, so that the store is closed as soon as nobody holds the service.
        watch = weakref.WeakMethod(self._watch)

        def tell(watched: bool) -> None:
            method = watch()
            if method is not None:
                method(watched)

        self._dispatcher.connect(tell)

    @property
    def llm_profiles(self) -> LLMProfilesConfig:
        """The profiles of models. Like all sections but ``retrieve_config``, they count as they
        were when the service was made; assigning others is an error."""
        return self._llm_profiles

    @property
    def blob_config(self) -> BlobConfig:
        """Where large files are kept."""
        return self._blob_config

    @property
    def database_config(self) -> DatabaseConfig:
        """Where memories are kept."""
        return self._database_config

    @property
    def memorize_config(self) -> MemorizeConfig:
        """How content becomes memories."""
        return self._memorize_config

    @property
    def user_config(self) -> UserConfig:
        """Whose memories they are."""
        return self._user_config

    @property
    def budget(self) -> BudgetConfig:
        """What models may take."""
        return self._budget

    @property
    def user_model(self) -> type[BaseModel]:
        """The model of a scope's fields."""
        return self._user_model

    @property
    def retrieve_config(self) -> RetrieveConfig:
        """How questions are answered; a change counts from the next one on."""
        return self._retrieve_config

    @retrieve_config.setter
    def retrieve_config(self, config: RetrieveConfig | Mapping[str, Any]) -> None:
        self._retrieve_config = validated("retrieve_config", config, RetrieveConfig)

    @property
    def llm_config(self) -> LLMConfig:
        """The profile of every step that names no other."""
        return self.llm_profiles.default

    @property
    def workflow_runner(self) -> WorkflowRunner:
        """What runs the steps of pipelines."""
        return self._workflow_runner

    @cached_property
    def database(self) -> NativeStore:
        """The store below the verbs, with its four repositories."""
        return NativeStore(self._core.database(), self._user_model)

    @property
    def sync(self) -> SyncMemoryService:
        """The same verbs for programs without an event loop: they wait, and are not awaited."""
        return SyncMemoryService(self)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        store = self.database_config.metadata_store
        return f"MemoryService({store.provider})"

    # Interceptors.

    def intercept_before_llm_call(
        self,
        fn: Callable[..., Any],
        *,
        name: str | None = None,
        priority: int = 0,
        where: Where = None,
    ) -> LLMInterceptorHandle:
        """Calls ``fn(context, request)`` before a model is asked.

        What it raises is logged and keeps nothing from happening, as with all interceptors.

        Args:
            fn: Sync or async.
            name: What to call it in messages.
            priority: Lower ones come first.
            where: Only for calls that match, such as ``{"step_ids": {"extract_items"}}``.

        Returns:
            A handle; ``handle.dispose()`` takes it back.
        """
        return self._dispatcher.calls.register_before(fn, name=name, priority=priority, where=where)

    def intercept_after_llm_call(
        self,
        fn: Callable[..., Any],
        *,
        name: str | None = None,
        priority: int = 0,
        where: Where = None,
    ) -> LLMInterceptorHandle:
        """Calls ``fn(context, request, response, usage)`` with every answer of a model."""
        return self._dispatcher.calls.register_after(fn, name=name, priority=priority, where=where)

    def intercept_on_error_llm_call(
        self,
        fn: Callable[..., Any],
        *,
        name: str | None = None,
        priority: int = 0,
        where: Where = None,
    ) -> LLMInterceptorHandle:
        """Calls ``fn(context, request, error, usage)`` when a model gave no usable answer."""
        return self._dispatcher.calls.register_on_error(
            fn, name=name, priority=priority, where=where
        )

    def intercept_before_workflow_step(
        self, fn: Callable[..., Any], *, name: str | None = None
    ) -> WorkflowInterceptorHandle:
        """Calls ``fn(step_context, state)`` before every step of a pipeline."""
        return self._dispatcher.steps.register_before(fn, name=name)

    def intercept_after_workflow_step(
        self, fn: Callable[..., Any], *, name: str | None = None
    ) -> WorkflowInterceptorHandle:
        """Calls ``fn(step_context, state)`` after every step that succeeded."""
        return self._dispatcher.steps.register_after(fn, name=name)

    def intercept_on_error_workflow_step(
        self, fn: Callable[..., Any], *, name: str | None = None
    ) -> WorkflowInterceptorHandle:
        """Calls ``fn(step_context, state, error)`` after a step that failed."""
        return self._dispatcher.steps.register_on_error(fn, name=name)

    # Pipelines.

    def configure_pipeline(
        self, *, step_id: str, configs: Mapping[str, Any], pipeline: str = "memorize"
    ) -> int:
        """Lets a step use another model profile for all later calls.

        Args:
            step_id: The step.
            configs: ``chat_llm_profile`` (or ``llm_profile``): the name of a profile.
            pipeline: ``memorize``, ``retrieve_rag``, ``retrieve_llm`` or ``retrieve``.

        Returns:
            The number of changes to the pipeline so far, this one included.
        """
        settings = self._pipelines.configured(self._settings(), pipeline, step_id, configs)
        core = self._core.reopen(settings)
        revision = self._pipelines.moved(core, pipeline, settings)
        self._core = core
        self.__dict__.pop("database", None)
        return revision

    def insert_step_before(
        self, *, target_step_id: str, new_step: WorkflowStep, pipeline: str = "memorize"
    ) -> int:
        """Puts a step before another one; returns the number of changes so far."""
        return self._pipelines.edit(pipeline, "insert_before", target_step_id, new_step)

    def insert_step_after(
        self, *, target_step_id: str, new_step: WorkflowStep, pipeline: str = "memorize"
    ) -> int:
        """Puts a step after another one; returns the number of changes so far."""
        return self._pipelines.edit(pipeline, "insert_after", target_step_id, new_step)

    def replace_step(
        self, *, target_step_id: str, new_step: WorkflowStep, pipeline: str = "memorize"
    ) -> int:
        """Puts a step in the place of another one; returns the number of changes so far."""
        return self._pipelines.edit(pipeline, "replace", target_step_id, new_step)

    def remove_step(self, *, target_step_id: str, pipeline: str = "memorize") -> int:
        """Takes a step out; returns the number of changes so far."""
        return self._pipelines.edit(pipeline, "remove", target_step_id, None)

    def list_steps(self, pipeline: str = "memorize") -> list[str]:
        """The names of a pipeline's steps, in order."""
        return self._pipelines.steps(pipeline)

    # What the verbs need.

    async def _call(self, verb: str, request: dict[str, Any]) -> dict[str, Any]:
        if type(self._workflow_runner) is LocalWorkflowRunner or verb not in PIPELINES:
            return await self._core.start(verb, request)
        return await self._run_by_runner(verb, request)

    async def _run_by_runner(self, verb: str, request: dict[str, Any]) -> dict[str, Any]:
        async def run_in_core(state: WorkflowState) -> WorkflowState:
            given = {key: value for key, value in state.items() if key != "response"}
            return {**state, "response": await self._core.start(verb, given)}

        state = await self._workflow_runner.run(
            verb,
            self._pipelines.own_steps(verb),
            dict(request),
            {"workflow_name": verb, RUN_IN_CORE: run_in_core},
            self._dispatcher.steps,
        )
        response = state.get("response")
        if not isinstance(response, dict):
            runner = self._workflow_runner.name
            raise ConfigError(f"the workflow runner {runner!r} gave back a state with no response")
        return cast("dict[str, Any]", response)

    def _wait(self, verb: str, request: dict[str, Any]) -> dict[str, Any]:
        if type(self._workflow_runner) is LocalWorkflowRunner or verb not in PIPELINES:
            return self._core.run(verb, request)
        return asyncio.run(self._run_by_runner(verb, request))

    def _retrieve_override(self, ranking: Ranking | None) -> dict[str, Any]:
        wanted = retrieve_to_core(self._retrieve_config)
        override = {} if wanted == self._asked_with else wanted
        if ranking is not None:
            override["item"] = {**override.get("item", {}), "ranking": ranking}
        return override

    def _watch(self, watched: bool) -> None:
        self._core.watch(watched)

    def _settings(self) -> dict[str, Any]:
        settings = to_core(
            llm_profiles=self.llm_profiles if self._has_profiles else None,
            blob_config=self.blob_config,
            database_config=self.database_config,
            memorize_config=self.memorize_config,
            retrieve_config=self.retrieve_config,
            budget=self.budget,
            user_config=self.user_config,
        )
        return self._pipelines.settings(settings) if hasattr(self, "_pipelines") else settings


class SyncMemoryService(SyncVerbs):
    """The verbs of a service, which wait for what they do.

    The interpreter goes on with other threads meanwhile; Ctrl-C takes back what is not done.
    """

    def __init__(self, service: MemoryService) -> None:
        self._service = service
        self._user_model = service.user_model

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _call(self, verb: str, request: dict[str, Any]) -> dict[str, Any]:
        return self._service._wait(verb, request)  # pyright: ignore[reportPrivateUsage]

    def _retrieve_override(self, ranking: Ranking | None) -> dict[str, Any]:
        return self._service._retrieve_override(ranking)  # pyright: ignore[reportPrivateUsage]
