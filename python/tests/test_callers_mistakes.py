"""What a caller gets wrong is said in a line that names the argument."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import AliasChoices, BaseModel, Field
from support import ALICE, Call, created

from memu import MemoryService
from memu.database import build_database
from memu.database.inmemory import build_inmemory_database
from memu.database.sqlite import build_sqlite_database
from memu.errors import ConfigError, ScopeError
from memu.workflow.step import WorkflowStep

ITEM: dict[str, Any] = {"memory_type": "profile", "memory_content": "Alice plays the cello"}


@pytest.mark.parametrize(
    ("verb", "request_", "told"),
    [
        ("create_memory_item", {**ITEM, "user": "alice"}, "user is a dictionary such as"),
        ("memorize", {"modality": "document", "content": 3, "user": ALICE}, "content is a text"),
        ("create_memory_item", {**ITEM, "memory_categories": "goals"}, r"such as \['goals'\]"),
        ("update_memory_item", {"memory_id": "x", "memory_categories": "goals"}, "list of names"),
        ("create_memory_item", {**ITEM, "extra": "more"}, "extra is a dictionary"),
        ("create_memory_items", {"items": ITEM}, "items is a list of dictionaries, not a dict"),
        ("create_memory_items", {"items": "cello"}, "items is a list of dictionaries, not a str"),
        ("create_memory_items", {"items": None}, "items is a list of dictionaries"),
        ("create_memory_items", {"items": [("profile", "x")]}, "not a tuple"),
        ("retrieve", {"queries": None}, "queries is a list of texts or messages, not a NoneType"),
        ("retrieve", {"queries": ["x"], "where": "alice"}, "where is a dictionary such as"),
        ("list_memory_items", {"where": ["alice"]}, "where is a dictionary such as"),
        ("clear_memory", {"where": "alice"}, "where is a dictionary such as"),
        ("stats", {"where": "alice"}, "where is a dictionary such as"),
    ],
)
def test_what_has_the_wrong_shape_is_named(
    call: Call, verb: str, request_: dict[str, Any], told: str
) -> None:
    with pytest.raises(TypeError, match=told):
        call(MemoryService(), verb, **request_)


def test_repositories_want_dictionaries() -> None:
    wrong: Any = "alice"
    with build_inmemory_database() as database:
        items = database.memory_item_repo
        with pytest.raises(TypeError, match="where is a dictionary such as"):
            items.list_items(wrong)
        with pytest.raises(TypeError, match="where is a dictionary such as"):
            items.vector_search_items([1.0], 1, wrong)
        with pytest.raises(TypeError, match="user_data is a dictionary such as"):
            items.create_item(memory_type="profile", summary="x", user_data=wrong)
        with pytest.raises(TypeError, match="user_data is a dictionary such as"):
            items.create_items([{"memory_type": "profile", "summary": "x", "user_data": wrong}])


def test_none_for_categories_is_none(call: Call) -> None:
    item = call(MemoryService(), "create_memory_item", **ITEM, memory_categories=None)
    assert item["memory_item"]["summary"] == ITEM["memory_content"]


def test_a_path_may_be_one_of_pathlib(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "note.md"
    file.write_text("The spare key hangs behind the almond jar.", encoding="utf-8")
    service = MemoryService()
    kept = call(service, "memorize", resource_url=file, modality="document", user=ALICE)
    assert kept["resource"]["url"] == str(file)


class Tenant(BaseModel):
    user_id: str = Field(alias="userId")
    tenant: str = "acme"


def test_fields_of_a_scope_may_have_aliases() -> None:
    service = MemoryService(user_config={"model": Tenant})
    users: list[Any] = [{"userId": "alice"}, {"user_id": "alice"}, Tenant(userId="alice")]
    for user in users:
        item = service.sync.create_memory_item(**ITEM, user=user)["memory_item"]
        assert (item["user_id"], item["tenant"]) == ("alice", "acme")
    with pytest.raises(ScopeError, match="userid"):
        service.sync.create_memory_item(**ITEM, user={"userId": "alice", "userid": "bob"})


def test_an_alias_among_several_is_the_models_own_affair() -> None:
    class Several(BaseModel):
        user_id: str | None = Field(default=None, validation_alias=AliasChoices("user_id", "uid"))

    service = MemoryService(user_config={"model": Several})
    assert created(service, "Alice sings")["user_id"] == "alice"


def test_a_user_that_is_left_out_is_one_by_the_model() -> None:
    class Defaults(BaseModel):
        user_id: str = "nobody"

    service = MemoryService(user_config={"model": Defaults})
    assert service.sync.create_memory_item(**ITEM)["memory_item"]["user_id"] == "nobody"

    class Required(BaseModel):
        user_id: str

    service = MemoryService(user_config={"model": Required})
    with pytest.raises(ScopeError, match="user_id: Field required"):
        service.sync.create_memory_item(**ITEM)


def test_stores_take_providers_as_services_do(tmp_path: Path) -> None:
    dsn = f"sqlite:///{(tmp_path / 'memu.db').as_posix()}"
    config = {"metadata_store": {"provider": " SQLite", "dsn": dsn}}
    with build_sqlite_database(config=config) as database:
        assert database.items == {}
    with pytest.raises(ConfigError, match="provider is 'sqlite', not 'inmemory'"):
        build_inmemory_database(config={"metadata_store": {"provider": "sqlite", "dsn": dsn}})


@pytest.mark.parametrize("build", [build_database, build_sqlite_database])
def test_stores_tell_what_is_wrong_with_their_configuration(build: Callable[..., Any]) -> None:
    for config in ("sqlite:///memu.db", {"metadata_store": "sqlite:///memu.db"}):
        with pytest.raises(ConfigError, match="database_config: .*valid dictionary"):
            build(config=config)
    with pytest.raises(ConfigError, match="user_config: model: .*subclass of BaseModel"):
        build(config={"metadata_store": {"dsn": "sqlite:///:memory:"}}, user_model="alice")


def test_steps_and_runners_are_checked_when_they_are_handed_over() -> None:
    service, wrong = MemoryService(), cast("Any", "a text")
    steps = service.list_steps()
    with pytest.raises(TypeError, match="new_step must be a WorkflowStep, not a str"):
        service.insert_step_after(target_step_id="extract_items", new_step=wrong)
    step = WorkflowStep(step_id="look", role="look", handler=wrong)
    with pytest.raises(TypeError, match="handler of the step 'look' must be callable, not a str"):
        service.replace_step(target_step_id="extract_items", new_step=step)
    assert service.list_steps() == steps
    with pytest.raises(TypeError, match="workflow_runner is a WorkflowRunner or the name of one"):
        MemoryService(workflow_runner=cast("Any", 5))


@pytest.mark.parametrize(
    "section",
    ["llm_profiles", "blob_config", "database_config", "memorize_config", "user_config", "budget"],
)
def test_what_would_have_no_effect_cannot_be_assigned(section: str) -> None:
    service = MemoryService()
    with pytest.raises(AttributeError, match=section):
        setattr(service, section, {})
