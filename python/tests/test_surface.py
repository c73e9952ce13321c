"""The names, arguments and defaults of memU 1.x that programs use are there."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

# Each module with the names that it must have. A text after a name is its arguments in memU 1.5.1.
FUNCTIONS: dict[str, dict[str, str]] = {
    "memu.app": {
        "register_workflow_runner": "name, factory",
        "resolve_workflow_runner": "spec",
        "LocalWorkflowRunner.run": "self, workflow_name, steps, initial_state, context=None,"
        " interceptor_registry=None",
        "WorkflowRunner.run": "self, workflow_name, steps, initial_state, context=None,"
        " interceptor_registry=None",
    },
    "memu.app.service": {
        "MemoryService.__init__": "self, *, llm_profiles=None, blob_config=None,"
        " database_config=None, memorize_config=None, retrieve_config=None,"
        " workflow_runner=None, user_config=None",
        "MemoryService.memorize": "self, *, resource_url, modality, user=None",
        "MemoryService.retrieve": "self, queries, where=None",
        "MemoryService.list_memory_items": "self, where=None",
        "MemoryService.list_memory_categories": "self, where=None",
        "MemoryService.clear_memory": "self, where=None",
        "MemoryService.create_memory_item": "self, *, memory_type, memory_content,"
        " memory_categories, user=None, propagate=True",
        "MemoryService.update_memory_item": "self, *, memory_id, memory_type=None,"
        " memory_content=None, memory_categories=None, user=None, propagate=True",
        "MemoryService.delete_memory_item": "self, *, memory_id, user=None, propagate=True",
        "MemoryService.configure_pipeline": "self, *, step_id, configs, pipeline='memorize'",
        "MemoryService.insert_step_before": "self, *, target_step_id, new_step,"
        " pipeline='memorize'",
        "MemoryService.insert_step_after": "self, *, target_step_id, new_step,"
        " pipeline='memorize'",
        "MemoryService.replace_step": "self, *, target_step_id, new_step, pipeline='memorize'",
        "MemoryService.remove_step": "self, *, target_step_id, pipeline='memorize'",
        **{
            f"MemoryService.intercept_{moment}_llm_call": "self, fn, *, name=None, priority=0,"
            " where=None"
            for moment in ("before", "after", "on_error")
        },
        **{
            f"MemoryService.intercept_{moment}_workflow_step": "self, fn, *, name=None"
            for moment in ("before", "after", "on_error")
        },
    },
    "memu.database": {"build_database": "*, config, user_model"},
    "memu.database.sqlite": {"build_sqlite_database": "*, config, user_model"},
    "memu.database.postgres": {"build_postgres_database": "*, config, user_model"},
    "memu.database.inmemory": {"build_inmemory_database": "*, config, user_model"},
    "memu.database.interfaces": {
        "Database.load_existing": "self",
        "Database.close": "self",
        "ResourceRepo.list_resources": "self, where=None",
        "ResourceRepo.clear_resources": "self, where=None",
        "ResourceRepo.create_resource": "self, *, url, modality, local_path, caption, embedding,"
        " user_data",
        "ResourceRepo.load_existing": "self",
        "MemoryItemRepo.get_item": "self, item_id",
        "MemoryItemRepo.list_items": "self, where=None",
        "MemoryItemRepo.clear_items": "self, where=None",
        "MemoryItemRepo.create_item": "self, *, resource_id, memory_type, summary, embedding,"
        " user_data, reinforce=False, tool_record=None",
        "MemoryItemRepo.update_item": "self, *, item_id, memory_type=None, summary=None,"
        " embedding=None, extra=None, tool_record=None",
        "MemoryItemRepo.delete_item": "self, item_id",
        "MemoryItemRepo.list_items_by_ref_ids": "self, ref_ids, where=None",
        "MemoryItemRepo.vector_search_items": "self, query_vec, top_k, where=None, *,"
        " ranking='similarity', recency_decay_days=30.0",
        "MemoryItemRepo.load_existing": "self",
        "MemoryCategoryRepo.list_categories": "self, where=None",
        "MemoryCategoryRepo.clear_categories": "self, where=None",
        "MemoryCategoryRepo.get_or_create_category": "self, *, name, description, embedding,"
        " user_data",
        "MemoryCategoryRepo.update_category": "self, *, category_id, name=None,"
        " description=None, embedding=None, summary=None",
        "MemoryCategoryRepo.load_existing": "self",
        "CategoryItemRepo.list_relations": "self, where=None",
        "CategoryItemRepo.link_item_category": "self, item_id, cat_id, user_data",
        "CategoryItemRepo.unlink_item_category": "self, item_id, cat_id",
        "CategoryItemRepo.get_item_categories": "self, item_id",
        "CategoryItemRepo.load_existing": "self",
    },
    "memu.database.models": {
        "compute_content_hash": "summary, memory_type",
        "build_scoped_models": "user_model",
        "merge_scope_model": "user_model, core_model, *, name_suffix",
        "ToolCallResult.generate_hash": "self",
        "ToolCallResult.ensure_hash": "self",
    },
    "memu.database.inmemory.vector": {
        "cosine_topk": "query_vec, corpus, k=5",
        "cosine_topk_salience": "query_vec, corpus, k=5, recency_decay_days=30.0",
        "salience_score": "similarity, reinforcement_count, last_reinforced_at,"
        " recency_decay_days=30.0",
        "query_cosine": "query_vec, vecs",
    },
    "memu.utils.references": {
        "extract_references": "text",
        "strip_references": "text",
        "format_references_as_citations": "text",
        "fetch_referenced_items": "text, store",
        "build_item_reference_map": "items",
    },
    "memu.utils.tool": {
        "add_tool_call": "item, tool_call",
        "get_tool_calls": "item",
        "set_tool_calls": "item, tool_calls",
        "get_tool_statistics": "item, recent_n=20",
    },
    "memu.utils.conversation": {"format_conversation_for_preprocess": "raw_text"},
    "memu.client": {
        "wrap_openai": "client, service, user_data=None, user_id=None, agent_id=None,"
        " session_id=None, ranking='salience', top_k=5",
    },
    "memu.integrations.langgraph": {
        "MemULangGraphTools.__init__": "self, memory_service",
        "MemULangGraphTools.tools": "self",
        "MemULangGraphTools.save_memory_tool": "self",
        "MemULangGraphTools.search_memory_tool": "self",
    },
}

MEMORY_TYPES = ["profile", "event", "knowledge", "behavior", "skill"]
EMPTY: dict[str, Any] = {}
SECTION = object()
"""Stands for a section with defaults of its own."""

# The models with the fields and defaults of memU 1.5.1; `...` where a field must be given.
# What differs on purpose is in docs/compatibility.md.
MODELS: dict[str, dict[str, Any]] = {
    "memu.app.settings.BlobConfig": {"provider": "local", "resources_dir": "./data/resources"},
    "memu.app.settings.MetadataStoreConfig": {
        "provider": "inmemory",
        "ddl_mode": "create",
        "dsn": None,
    },
    "memu.app.settings.VectorIndexConfig": {"provider": "bruteforce", "dsn": None},
    "memu.app.settings.DatabaseConfig": {"metadata_store": SECTION, "vector_index": SECTION},
    "memu.app.settings.DefaultUserModel": {"user_id": None},
    "memu.app.settings.UserConfig": {"model": SECTION},
    "memu.app.settings.LLMConfig": {
        "provider": "openai",
        "base_url": "https://api.openai.com/v1",
        "api_key": "OPENAI_API_KEY",
        "chat_model": "gpt-4o-mini",
        "client_backend": "sdk",
        "lazyllm_source": SECTION,
        "endpoint_overrides": EMPTY,
        "embed_model": "text-embedding-3-small",
        "embed_batch_size": 100,
    },
    "memu.app.settings.LLMProfilesConfig": {"root": SECTION},
    "memu.app.settings.CategoryConfig": {
        "name": ...,
        "description": "",
        "target_length": None,
        "summary_prompt": None,
    },
    "memu.app.settings.PromptBlock": {"label": None, "ordinal": None, "prompt": None},
    "memu.app.settings.CustomPrompt": {"root": EMPTY},
    "memu.app.settings.RetrieveCategoryConfig": {"enabled": True, "top_k": 5},
    "memu.app.settings.RetrieveItemConfig": {
        "enabled": True,
        "top_k": 5,
        "use_category_references": False,
        "ranking": "similarity",
        "recency_decay_days": 30.0,
    },
    "memu.app.settings.RetrieveResourceConfig": {"enabled": True, "top_k": 5},
    "memu.app.settings.RetrieveConfig": {
        "method": "rag",
        "route_intention": True,
        "category": SECTION,
        "item": SECTION,
        "resource": SECTION,
        "sufficiency_check": True,
        "sufficiency_check_prompt": "",
        "sufficiency_check_llm_profile": "default",
        "llm_ranking_llm_profile": "default",
    },
    "memu.app.settings.MemorizeConfig": {
        "category_assign_threshold": 0.25,
        "multimodal_preprocess_prompts": EMPTY,
        "preprocess_llm_profile": "default",
        "memory_types": MEMORY_TYPES,
        "memory_type_prompts": EMPTY,
        "memory_extract_llm_profile": "default",
        "memory_categories": SECTION,
        "default_category_summary_prompt": None,
        "default_category_summary_target_length": 400,
        "category_update_llm_profile": "default",
        "enable_item_references": False,
        "enable_item_reinforcement": False,
    },
    "memu.database.models.Resource": {
        "id": SECTION,
        "created_at": SECTION,
        "updated_at": SECTION,
        "url": ...,
        "modality": ...,
        "local_path": ...,
        "caption": None,
        "embedding": None,
    },
    "memu.database.models.MemoryItem": {
        "id": SECTION,
        "created_at": SECTION,
        "updated_at": SECTION,
        "resource_id": ...,
        "memory_type": ...,
        "summary": ...,
        "embedding": None,
        "happened_at": None,
        "extra": EMPTY,
    },
    "memu.database.models.MemoryCategory": {
        "name": ...,
        "description": ...,
        "embedding": None,
        "summary": None,
    },
    "memu.database.models.CategoryItem": {"item_id": ..., "category_id": ...},
    "memu.database.models.ToolCallResult": {
        "tool_name": ...,
        "input": "",
        "output": "",
        "success": True,
        "time_cost": 0.0,
        "token_cost": -1,
        "score": 0.0,
        "call_hash": "",
        "created_at": SECTION,
    },
}

PLACES = {
    "memu": ["MemoryService", "MemUService"],
    "memu.app": [
        "MemoryService",
        "BlobConfig",
        "DatabaseConfig",
        "DefaultUserModel",
        "LLMConfig",
        "LLMProfilesConfig",
        "MemorizeConfig",
        "RetrieveConfig",
        "UserConfig",
        "WorkflowRunner",
        "LocalWorkflowRunner",
        "register_workflow_runner",
        "resolve_workflow_runner",
    ],
    "memu.app.service": [
        "MemoryService.llm_profiles",
        "MemoryService.retrieve_config",
        "MemoryService.memorize_config",
        "MemoryService.database",
        "MemoryService.workflow_runner",
        "MemoryService.sync",
    ],
    "memu.workflow": ["WorkflowStep", "WorkflowState", "WorkflowContext", "WorkflowStepContext"],
    "memu.workflow.step": ["WorkflowStep"],
    "memu.database.interfaces": [
        "Database.resources",
        "Database.items",
        "Database.categories",
        "Database.relations",
        "Database.resource_repo",
        "Database.memory_item_repo",
        "Database.memory_category_repo",
        "Database.category_item_repo",
    ],
    "memu.client": ["MemuOpenAIWrapper", "wrap_openai"],
}


def _found(module: str, name: str) -> Any:
    found = import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found


@pytest.mark.parametrize(
    ("module", "name", "arguments"),
    [
        (module, name, arguments)
        for module, functions in FUNCTIONS.items()
        for name, arguments in functions.items()
    ],
)
def test_a_function_takes_what_it_took(module: str, name: str, arguments: str) -> None:
    before = inspect.signature(eval(f"lambda {arguments}: None")).parameters
    now = inspect.signature(_found(module, name)).parameters
    for parameter, was in before.items():
        assert parameter in now
        assert now[parameter].kind == was.kind, parameter
        if was.default is not was.empty:
            assert now[parameter].default == was.default, parameter
    positional = [one for one, was in before.items() if was.kind is not was.KEYWORD_ONLY]
    assert list(now)[: len(positional)] == positional
    # What is new may be left out.
    for added in now.keys() - before.keys():
        assert now[added].default is not inspect.Parameter.empty, added


@pytest.mark.parametrize(("path", "fields"), MODELS.items())
def test_a_model_has_the_fields_and_defaults_it_had(path: str, fields: dict[str, Any]) -> None:
    model: type[BaseModel] = _found(*path.rsplit(".", 1))
    given = {name: "x" for name, default in fields.items() if default is ...}
    made = model(**given)
    for name, default in fields.items():
        field = model.model_fields[name]
        if default is ...:
            assert field.is_required(), name
        else:
            assert not field.is_required(), name
            assert field.default is not PydanticUndefined or field.default_factory is not None
        if default is not ... and default is not SECTION:
            assert getattr(made, name) == default, name
    assert [name for name, field in model.model_fields.items() if field.is_required()] == [
        name for name, default in fields.items() if default is ...
    ]


@pytest.mark.parametrize(
    ("module", "name"), [(module, name) for module, names in PLACES.items() for name in names]
)
def test_a_name_is_where_it_was(module: str, name: str) -> None:
    head, _, attribute = name.partition(".")
    found = _found(module, head)
    if attribute:
        found = _instance(head)
    assert not attribute or hasattr(found, attribute)


def _instance(name: str) -> Any:
    service = import_module("memu").MemoryService()
    return service if name == "MemoryService" else service.database


def test_names_mean_the_same_everywhere() -> None:
    memu, app = import_module("memu"), import_module("memu.app")
    assert memu.MemoryService is memu.MemUService is app.MemoryService
    for module in ("memu.app", "memu.app.settings"):
        for name in ("BlobConfig", "DatabaseConfig", "LLMConfig", "RetrieveConfig", "UserConfig"):
            assert getattr(import_module(module), name) is getattr(app, name)


def test_star_imports_are_what_is_named() -> None:
    for module in ("memu", "memu.app", "memu.app.settings", "memu.database", "memu.client"):
        loaded = import_module(module)
        assert all(hasattr(loaded, name) for name in loaded.__all__)
