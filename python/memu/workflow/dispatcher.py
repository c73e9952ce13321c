"""What the core tells about its work, brought to the callables that want to hear of it."""

from __future__ import annotations

import hashlib
import uuid
import weakref
from collections.abc import Callable, Mapping
from typing import Any

from memu.workflow._registry import Moment
from memu.workflow.interceptor import WorkflowInterceptorRegistry, WorkflowStepContext
from memu.workflow.llm_call import (
    LLMCallContext,
    LLMInterceptorRegistry,
    LLMRequestView,
    LLMResponseView,
    LLMUsage,
)

__all__ = ["Dispatcher", "Relay"]

_STEPS: dict[str, Moment] = {
    "before_step": "before",
    "after_step": "after",
    "on_step_error": "on_error",
}


class Dispatcher:
    """Is told by the native module what happens, and tells the callables of a service.

    ``roles`` and ``configs`` of steps by pipeline and step are what the service keeps of the
    steps that it was given.
    """

    def __init__(self) -> None:
        self.steps = WorkflowInterceptorRegistry()
        self.calls = LLMInterceptorRegistry()
        self.roles: dict[tuple[str, str], str] = {}
        self.configs: dict[tuple[str, str], dict[str, Any]] = {}
        # Calls that were begun and are not over, by what the core knows them by.
        self._begun: dict[object, tuple[LLMCallContext, LLMRequestView]] = {}

    def connect(self, watch: Callable[[bool], None]) -> None:
        """Has ``watch`` told, now and from now on, whether anybody wants to hear anything."""

        def tell() -> None:
            watch(bool(self.steps) or bool(self.calls))

        self.steps.on_change(tell)
        self.calls.on_change(tell)
        tell()

    async def dispatch(self, event: str, info: dict[str, Any], payload: Any) -> None:
        """Passes one event on.

        Of a step, ``info`` has ``workflow_name`` and ``step_id``, and ``payload`` is the state, or
        the exception of ``on_step_error``. Of a call to a model, ``info`` has ``profile``,
        ``step_id``, ``provider``, ``model`` and, where they are known, ``operation`` and ``call``,
        which is the same for all events of a call; ``payload`` is the request, the reply or the
        exception.
        """
        moment = _STEPS.get(event)
        if moment == "on_error":
            await self.steps.run(moment, self._step(info), {}, payload)
        elif moment is not None:
            await self.steps.run(moment, self._step(info), payload)
        elif event == "before_call":
            call, request = _call(info), _request(payload)
            if "call" in info:
                self._begun[info["call"]] = (call, request)
            await self.calls.run("before", call, request)
        elif event == "after_call":
            await self.calls.run("after", *self._ended(info), _response(payload), _usage(payload))
        elif event == "on_call_error":
            usage = LLMUsage(status="error")
            await self.calls.run("on_error", *self._ended(info), payload, usage)

    def _step(self, info: dict[str, Any]) -> WorkflowStepContext:
        workflow_name, step_id = info["workflow_name"], info["step_id"]
        step_context: dict[str, Any] = {"workflow_name": workflow_name, "step_id": step_id}
        if config := self.configs.get((workflow_name, step_id)):
            step_context["step_config"] = dict(config)
        role = self.roles.get((workflow_name, step_id), "")
        return WorkflowStepContext(workflow_name, step_id, role, step_context)

    def _ended(self, info: dict[str, Any]) -> tuple[LLMCallContext, LLMRequestView]:
        # Nobody may have listened when the call began.
        begun = self._begun.pop(info.get("call"), None)
        return begun or (_call(info), LLMRequestView(kind="unknown"))


class Relay:
    """What the native module holds in place of a dispatcher, which ends with its service.

    The callables that a dispatcher holds may hold the service, and the service the native module:
    Python finds and frees such a circle only where no part of it is hidden in there.
    """

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = weakref.ref(dispatcher)

    async def dispatch(self, event: str, info: dict[str, Any], payload: Any) -> None:
        """Passes one event on, as :meth:`Dispatcher.dispatch`."""
        dispatcher = self._dispatcher()
        if dispatcher is not None:
            await dispatcher.dispatch(event, info, payload)


def _call(info: dict[str, Any]) -> LLMCallContext:
    return LLMCallContext(
        profile=info["profile"],
        request_id=uuid.uuid4().hex,
        trace_id=None,
        operation=info.get("operation"),
        step_id=info.get("step_id") or None,
        provider=info.get("provider") or None,
        model=info.get("model") or None,
        tags=None,
    )


def _request(payload: Mapping[str, Any]) -> LLMRequestView:
    if payload["kind"] == "embed":
        texts: list[str] = list(payload["texts"])
        return LLMRequestView(
            kind="embed",
            input_items=len(texts),
            input_chars=sum(map(len, texts)),
            content=texts,
            content_hash=_hash("".join(f"{text}\0" for text in texts)),
        )
    chat = payload["request"]
    messages = chat["messages"]
    asked = "\n".join(one["content"] for one in messages if one["role"] != "system")
    system = sum(len(one["content"]) for one in messages if one["role"] == "system")
    return LLMRequestView(
        kind="chat",
        input_items=1,
        input_chars=len(asked),
        content=asked,
        content_hash=_hash(asked),
        metadata={
            "system_prompt_chars": system,
            "images": sum(len(one.get("images", ())) for one in messages),
            "max_tokens": chat.get("max_tokens"),
            "temperature": chat.get("temperature"),
        },
    )


def _response(payload: Mapping[str, Any]) -> LLMResponseView:
    text: str = payload["text"]
    if not text:
        return LLMResponseView()
    return LLMResponseView(
        output_items=1, output_chars=len(text), content=text, content_hash=_hash(text)
    )


def _usage(payload: Mapping[str, Any]) -> LLMUsage:
    usage = payload["usage"]
    # 0 where the provider does not tell.
    read, written = usage["input_tokens"] or None, usage["output_tokens"] or None
    return LLMUsage(
        input_tokens=read,
        output_tokens=written,
        total_tokens=(read or 0) + (written or 0) or None,
        latency_ms=usage["latency"] * 1000,
        finish_reason=payload["finish_reason"],
        status="success",
    )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
