"""The configuration has memU's names and defaults; the core gets what the caller set."""

from __future__ import annotations

import copy
import pickle
from typing import Any, cast

import pytest
from pydantic import BaseModel, ValidationError

from memu.app import settings
from memu.app._core_settings import retrieve_to_core, scope_fields, to_core
from memu.app.settings import (
    BlobConfig,
    BudgetConfig,
    CategoryConfig,
    CustomPrompt,
    DatabaseConfig,
    DefaultUserModel,
    LazyLLMSource,
    LLMConfig,
    LLMProfilesConfig,
    MemorizeConfig,
    MetadataStoreConfig,
    PromptBlock,
    RetrieveCategoryConfig,
    RetrieveConfig,
    UserConfig,
    VectorIndexConfig,
)
from memu.errors import ConfigError


class AgentUser(BaseModel):
    """A scope whose fields are not in alphabetical order."""

    user_id: str | None = None
    agent_id: str | None = None


SECTIONS: dict[str, type[BaseModel]] = {
    "llm_profiles": LLMProfilesConfig,
    "blob_config": BlobConfig,
    "database_config": DatabaseConfig,
    "memorize_config": MemorizeConfig,
    "retrieve_config": RetrieveConfig,
    "budget": BudgetConfig,
    "user_config": UserConfig,
}


def core(**sections: Any) -> dict[str, Any]:
    """What the core gets of sections given as dictionaries."""
    models = {name: SECTIONS[name].model_validate(value) for name, value in sections.items()}
    return to_core(**cast("dict[str, Any]", models))


def test_every_name_can_be_imported() -> None:
    assert all(hasattr(settings, name) for name in settings.__all__)


def test_the_defaults_are_those_of_memu() -> None:
    profile = LLMConfig()
    assert profile.provider == "openai"
    assert profile.base_url == "https://api.openai.com/v1"
    assert profile.api_key == "OPENAI_API_KEY"
    assert profile.chat_model == "gpt-4o-mini"
    assert profile.embed_model == "text-embedding-3-small"
    assert (profile.client_backend, profile.endpoint_overrides) == ("sdk", {})
    assert profile.lazyllm_source == LazyLLMSource()

    retrieve = RetrieveConfig()
    assert (retrieve.method, retrieve.route_intention, retrieve.sufficiency_check) == (
        "rag",
        True,
        True,
    )
    for tier in (retrieve.category, retrieve.item, retrieve.resource, retrieve.segment):
        assert (tier.enabled, tier.top_k) == (True, 5)
    assert (retrieve.item.ranking, retrieve.item.recency_decay_days) == ("similarity", 30.0)
    assert retrieve.item.use_category_references is False

    memorize = MemorizeConfig()
    assert memorize.category_assign_threshold == 0.25
    assert memorize.default_category_summary_target_length == 400
    assert not memorize.enable_item_references
    assert not memorize.enable_item_reinforcement
    assert [category.name for category in memorize.memory_categories] == [
        "personal_info",
        "preferences",
        "relationships",
        "activities",
        "goals",
        "experiences",
        "knowledge",
        "opinions",
        "habits",
        "work_life",
    ]
    assert memorize.memory_categories[1].description == "User preferences, likes and dislikes"

    database = DatabaseConfig()
    store = database.metadata_store
    assert (store.provider, store.ddl_mode, store.dsn) == ("inmemory", "create", None)
    assert BlobConfig().resources_dir == "./data/resources"
    assert UserConfig().model is DefaultUserModel
    assert list(DefaultUserModel.model_fields) == ["user_id"]


def test_nothing_set_is_nothing_for_the_core() -> None:
    assert to_core() == {}
    assert core(**{name: {} for name in SECTIONS}) == {}
    assert to_core(llm_profiles=LLMProfilesConfig(), user_config=UserConfig()) == {}
    assert to_core(llm_profiles=LLMProfilesConfig.model_validate(None)) == {}


