"""The configuration of a service, under the names and with the defaults of memU 1.x.

Each section is a pydantic model. A key that a model does not have is passed on to the core,
which refuses one that it does not know and names the nearest valid one. Ranges are checked by the
core as well. Sections can be changed by assignment: ``service.retrieve_config.method = "llm"``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, RootModel

from memu.app._profiles import LazyLLMSource, LLMConfig, LLMProfilesConfig
from memu.app._section import Normalized, Section
from memu.app._storage import (
    BlobConfig,
    DatabaseConfig,
    MetadataStoreConfig,
    VectorIndexConfig,
)

__all__ = [
    "BlobConfig",
    "BudgetConfig",
    "CategoryConfig",
    "CustomPrompt",
    "DatabaseConfig",
    "DefaultUserModel",
    "LLMConfig",
    "LLMProfilesConfig",
    "LazyLLMSource",
    "MemorizeConfig",
    "MetadataStoreConfig",
    "PromptBlock",
    "RankingConfig",
    "RetrieveCategoryConfig",
    "RetrieveConfig",
    "RetrieveItemConfig",
    "RetrieveResourceConfig",
    "RetrieveSegmentConfig",
    "UserConfig",
    "VectorIndexConfig",
]


class PromptBlock(Section):
    """One block of a prompt.

    ``label`` is for the reader only. ``ordinal`` is its place among the others, ascending; a
    negative one leaves the block out; None is the place of the core's block of that name, or 0.
    ``prompt`` is its text; None for the core's.
    """

    label: str | None = None
    ordinal: int | None = None
    prompt: str | None = None


class CustomPrompt(RootModel[dict[str, PromptBlock]]):
    """A prompt in blocks by name, such as ``{"rules": {"ordinal": 30, "prompt": "…"}}``.

    Blocks that are not named are the core's.
    """

    root: dict[str, PromptBlock] = Field(default_factory=dict[str, PromptBlock])

    def get(self, key: str, default: PromptBlock | None = None) -> PromptBlock | None:
        """The block of this name."""
        return self.root.get(key, default)

    def items(self) -> list[tuple[str, PromptBlock]]:
        """The names and blocks."""
        return list(self.root.items())


class CategoryConfig(Section):
    """A category to file under.

    ``target_length`` is the length of its summary in characters, and ``summary_prompt`` what it
    is written by; None for the defaults of :class:`MemorizeConfig`.
    """

    name: str
    description: str = ""
    target_length: int | None = None
    summary_prompt: str | CustomPrompt | None = None


_CATEGORIES = {
    "personal_info": "Personal information about the user",
    "preferences": "User preferences, likes and dislikes",
    "relationships": "Information about relationships with others",
    "activities": "Activities, hobbies, and interests",
    "goals": "Goals, aspirations, and objectives",
    "experiences": "Past experiences and events",
    "knowledge": "Knowledge, facts, and learned information",
    "opinions": "Opinions, viewpoints, and perspectives",
    "habits": "Habits, routines, and patterns",
    "work_life": "Work-related information and professional life",
}


def _default_categories() -> list[CategoryConfig]:
    return [CategoryConfig(name=name, description=text) for name, text in _CATEGORIES.items()]


def _default_types() -> list[str]:
    return ["profile", "event", "knowledge", "behavior", "skill"]


class RetrieveCategoryConfig(Section):
    """The categories to return: whether any, and at most how many, from 1 to 10,000."""

    enabled: bool = True
    top_k: int = 5


class RetrieveItemConfig(Section):
    """The items to return.

    Attributes:
        enabled: Whether to return any.
        top_k: At most how many, from 1 to 10,000.
        use_category_references: Whether items that the found summaries cite are considered too.
        ranking: ``similarity``, or ``salience``: also how often and how recently they were met.
        recency_decay_days: For salience: after how many days the weight of a memory is halved.
        diversity: The share of its score, 0 to 1, that an item loses when all its evidence
            stands under items before it.
    """

    enabled: bool = True
    top_k: int = 5
    use_category_references: bool = False
    ranking: Annotated[Literal["similarity", "salience"], Normalized] = "similarity"
    recency_decay_days: float = 30.0
    diversity: float = 0.2


class RetrieveResourceConfig(Section):
    """The resources to return: whether any, and at most how many, from 1 to 10,000."""

    enabled: bool = True
    top_k: int = 5


class RetrieveSegmentConfig(Section):
    """The segments to return, the evidence itself: as :class:`RetrieveResourceConfig`."""

    enabled: bool = True
    top_k: int = 5


class RankingConfig(Section):
    """The constants of the ranking, such as ``k1`` or ``session``; the core has their defaults."""


class RetrieveConfig(Section):
    """How questions are answered.

    Attributes:
        method: ``rag``, by evidence, without a model in the loop; or ``llm``, by a model that
            reads summaries and candidates.
        route_intention: Whether to decide first if the question needs memory at all.
        category: The categories to return.
        item: The items to return.
        resource: The resources to return.
        segment: The segments to return.
        ranking: The constants of the ranking.
        sufficiency_check: Whether to ask, after each tier, if what was found suffices.
        sufficiency_check_prompt: Only empty: the core has no prompt of the caller's for this.
        route_intention_llm_profile: The profile that decides what a question needs.
        sufficiency_check_llm_profile: The profile that judges what was found.
        llm_ranking_llm_profile: The profile that chooses, where ``method`` is ``llm``.
    """

    method: Annotated[Literal["rag", "llm"], Normalized] = "rag"
    route_intention: bool = True
    category: RetrieveCategoryConfig = Field(default_factory=RetrieveCategoryConfig)
    item: RetrieveItemConfig = Field(default_factory=RetrieveItemConfig)
    resource: RetrieveResourceConfig = Field(default_factory=RetrieveResourceConfig)
    segment: RetrieveSegmentConfig = Field(default_factory=RetrieveSegmentConfig)
    ranking: RankingConfig = Field(default_factory=RankingConfig)
    sufficiency_check: bool = True
    sufficiency_check_prompt: str = ""
    route_intention_llm_profile: str = "default"
    sufficiency_check_llm_profile: str = "default"
    llm_ranking_llm_profile: str = "default"


class MemorizeConfig(Section):
    """How content becomes memories.

    Attributes:
        category_assign_threshold: The least score, 0 to 1, at which an item is filed.
        multimodal_preprocess_prompts: Prompts in place of the core's, by modality.
        preprocess_llm_profile: The profile that describes pictures and recordings.
        memory_types: The types of memory to extract, in order.
        memory_type_prompts: Prompts in place of the core's, by type of memory.
        memory_extract_llm_profile: The profile that draws memories.
        memory_categories: The categories to file under.
        default_category_summary_prompt: The prompt for summaries; None for the core's.
        default_category_summary_target_length: The length of a summary in characters, from 1.
        category_update_llm_profile: The profile that writes summaries.
        enable_item_references: Whether summaries cite their items as ``[ref:abc123]``.
        enable_item_reinforcement: Whether a memory that is met again counts up.
        near_identity_threshold: The share of terms, 0 to 1, of memories that count as the same.
        max_resource_bytes: The largest resource that is accepted. Default 256 MiB.
        video_frames: How many frames of a video a model is shown, 1 to 32.
        ffmpeg_path: The program ffmpeg; None for the one on the path.
    """

    category_assign_threshold: float = 0.25
    multimodal_preprocess_prompts: dict[str, str | CustomPrompt] = Field(
        default_factory=dict[str, str | CustomPrompt]
    )
    preprocess_llm_profile: str = "default"
    memory_types: list[str] = Field(default_factory=_default_types)
    memory_type_prompts: dict[str, str | CustomPrompt] = Field(
        default_factory=dict[str, str | CustomPrompt]
    )
    memory_extract_llm_profile: str = "default"
    memory_categories: list[CategoryConfig] = Field(default_factory=_default_categories)
    default_category_summary_prompt: str | CustomPrompt | None = None
    default_category_summary_target_length: int = 400
    category_update_llm_profile: str = "default"
    enable_item_references: bool = False
    enable_item_reinforcement: bool = False
    near_identity_threshold: float = 0.85
    max_resource_bytes: int = 256 << 20
    video_frames: int = 8
    ffmpeg_path: str | None = None


class BudgetConfig(Section):
    """What the models of each scope may take within ``days``; None for no limit.

    ``max_tokens`` is read and written together; ``max_cost`` is in the currency of the profiles'
    prices; ``days`` is at least 1, today included.
    """

    max_tokens: int | None = None
    max_cost: float | None = None
    days: int = 30


class DefaultUserModel(BaseModel):
    """The scope of a store whose configuration names none."""

    user_id: str | None = None


class UserConfig(Section):
    """Whose memories they are: the fields of ``model``, in order, are those of a scope."""

    model: type[BaseModel] = DefaultUserModel
