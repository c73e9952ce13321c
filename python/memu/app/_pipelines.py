"""The pipelines of a service, which the Rust core runs."""

from __future__ import annotations

import weakref
from collections.abc import Awaitable, Mapping
from typing import Any

from memu._memu import Core
from memu.errors import ConfigError, OperationCancelledError
from memu.workflow.dispatcher import Dispatcher
from memu.workflow.step import WorkflowContext, WorkflowHandler, WorkflowState, WorkflowStep

PIPELINES = ("memorize", "retrieve")
"""The verbs that run a pipeline."""

# memU 1.x has a pipeline for each way to answer; here it is one, which looks at the configuration.
_NAMES = {"retrieve_rag": "retrieve", "retrieve_llm": "retrieve"}

Edit = tuple[str, str, str, WorkflowStep | None]
"""A pipeline, how it is changed, at which step, and with which other one."""

_PROFILES = {
    ("memorize", "preprocess_multimodal"): ("memorize_config", "preprocess_llm_profile"),
    ("memorize", "extract_items"): ("memorize_config", "memory_extract_llm_profile"),
    ("memorize", "categorize_items"): ("memorize_config", "category_update_llm_profile"),
    ("memorize", "persist_index"): ("memorize_config", "category_update_llm_profile"),
    ("retrieve", "route_intention"): ("retrieve_config", "route_intention_llm_profile"),
    ("retrieve", "route_category"): ("retrieve_config", "llm_ranking_llm_profile"),
    ("retrieve", "recall_items"): ("retrieve_config", "llm_ranking_llm_profile"),
    ("retrieve", "recall_resources"): ("retrieve_config", "llm_ranking_llm_profile"),
    ("retrieve", "sufficiency_after_category"): (
        "retrieve_config",
        "sufficiency_check_llm_profile",
    ),
    ("retrieve", "sufficiency_after_items"): ("retrieve_config", "sufficiency_check_llm_profile"),
}
"""Which setting says what profile a step uses."""


class Pipelines:
    """Changes to the pipelines of a core, kept so that they can be made again."""

    def __init__(self, core: Core, dispatcher: Dispatcher) -> None:
        self._core = core
        self._dispatcher = dispatcher
        self._edits: list[Edit] = []
        self._profiles: dict[tuple[str, str], str] = {}
        self._revisions: dict[str, int] = {}

    def own_steps(self, pipeline: str) -> list[WorkflowStep]:
        """The steps that callers put into a pipeline, in the order in which they came."""
        known = self.steps(pipeline)
        here = [edit for edit in self._edits if edit[0] == pipeline and _name(edit) in known]
        return [edit[3] for edit in here if edit[3] is not None]

    def steps(self, pipeline: str) -> list[str]:
        """The names of a pipeline's steps, in order."""
        return self._core.steps(_NAMES.get(pipeline, pipeline))

    def edit(self, pipeline: str, change: str, target: str, step: WorkflowStep | None) -> int:
        """Makes a change; returns how many there were.

        Raises:
            ConfigError: there is no such pipeline or step, or there already is one of that name.
            TypeError: what is put in is no step, or its handler cannot be called.
        """
        if step is not None:
            _check(step)
        edit: Edit = (_NAMES.get(pipeline, pipeline), change, target, step)
        _apply(self._core, edit)
        self._edits.append(edit)
        if step is not None:
            place = (edit[0], _name(edit))
            self._dispatcher.roles[place] = step.role
            self._dispatcher.configs[place] = step.config
        return self._count(edit[0])

    def configured(
        self, settings: dict[str, Any], pipeline: str, step_id: str, configs: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The settings with which a step uses another profile.

        Raises:
            ConfigError: there is no such step, it asks no model, or another key is given.
        """
        pipeline = _NAMES.get(pipeline, pipeline)
        known = self.steps(pipeline)
        if step_id not in known:
            raise ConfigError(
                f"the {pipeline} pipeline has no step {step_id!r}; it has {', '.join(known)}"
            )
        for key in configs:
            if key not in ("chat_llm_profile", "llm_profile"):
                raise ConfigError(f"a step is configured with chat_llm_profile, not with {key!r}")
        profile = configs.get("chat_llm_profile", configs.get("llm_profile"))
        place = _PROFILES.get((pipeline, step_id))
        if place is None:
            raise ConfigError(f"the step {step_id!r} asks no model")
        if not isinstance(profile, str) or not profile:
            raise ConfigError("chat_llm_profile is the name of a profile")
        section, key = place
        return {**settings, section: {**settings.get(section, {}), key: profile}}

    def settings(self, settings: dict[str, Any]) -> dict[str, Any]:
        """Settings with the profiles that steps were configured with."""
        for (section, key), profile in self._profiles.items():
            settings = {**settings, section: {**settings.get(section, {}), key: profile}}
        return settings

    def moved(self, core: Core, pipeline: str, settings: dict[str, Any]) -> int:
        """Makes the same changes to another core, whose settings these are."""
        for edit in self._edits:
            _apply(core, edit)
        self._core = core
        for section, key in set(_PROFILES.values()):
            if key in settings.get(section, {}):
                self._profiles[section, key] = settings[section][key]
        return self._count(_NAMES.get(pipeline, pipeline))

    def _count(self, pipeline: str) -> int:
        self._revisions[pipeline] = self._revisions.get(pipeline, 0) + 1
        return self._revisions[pipeline]


def _check(step: object) -> None:
    if not isinstance(step, WorkflowStep):
        raise TypeError(f"new_step must be a WorkflowStep, not a {type(step).__name__}")
    handler: object = step.handler
    if not callable(handler):
        kind = type(handler).__name__
        raise TypeError(f"the handler of the step {step.step_id!r} must be callable, not a {kind}")


def _apply(core: Core, edit: Edit) -> None:
    pipeline, change, target, step = edit
    if step is None:
        core.edit(pipeline, change, target)
    else:
        core.edit(pipeline, change, target, _name(edit), _handler(step))


def _name(edit: Edit) -> str:
    """What the core calls the step: one that takes the place of another takes its name, too."""
    _, change, target, step = edit
    return target if step is None or change == "replace" else step.step_id


def _handler(step: WorkflowStep) -> WorkflowHandler:
    """The step's handler, whose context has the settings of the step as well.

    The core holds it, so it must not hold the step, which may hold the service: see
    :class:`memu.workflow.dispatcher.Relay`. The edits of the service do.
    """
    known = weakref.ref(step)

    def handle(
        state: WorkflowState, context: WorkflowContext
    ) -> Awaitable[WorkflowState] | WorkflowState:
        step = known()
        if step is None:
            raise OperationCancelledError("the service is gone")
        if step.config:
            context = {**(context or {}), "step_config": dict(step.config)}
        return step.handler(state, context)

    return handle