def test_what_is_set_arrives_even_if_it_is_the_default() -> None:
    given = {
        "method": "rag",
        "item": {"top_k": 5, "ranking": "salience"},
        "segment": {"enabled": False},
        "ranking": {"k1": 1.2},
    }
    assert core(retrieve_config=given) == {"retrieve_config": given}
    assert core(budget={"max_cost": 2.5}, blob_config={"resources_dir": "r"}) == {
        "budget": {"max_cost": 2.5},
        "blob_config": {"resources_dir": "r"},
    }


def test_models_do_as_well_as_dictionaries() -> None:
    config = RetrieveConfig(method="llm", category=RetrieveCategoryConfig(top_k=2))
    assert retrieve_to_core(config) == {"method": "llm", "category": {"top_k": 2}}


def test_assignments_arrive() -> None:
    config = RetrieveConfig()
    config.method = "llm"
    config.item.top_k = 3
    assert retrieve_to_core(config) == {"method": "llm", "item": {"top_k": 3}}
    assert retrieve_to_core(RetrieveConfig()) == {}
    with pytest.raises(ValueError, match="rag"):
        config.method = "magic"  # type: ignore[assignment]
    assert config.method == "llm"


def test_lists_that_are_added_to_arrive() -> None:
    config = MemorizeConfig()
    config.memory_types.append("tool")
    config.memory_categories[:] = [CategoryConfig(name="boats")]
    config.memory_type_prompts["event"] = "What happened?"
    assert to_core(memorize_config=config)["memorize_config"] == {
        "memory_types": ["profile", "event", "knowledge", "behavior", "skill", "tool"],
        "memory_categories": [{"name": "boats"}],
        "memory_type_prompts": {"event": "What happened?"},
    }
    assert to_core(memorize_config=MemorizeConfig()) == {}


@pytest.mark.parametrize(
    ("model", "field", "given", "taken"),
    [
        (RetrieveConfig, "method", " LLM ", "llm"),
        (MetadataStoreConfig, "provider", "SQLite", "sqlite"),
        (MetadataStoreConfig, "provider", "postgresql", "postgres"),
        (MetadataStoreConfig, "ddl_mode", "Validate", "validate"),
        (MetadataStoreConfig, "embedding_format", "F16", "f16"),
        (VectorIndexConfig, "provider", " PGVector", "pgvector"),
        (settings.RetrieveItemConfig, "ranking", "Salience", "salience"),
    ],
)
def test_case_and_space_of_names_make_no_difference(
    model: type[BaseModel], field: str, given: str, taken: str
) -> None:
    assert getattr(model.model_validate({field: given}), field) == taken


@pytest.mark.parametrize(
    ("section", "given"),
    [
        ("retrieve_config", {"method": "magic"}),
        ("retrieve_config", {"item": {"ranking": "best"}}),
        ("retrieve_config", {"item": {"top_k": "many"}}),
        ("database_config", {"metadata_store": {"provider": "oracle"}}),
        ("database_config", {"vector_index": {"provider": "faiss"}}),
        ("memorize_config", {"memory_categories": [{"description": "no name"}]}),
        ("memorize_config", {"memory_type_prompts": {"event": 7}}),
        ("user_config", {"model": "user_id"}),
        ("user_config", {"model": int}),
        ("llm_profiles", {"": {}}),
        ("llm_profiles", {"default": "gpt"}),
        ("llm_profiles", ["default"]),
    ],
)
def test_values_of_another_kind_are_refused(section: str, given: Any) -> None:
    with pytest.raises(ValidationError):
        SECTIONS[section].model_validate(given)


def test_keys_that_the_models_do_not_know_are_the_cores_business() -> None:
    given: dict[str, Any] = {"topk": 3, "item": {"top_kk": 1}}
    assert core(retrieve_config=given) == {"retrieve_config": given}
    profiles = {"default": {"api_key": "a", "tempreture": 1}}
    assert core(llm_profiles=profiles)["llm_profiles"]["default"]["tempreture"] == 1


