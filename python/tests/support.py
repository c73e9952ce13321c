"""What several tests need: whose memories, a conversation, and how to call a verb."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import memu
from memu import MemoryService

ALICE = {"user_id": "alice"}
BOB = {"user_id": "bob"}
CONVERSATION = str(Path(__file__).parent / "data" / "conversation.json")
NOBODY = "00000000-0000-4000-8000-000000000000"
"""An id that no record has."""


class Call(Protocol):
    """Calls a verb of a service by name and gives back the answer: waiting or awaited."""

    def __call__(
        self, service: MemoryService, verb: str, *arguments: Any, **options: Any
    ) -> dict[str, Any]: ...


def sqlite(file: Path) -> dict[str, Any]:
    """The configuration of a store in this file."""
    return {"metadata_store": {"provider": "sqlite", "dsn": f"sqlite:///{file.as_posix()}"}}


def postgres(dsn: str) -> dict[str, Any]:
    """The configuration of a store in this database."""
    return {"metadata_store": {"provider": "postgres", "dsn": dsn}}


def openai(**profile: Any) -> dict[str, Any]:
    """Profiles: the stand-in for OpenAI chats, and this process embeds."""
    return {
        "default": {"api_key": "sk-nobody", "max_retries": 0, **profile},
        "embedding": {"provider": "local"},
    }


def memorized(service: MemoryService, user: Mapping[str, str] = ALICE) -> dict[str, Any]:
    """Remembers the conversation."""
    return service.sync.memorize(
        resource_url=CONVERSATION, modality="conversation", user=dict(user)
    )


def created(
    service: MemoryService,
    content: str,
    user: Mapping[str, str] = ALICE,
    *,
    memory_type: str = "profile",
    category: str = "activities",
) -> dict[str, Any]:
    """Keeps a memory, and gives it back."""
    answer = service.sync.create_memory_item(
        memory_type=memory_type,
        memory_content=content,
        memory_categories=[category],
        user=dict(user),
    )
    item: dict[str, Any] = answer["memory_item"]
    return item


def summaries(service: MemoryService, where: Mapping[str, str] = ALICE) -> list[str]:
    """The texts of the memories that there are."""
    return [item["summary"] for item in service.sync.list_memory_items(where)["items"]]


def everything(service: MemoryService) -> tuple[list[Any], list[Any], list[Any]]:
    """All that is listed, to tell whether anything has changed."""
    memory = service.sync
    return (
        memory.list_memory_items(all_scopes=True)["items"],
        memory.list_memory_categories(all_scopes=True)["categories"],
        memory.list_resources(all_scopes=True)["resources"],
    )


def assert_record(record: Mapping[str, Any], *fields: str) -> None:
    """A record has exactly these fields beside those of every record, and its times are UTC."""
    assert set(record) == {"id", "created_at", "updated_at", "user_id", *fields}
    for name in ("created_at", "updated_at"):
        moment = record[name]
        assert isinstance(moment, datetime)
        assert moment.utcoffset() == timedelta(0)
        assert abs(datetime.now(UTC) - moment) < timedelta(minutes=5)


ITEM = ("resource_id", "memory_type", "summary", "happened_at", "extra")
CATEGORY = ("name", "description", "summary")
RELATION = ("item_id", "category_id")
RESOURCE = (
    "url",
    "modality",
    "local_path",
    "caption",
    "content_hash",
    "external_id",
    "segment_count",
)


def program(
    code: str,
    folder: Path,
    *arguments: str,
    variables: Mapping[str, str] | None = None,
    timeout: float = 60,
) -> str:
    """Runs a program of Python in a folder, and gives back what it printed.

    It must end well and in time; where it does not, all that it started ends with it.
    """
    here = os.pathsep.join([str(Path(memu.__file__).parents[1]), str(Path(__file__).parent)])
    running = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": here, **(variables or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        printed, complaints = running.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
        printed, complaints = running.communicate()
        raise AssertionError(f"no end after {timeout} s; so far: {printed}{complaints}") from None
    assert running.returncode == 0, printed + complaints
    return printed
