"""What a program is given can be pickled: results, records, errors, settings. A service cannot."""

from __future__ import annotations

import copy
import json
import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from support import ALICE, Call, created, memorized, sqlite

from memu import MemoryService
from memu.app.settings import DatabaseConfig, LLMConfig, RetrieveConfig
from memu.errors import InputFileNotFoundError, MemuError, NotFoundError, ScopeError


class AgentScope(BaseModel):
    user_id: str | None = None
    agent_id: str | None = None


def again(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))


def test_results_of_every_verb_can_be_pickled(service: MemoryService, call: Call) -> None:
    results: list[Any] = [memorized(service)]
    item = created(service, "grep finds lines", memory_type="tool")
    use = {"tool_name": "grep", "input": {"pattern": "x"}}
    results += [
        call(service, "retrieve", ["What should I not eat?"], ALICE, explain=True),
        call(service, "list_memory_items", ALICE),
        call(service, "list_memory_categories", ALICE),
        call(service, "list_resources", ALICE),
        call(service, "add_tool_call", memory_id=item["id"], tool_call=use, user=ALICE),
        call(service, "stats", ALICE),
        call(service, "check"),
        call(service, "clear_memory", ALICE),
    ]
    for result in results:
        assert again(result) == result
        assert copy.deepcopy(result) == result
        # Plain values throughout, but for times.
        json.dumps(result, default=lambda moment: moment.isoformat())


def test_records_can_be_pickled() -> None:
    service = MemoryService()
    memorized(service)
    database = service.database
    for record in (
        *database.items.values(),
        *database.categories.values(),
        *database.resources.values(),
        *database.relations,
    ):
        copied = again(record)
        assert copied == record
        assert type(copied) is type(record)
        assert copy.deepcopy(record) == record


def test_records_of_a_scope_of_the_callers_own_can_be_pickled() -> None:
    service = MemoryService(user_config={"model": AgentScope})
    created(service, "Alice rests", {"user_id": "alice", "agent_id": "cook"})
    for record in service.database.items.values():
        assert again(record).model_dump() == record.model_dump()
        assert again(record).agent_id == "cook"


def caught(service: MemoryService, verb: str, *arguments: Any, **options: Any) -> MemuError:
    with pytest.raises(MemuError) as raised:
        getattr(service.sync, verb)(*arguments, **options)
    return raised.value


def test_errors_can_be_pickled_with_all_they_tell() -> None:
    service = MemoryService()
    for user in ("alice", "bob"):
        created(service, "Somebody rests", {"user_id": user})
    errors = {
        InputFileNotFoundError: caught(
            service, "memorize", resource_url="nothing.json", modality="document", user=ALICE
        ),
        NotFoundError: caught(service, "delete_memory_item", memory_id="x", user=ALICE),
        ScopeError: caught(service, "stats"),
    }
    for kind, error in errors.items():
        copied = again(error)
        assert type(copied) is type(error) is kind
        assert str(copied) == str(error)
        assert vars(copied) == vars(error)
        assert (copied.kind, copied.context, copied.retryable) == (
            error.kind,
            error.context,
            error.retryable,
        )
    assert again(errors[InputFileNotFoundError]).filename == "nothing.json"


def test_settings_can_be_pickled() -> None:
    for settings in (
        RetrieveConfig(method="llm"),
        LLMConfig(api_key="sk-nobody"),
        DatabaseConfig.model_validate(sqlite(Path("memu.db"))),
    ):
        assert again(settings) == settings
    service = MemoryService(retrieve_config=again(RetrieveConfig(route_intention=False)))
    assert service.retrieve_config.route_intention is False


def test_what_is_open_cannot_be_pickled() -> None:
    service = MemoryService()
    for value in (service, service.sync, service.database):
        with pytest.raises(TypeError, match="pickle"):
            pickle.dumps(value)


def in_worker(file: Path) -> dict[str, Any]:
    service = MemoryService(database_config=sqlite(file))
    try:
        return service.sync.list_memory_items(ALICE)
    finally:
        service.sync.close()


def fail_in_worker(file: Path) -> None:
    MemoryService(database_config=sqlite(file)).sync.delete_memory_item(memory_id="x", user=ALICE)


def test_results_and_errors_come_back_from_workers(tmp_path: Path) -> None:
    file = tmp_path / "memu.db"
    service = MemoryService(database_config=sqlite(file))
    created(service, "Alice rests")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert pool.submit(in_worker, file).result() == service.sync.list_memory_items(ALICE)
        with pytest.raises(NotFoundError, match="holds no item x") as raised:
            pool.submit(fail_in_worker, file).result()
    assert raised.value.kind == "not_found"
    service.sync.close()