def test_profiles_keep_what_was_given_and_say_who_provides() -> None:
    assert core(llm_profiles={"default": {"api_key": "your-api-key"}}) == {
        "llm_profiles": {"default": {"provider": "openai", "api_key": "your-api-key"}}
    }
    # Somebody who writes a profile wants a model.
    assert to_core(llm_profiles=LLMProfilesConfig({"default": LLMConfig()})) == {
        "llm_profiles": {"default": {"provider": "openai"}}
    }


def test_what_no_longer_means_anything_is_left_out() -> None:
    profile = {
        "provider": "ollama",
        "client_backend": "lazyllm_backend",
        "lazyllm_source": {"source": "qwen"},
        "chat_model": "llama3",
    }
    assert core(llm_profiles={"default": profile}) == {
        "llm_profiles": {"default": {"provider": "ollama", "chat_model": "llama3"}}
    }


def test_embedding_is_default_unless_it_is_given() -> None:
    profiles = LLMProfilesConfig.model_validate({"default": {"api_key": "a"}})
    assert profiles.profiles["embedding"] is profiles.default
    assert profiles.get("embedding") is profiles.default
    assert profiles.get("big") is None
    # Which profile can embed is for the core to say.
    for same in (profiles, copy.deepcopy(profiles), pickle.loads(pickle.dumps(profiles))):
        assert list(to_core(llm_profiles=same)["llm_profiles"]) == ["default"]
    given = {"default": {"api_key": "a"}, "embedding": {"api_key": "a"}}
    assert list(core(llm_profiles=given)["llm_profiles"]) == ["default", "embedding"]


def test_without_a_default_profile_this_process_chats() -> None:
    profiles = LLMProfilesConfig.model_validate({"embedding": {"api_key": "a"}})
    assert profiles.default.provider == "local"
    assert to_core(llm_profiles=profiles) == {
        "llm_profiles": {"embedding": {"provider": "openai", "api_key": "a"}}
    }
    local = {"embedding": {"model": "minilm", "path": "models"}}
    assert core(llm_profiles=local) == {
        "llm_profiles": {"embedding": {"provider": "local", "model": "minilm", "path": "models"}}
    }


def test_the_profiles_that_were_handed_in_are_not_changed() -> None:
    given: dict[str, Any] = {"big": {"api_key": "a"}}
    LLMProfilesConfig.model_validate(given)
    assert given == {"big": {"api_key": "a"}}


def test_defaults_of_other_providers_are_the_cores() -> None:
    profile = LLMConfig(provider="anthropic", api_key="ANTHROPIC_API_KEY")
    assert (profile.base_url, profile.chat_model, profile.embed_model) == (None, None, None)
    assert to_core(llm_profiles=LLMProfilesConfig({"default": profile})) == {
        "llm_profiles": {"default": {"provider": "anthropic", "api_key": "ANTHROPIC_API_KEY"}}
    }


@pytest.mark.parametrize(
    ("dsn", "provider", "index"),
    [
        ("sqlite:///memu.db", "sqlite", "bruteforce"),
        ("sqlite:///:memory:", "sqlite", "bruteforce"),
        ("postgresql://u:p@localhost/memu", "postgres", "pgvector"),
        ("postgres://localhost/memu", "postgres", "pgvector"),
        (None, "inmemory", "bruteforce"),
        ("mysql://localhost/memu", "inmemory", "bruteforce"),
    ],
)
def test_a_dsn_implies_its_store(dsn: str | None, provider: str, index: str) -> None:
    config = DatabaseConfig.model_validate({"metadata_store": {"dsn": dsn}})
    assert config.metadata_store.provider == provider
    assert config.vector_index is not None
    assert config.vector_index.provider == index
    arrived = to_core(database_config=config).get("database_config", {}).get("metadata_store", {})
    # The core finds out by itself, and refuses what it does not know.
    assert arrived == ({} if dsn is None else {"dsn": dsn})


