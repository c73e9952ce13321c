"""The configuration: in dictionaries and models, by variables, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from support import ALICE, BOB, Call, created, everything, memorized, sqlite, summaries

from memu import MemoryService
from memu.app import (
    BlobConfig,
    DatabaseConfig,
    DefaultUserModel,
    LLMConfig,
    LLMProfilesConfig,
    MemorizeConfig,
    RetrieveConfig,
    UserConfig,
)
from memu.app.settings import (
    BudgetConfig,
    CategoryConfig,
    MetadataStoreConfig,
    RetrieveItemConfig,
    VectorIndexConfig,
)
from memu.database import build_database
from memu.database.inmemory import build_inmemory_database
from memu.database.postgres import build_postgres_database
from memu.database.sqlite import build_sqlite_database
from memu.errors import ConfigError, ScopeError

NUMBERS = ["one", "two", "three", "four", "five", "six", "seven", "eight"]


class AgentScope(BaseModel):
    user_id: str | None = None
    agent_id: str | None = None


def with_facts(**sections: Any) -> MemoryService:
    """A service that knows eight things about pianos."""
    service = MemoryService(**sections)
    for number in NUMBERS:
        created(service, f"The piano number {number} stands in the hall")
    return service


def found(service: MemoryService, call: Call) -> int:
    answer = call(service, "retrieve", ["Where does the piano stand?"], ALICE)
    return len(answer["items"])


def test_dictionaries_and_models_do_the_same(tmp_path: Path) -> None:
    dictionaries = MemoryService(
        database_config=sqlite(tmp_path / "one.db"),
        memorize_config={"memory_categories": [{"name": "music", "description": "Music"}]},
        retrieve_config={"item": {"top_k": 2}},
        blob_config={"resources_dir": "files"},
        budget={"days": 7},
        user_config={"model": AgentScope},
        llm_profiles={"default": {"provider": "local"}},
    )
    dsn = f"sqlite:///{tmp_path}/two.db"
    models = MemoryService(
        database_config=DatabaseConfig(
            metadata_store=MetadataStoreConfig(provider="sqlite", dsn=dsn),
            vector_index=VectorIndexConfig(provider="bruteforce"),
        ),
        memorize_config=MemorizeConfig(
            memory_categories=[CategoryConfig(name="music", description="Music")]
        ),
        retrieve_config=RetrieveConfig(item=RetrieveItemConfig(top_k=2)),
        blob_config=BlobConfig(resources_dir="files"),
        budget=BudgetConfig(days=7),
        user_config=UserConfig(model=AgentScope),
        llm_profiles=LLMProfilesConfig({"default": LLMConfig(provider="local")}),
    )
    told: list[Any] = []
    for service in (dictionaries, models):
        assert service.user_model is AgentScope
        user = {"user_id": "alice", "agent_id": "cook"}
        for number in NUMBERS:
            created(service, f"The piano number {number} stands", user, category="music")
        answer = service.sync.retrieve(["Where does the piano stand?"], user)
        (category,) = service.sync.list_memory_categories(user)["categories"]
        told.append((len(answer["items"]), category["name"], category["summary"]))
        service.sync.close()
    assert told[0] == told[1]
    assert told[0][:2] == (2, "music")


def test_a_scope_of_two_fields_keeps_them_apart(store: dict[str, Any] | None) -> None:
    service = MemoryService(database_config=store, user_config={"model": AgentScope})
    cook = {"user_id": "nora", "agent_id": "cook"}
    created(service, "Nora talks to the cook", cook)
    created(service, "Nora talks to the guide", {"user_id": "nora", "agent_id": "guide"})
    created(service, "Nora talks to nobody", {"user_id": "nora"})
    assert summaries(service, cook) == ["Nora talks to the cook"]
    assert len(summaries(service, {"user_id": "nora"})) == 3
    item = service.sync.list_memory_items(cook)["items"][0]
    assert (item["user_id"], item["agent_id"]) == ("nora", "cook")
    assert service.user_model is AgentScope
    assert {type(one).__mro__[1] for one in service.database.items.values()} == {AgentScope}
    with pytest.raises(ScopeError, match="session_id"):
        created(service, "Nora rests", {"user_id": "nora", "session_id": "1"})
    service.sync.close()


def test_a_store_keeps_its_scope(tmp_path: Path) -> None:
    config = sqlite(tmp_path / "memu.db")
    first = MemoryService(database_config=config, user_config={"model": AgentScope})
    created(first, "Nora rests", {"user_id": "nora", "agent_id": "cook"})
    first.sync.close()
    with pytest.raises(ConfigError, match="user_id, agent_id"):
        MemoryService(database_config=config, user_config={"model": DefaultUserModel})
    silent = MemoryService(database_config=config)
    assert summaries(silent, {"agent_id": "cook"}) == ["Nora rests"]
    silent.sync.close()


@pytest.mark.parametrize("dsn", ["sqlite:///:memory:", "sqlite:///data/memu.db"])
def test_the_forms_of_a_dsn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call, dsn: str
) -> None:
    monkeypatch.chdir(tmp_path)
    config = {
        "metadata_store": {"provider": "sqlite", "dsn": dsn},
        "vector_index": {"provider": "bruteforce"},
    }
    service = MemoryService(database_config=config)
    stored = memorized(service)
    answer = call(service, "retrieve", ["What should I not eat?"], ALICE)
    assert "peanuts" in answer["items"][0]["summary"]
    service.sync.close()
    again = MemoryService(database_config=config)
    kept = 0 if ":memory:" in dsn else len(stored["items"])
    assert len(summaries(again)) == kept
    assert (tmp_path / "data/memu.db").exists() is bool(kept)
    again.sync.close()


def test_two_memories_without_a_file_are_two() -> None:
    config = {"metadata_store": {"provider": "sqlite", "dsn": "sqlite:///:memory:"}}
    one, two = MemoryService(database_config=config), MemoryService(database_config=config)
    created(one, "Alice rests")
    assert (len(summaries(one)), len(summaries(two))) == (1, 0)


def test_assigned_settings_count_from_the_next_question_on(call: Call) -> None:
    service = with_facts()
    assert found(service, call) == 5
    service.retrieve_config.item.top_k = 2
    assert found(service, call) == 2
    service.retrieve_config.item.enabled = False
    assert found(service, call) == 0
    service.retrieve_config = RetrieveConfig(item=RetrieveItemConfig(top_k=3))
    assert found(service, call) == 3
    service.retrieve_config = {"item": {"top_k": 1}}
    assert found(service, call) == 1
    assert service.retrieve_config.item.top_k == 1


def test_assigned_settings_of_no_use_are_refused_and_named(call: Call) -> None:
    service = with_facts()
    service.retrieve_config.item.top_k = 0
    with pytest.raises(ConfigError, match=r"retrieve_config\.item\.top_k is 0"):
        found(service, call)
    service.retrieve_config.item.top_k = 2
    assert found(service, call) == 2
    with pytest.raises(ConfigError, match=r"retrieve_config: item\.top_k"):
        service.retrieve_config = {"item": {"top_k": "many"}}
    with pytest.raises(ValueError, match="method"):
        setattr(service.retrieve_config, "method", "guess")
    assert found(service, call) == 2


def test_the_method_may_be_changed(call: Call, fake_openai: Any) -> None:
    service = MemoryService(
        llm_profiles={"default": {"api_key": "sk-nobody"}, "embedding": {"provider": "local"}},
        retrieve_config={"route_intention": False, "sufficiency_check": False},
    )
    for number in NUMBERS:
        created(service, f"The piano number {number} stands in the hall")
    before = len(fake_openai.chats)
    assert found(service, call) == 5
    assert len(fake_openai.chats) == before
    service.retrieve_config.method = "llm"
    # The stand-in chooses the first.
    assert found(service, call) == 1
    assert len(fake_openai.chats) > before


def test_variables_count_where_the_code_says_nothing(
    monkeypatch: pytest.MonkeyPatch, call: Call
) -> None:
    monkeypatch.setenv("MEMU_RETRIEVE_CONFIG__ITEM__TOP_K", "3")
    service = with_facts()
    assert found(service, call) == 3
    assert found(with_facts(retrieve_config={"item": {"top_k": 2}}), call) == 2
    assert found(with_facts(retrieve_config={"item": {"top_k": 5}}), call) == 5
    service.retrieve_config.item.top_k = 5
    assert found(service, call) == 5


def test_variables_name_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dsn = f"sqlite:///{tmp_path}/named.db"
    monkeypatch.setenv("MEMU_DATABASE_CONFIG__METADATA_STORE__DSN", dsn)
    service = MemoryService()
    created(service, "Alice rests")
    service.sync.close()
    assert (tmp_path / "named.db").exists()
    with build_database() as database:
        assert len(database.items) == 1


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("MEMU_RETRIEVE_CONFIG__ITEM__TOP_K", "many", r"retrieve_config\.item\.top_k"),
        ("MEMU_RETRIEVE_CONFIG__ITEM__TOP_K", "0", r"retrieve_config\.item\.top_k is 0"),
        ("MEMU_RETRIEVE_CONFIG__ITEM__TOPK", "3", 'did you mean "top_k"'),
    ],
)
def test_variables_of_no_use_are_named(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, message: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigError, match=message):
        MemoryService()


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"retrieve_config": {"metod": "rag"}}, 'did you mean "method"'),
        ({"retrieve_config": {"item": {"topk": 3}}}, 'did you mean "top_k"'),
        ({"memorize_config": {"memory_typs": []}}, 'did you mean "memory_types"'),
        ({"database_config": {"metadatastore": {}}}, 'did you mean "metadata_store"'),
        ({"database_config": {"metadata_store": {"provder": "x"}}}, 'did you mean "provider"'),
        ({"database_config": {"vector_index": {"provder": "x"}}}, 'did you mean "provider"'),
        ({"blob_config": {"resource_dir": "x"}}, 'did you mean "resources_dir"'),
        ({"budget": {"day": 1}}, 'did you mean "days"'),
        ({"user_config": {"modl": AgentScope}}, "modl"),
        ({"llm_profiles": {"default": {"chat_modle": "x"}}}, 'did you mean "chat_model"'),
    ],
)
def test_an_unknown_key_names_the_nearest(sections: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as raised:
        MemoryService(**sections)
    assert isinstance(raised.value, ValueError)
    assert isinstance(raised.value, KeyError)


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"retrieve_config": {"item": {"top_k": 0}}}, r"retrieve_config\.item\.top_k is 0"),
        ({"retrieve_config": {"item": {"ranking": "best"}}}, r"retrieve_config: item\.ranking"),
        ({"retrieve_config": {"method": "guess"}}, "retrieve_config: method"),
        ({"retrieve_config": []}, "retrieve_config"),
        ({"memorize_config": {"category_assign_threshold": 2}}, "must be from 0 to 1"),
        ({"memorize_config": {"preprocess_llm_profile": "zz"}}, 'the profile "zz"'),
        ({"database_config": {"metadata_store": {"provider": "mysql"}}}, "metadata_store.provider"),
        ({"database_config": {"metadata_store": {"dsn": "mysql://x"}}}, "is not a DSN"),
        ({"database_config": {"vector_index": {"provider": "hnsw"}}}, "vector_index.provider"),
        ({"llm_profiles": {"default": {"provider": "nobody"}}}, 'unknown provider "nobody"'),
        ({"llm_profiles": {"default": {"timeout_s": -1}}}, "timeout_s"),
        ({"workflow_runner": "zz"}, "no workflow runner 'zz'"),
        ({"blob_config": {"provider": "s3"}}, "provider"),
        ({"budget": {"days": 0}}, "days"),
    ],
)
def test_a_value_of_no_use_is_named(sections: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as raised:
        MemoryService(**sections)
    assert isinstance(raised.value, ValueError)


@pytest.mark.parametrize("field", ["id", "created_at", "memory_type"])
def test_a_scope_cannot_have_the_fields_of_records(field: str) -> None:
    namespace = {"__annotations__": {field: "str | None"}, field: None}
    model = type("Scope", (BaseModel,), namespace)
    with pytest.raises(ConfigError, match=field):
        MemoryService(user_config={"model": model})


def test_keys_and_passwords_are_never_shown() -> None:
    profile = {"api_key": "sk-SECRET", "timeout_s": "soon"}
    bad: list[dict[str, Any]] = [
        {"llm_profiles": {"default": profile}},
        {"llm_profiles": {"default": {"api_kye": "sk-SECRET"}}},
        {"database_config": {"metadata_store": {"dsn": "mysql://u:SECRET@h/x"}}},
        {"database_config": {"metadata_store": {"dsn": "postgresql://u:SECRET@127.0.0.1:1/x"}}},
    ]
    for sections in bad:
        with pytest.raises((ValueError, RuntimeError)) as raised:
            MemoryService(**sections)
        shown = f"{raised.value!r} {raised.value} {vars(raised.value)}"
        assert "SECRET" not in shown
    service = MemoryService(llm_profiles={"default": {"api_key": "sk-SECRET"}})
    assert "SECRET" not in f"{service!r} {service.llm_profiles!r} {service.database_config!r}"


def test_attributes_tell_what_was_configured() -> None:
    service = MemoryService(memorize_config={"memory_types": ["event"]})
    assert service.memorize_config.memory_types == ["event"]
    assert service.llm_profiles.default.provider == "local"
    assert service.llm_config is service.llm_profiles.default
    assert service.retrieve_config.item.top_k == 5
    assert service.database_config.metadata_store.provider == "inmemory"
    assert service.workflow_runner.name == "local"
    assert service.database is service.database


def test_stores_are_built_by_kind(tmp_path: Path, postgres_dsn: str) -> None:
    file = sqlite(tmp_path / "memu.db")
    server = {"metadata_store": {"dsn": postgres_dsn}}
    for build, config in (
        (build_inmemory_database, None),
        (build_sqlite_database, file),
        (build_postgres_database, server),
        (build_database, DatabaseConfig.model_validate(file)),
    ):
        with build(config=config, user_model=DefaultUserModel) as database:
            item = database.memory_item_repo.create_item(
                memory_type="profile", summary="Alice rests", user_data=ALICE
            )
            assert database.items[item.id].summary == "Alice rests"
    for build in (build_inmemory_database, build_postgres_database):
        with pytest.raises(ConfigError, match="provider is 'sqlite'"):
            build(config=file)
    with pytest.raises(ConfigError, match="metadata_store.provider"):
        build_database(config={"metadata_store": {"provider": "mysql"}})


def test_nothing_of_one_service_is_in_another() -> None:
    one, two = MemoryService(), MemoryService()
    created(one, "Bob rests", BOB)
    assert everything(two) == ([], [], [])
