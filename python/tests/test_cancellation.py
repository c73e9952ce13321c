"""Giving up: what was not stored by then is not stored at all, and the store stays of use."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from fake_openai import FakeOpenAI, completion, reply
from support import ALICE, CONVERSATION, everything, memorized, openai, sqlite, summaries

import memu
from memu import MemoryService
from memu.errors import ModelTimeoutError
from memu.workflow.step import WorkflowStep


class SlowModel:
    """A server that answers chats as the stand-in for OpenAI does, but not before it may."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.may_answer = threading.Event()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                owner.asked.set()
                owner.may_answer.wait(30)
                content = json.dumps(completion(body, reply(body))).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                try:
                    self.wfile.write(content)
                except OSError:
                    pass  # Whoever asked is gone.

            def log_message(self, format: str, *args: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.base_url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def close(self) -> None:
        self.may_answer.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def slow_model(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowModel]:
    model = SlowModel()
    monkeypatch.setenv("OPENAI_BASE_URL", model.base_url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield model
    model.close()


@pytest.fixture
def slow(slow_model: SlowModel, store: dict[str, Any] | None) -> Iterator[MemoryService]:
    """A service whose model takes its time, with each kind of store."""
    service = MemoryService(llm_profiles=openai(), database_config=store)
    yield service
    service.sync.close()


async def begun(slow_model: SlowModel, service: MemoryService) -> asyncio.Task[dict[str, Any]]:
    """A memorize that waits for its model."""
    work = service.memorize(resource_url=CONVERSATION, modality="conversation", user=ALICE)
    task = asyncio.ensure_future(work)
    assert await asyncio.to_thread(slow_model.asked.wait, 10)
    return task


async def test_a_cancelled_task_stores_nothing(slow_model: SlowModel, slow: MemoryService) -> None:
    task = await begun(slow_model, slow)
    started = time.perf_counter()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.perf_counter() - started < 1
    assert everything(slow) == ([], [], [])
    slow_model.may_answer.set()
    await asyncio.sleep(0.2)
    assert everything(slow) == ([], [], [])
    result = await slow.memorize(resource_url=CONVERSATION, modality="conversation", user=ALICE)
    assert result["status"] == "created"
    assert len(summaries(slow)) == len(result["items"])
    findings = (await slow.check())["findings"]
    assert {finding["severity"] for finding in findings} == {"ok"}


async def test_a_time_out_stores_nothing(slow_model: SlowModel, slow: MemoryService) -> None:
    started = time.perf_counter()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await slow.memorize(resource_url=CONVERSATION, modality="conversation", user=ALICE)
    assert time.perf_counter() - started < 2
    assert everything(slow) == ([], [], [])
    slow_model.may_answer.set()
    assert memorized(slow)["status"] == "created"


async def test_others_go_on_when_one_is_cancelled(
    slow_model: SlowModel, slow: MemoryService
) -> None:
    task = await begun(slow_model, slow)
    other = asyncio.ensure_future(
        slow.memorize(
            content=[{"role": "user", "content": "I am allergic to peanuts."}],
            modality="conversation",
            user={"user_id": "bob"},
        )
    )
    task.cancel()
    slow_model.may_answer.set()
    assert (await other)["status"] == "created"
    assert everything(slow)[2][0]["user_id"] == "bob"
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_loop_that_is_closed_over_a_call_does_no_harm(
    slow_model: SlowModel, slow: MemoryService
) -> None:
    async def abandon() -> None:
        await begun(slow_model, slow)

    # `asyncio.run` cancels what is left.
    asyncio.run(abandon())
    slow_model.may_answer.set()
    assert everything(slow) == ([], [], [])
    assert memorized(slow)["status"] == "created"


def test_a_model_that_is_too_slow_is_a_time_out(slow_model: SlowModel) -> None:
    service = MemoryService(llm_profiles=openai(timeout_s=0.3))
    with pytest.raises(ModelTimeoutError) as raised:
        memorized(service)
    assert isinstance(raised.value, TimeoutError)
    assert isinstance(raised.value, RuntimeError)
    assert everything(service) == ([], [], [])


async def test_a_step_in_python_is_cancelled_with_its_task(fake_openai: FakeOpenAI) -> None:
    service = MemoryService()
    ended: list[str] = []
    begun = asyncio.Event()

    async def handler(state: Any, context: Any) -> Any:
        begun.set()
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise
        return state

    service.insert_step_after(
        target_step_id="extract_items",
        new_step=WorkflowStep(step_id="slow", role="wait", handler=handler),
    )
    task = asyncio.ensure_future(
        service.memorize(resource_url=CONVERSATION, modality="conversation", user=ALICE)
    )
    await asyncio.wait_for(begun.wait(), 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0.5)
    assert ended == ["cancelled"]
    assert everything(service) == ([], [], [])


INTERRUPTED = """
import sys
from pathlib import Path
from support import ALICE, CONVERSATION, openai, sqlite
from memu import MemoryService

service = MemoryService(llm_profiles=openai(), database_config=sqlite(Path("memu.db")))
print("ready", flush=True)
try:
    service.sync.memorize(resource_url=CONVERSATION, modality="conversation", user=ALICE)
except KeyboardInterrupt:
    print("interrupted", service.sync.stats(all_scopes=True)["items"], flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT for one process")
def test_an_interrupt_ends_a_call_within_a_second(slow_model: SlowModel, tmp_path: Path) -> None:
    here = os.pathsep.join([str(Path(memu.__file__).parents[1]), str(Path(__file__).parent)])
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": here},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            assert slow_model.asked.wait(10)
            started = time.perf_counter()
            process.send_signal(signal.SIGINT)
            assert process.stdout.readline() == "interrupted 0\n"
            assert time.perf_counter() - started < 1
            assert process.wait(10) == 0
        finally:
            process.kill()
    slow_model.may_answer.set()
    service = MemoryService(llm_profiles=openai(), database_config=sqlite(tmp_path / "memu.db"))
    assert everything(service) == ([], [], [])
    assert memorized(service)["status"] == "created"
    assert {one["severity"] for one in service.sync.check()["findings"]} == {"ok"}
    service.sync.close()


@pytest.mark.parametrize("moment", [0.0, 0.001, 0.003, 0.01, 0.03])
async def test_whenever_it_is_cancelled_it_is_all_or_nothing(
    service: MemoryService, moment: float
) -> None:
    task = asyncio.ensure_future(
        service.memorize(resource_url=CONVERSATION, modality="conversation", user=ALICE)
    )
    await asyncio.sleep(moment)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        pass
    again = await service.memorize(resource_url=CONVERSATION, modality="conversation", user=ALICE)
    assert again["status"] in ("created", "unchanged")
    stats = await service.stats(ALICE)
    assert (stats["resources"], stats["segments"]) == (1, 7)
    assert stats["items"] == len(again["items"])
    assert {one["severity"] for one in (await service.check())["findings"]} == {"ok"}


def raises(error: BaseException) -> Callable[..., Any]:
    def handler(state: Any, context: Any) -> Any:
        raise error

    return handler


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), asyncio.CancelledError()])
def test_what_ends_a_program_passes_through_a_step(error: BaseException) -> None:
    service = MemoryService()
    service.insert_step_after(
        target_step_id="extract_items",
        new_step=WorkflowStep(step_id="end", role="end", handler=raises(error)),
    )
    with pytest.raises(type(error)):
        memorized(service)
    assert everything(service) == ([], [], [])