def test_a_database_arrives_with_its_index() -> None:
    store = {"provider": "sqlite", "dsn": "sqlite:///memu.db", "busy_timeout_s": 5.0}
    index = {"provider": "bruteforce", "exact": True}
    given = {"metadata_store": store, "vector_index": index}
    assert core(database_config=given) == {"database_config": given}
    nothing = {"metadata_store": store, "vector_index": None}
    assert core(database_config=nothing) == {"database_config": {"metadata_store": store}}
    # Vectors are where the records are.
    elsewhere = {"vector_index": {"provider": "pgvector", "dsn": "postgresql://localhost/v"}}
    assert core(database_config=elsewhere) == {
        "database_config": {"vector_index": {"provider": "pgvector"}}
    }


def test_prompts_arrive_as_text_or_in_blocks() -> None:
    blocks = {"rules": {"ordinal": 30, "prompt": "Be short."}, "examples": {"ordinal": -1}}
    given = {
        "default_category_summary_prompt": "Sum up {{items}}",
        "memory_type_prompts": {"event": blocks, "skill": "What can they do?"},
        "memory_categories": [{"name": "boats", "summary_prompt": blocks, "target_length": 90}],
    }
    assert core(memorize_config=given) == {"memorize_config": given}
    prompt = CustomPrompt.model_validate(blocks)
    assert prompt.get("rules") == PromptBlock(ordinal=30, prompt="Be short.")
    assert prompt.get("output") is None
    assert [name for name, _ in prompt.items()] == ["rules", "examples"]


def test_a_prompt_that_the_core_cannot_use_is_refused() -> None:
    assert retrieve_to_core(RetrieveConfig(sufficiency_check_prompt="")) == {}
    with pytest.raises(ConfigError, match="sufficiency_check_prompt"):
        retrieve_to_core(RetrieveConfig(sufficiency_check_prompt="Enough?"))


def test_the_fields_of_the_user_model_are_the_scope_in_order() -> None:
    config = UserConfig(model=AgentUser)
    assert scope_fields(config) == ["user_id", "agent_id"]
    assert to_core(user_config=config) == {"user_config": {"model": ["user_id", "agent_id"]}}
    assert scope_fields(UserConfig(model=DefaultUserModel)) == ["user_id"]
    # A store that exists knows its own.
    assert scope_fields(UserConfig()) is None
    assert scope_fields(None) is None


SECRETS = ["s3cret-key", "s3cret-password", "s3cret-file"]


def test_keys_and_passwords_are_not_shown() -> None:
    profile = LLMConfig.model_validate(
        {"api_key": SECRETS[0], "base_url": f"https://a:{SECRETS[1]}@b", "api_kay": SECRETS[0]}
    )
    store = MetadataStoreConfig.model_validate(
        {
            "dsn": f"postgresql://a:{SECRETS[1]}@b/c",
            "encryption_key": SECRETS[2],
            "encryptionkey": SECRETS[2],
        }
    )
    index = VectorIndexConfig(dsn=f"postgresql://a:{SECRETS[1]}@b/c")
    database = DatabaseConfig(metadata_store=store, vector_index=index)
    shown = f"{profile!r} {profile} {LLMProfilesConfig({'default': profile})!r} {database!r}"
    assert not [secret for secret in SECRETS if secret in shown]
    with pytest.raises(ValidationError) as refused:
        LLMProfilesConfig.model_validate({"default": {"api_key": [SECRETS[0]]}})
    assert SECRETS[0] not in str(refused.value)
    with pytest.raises(ValidationError) as refused:
        DatabaseConfig.model_validate({"metadata_store": f"sqlite:///{SECRETS[1]}"})
    assert SECRETS[1] not in str(refused.value)
