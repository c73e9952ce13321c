"""The profiles of models."""

from __future__ import annotations

from typing import Annotated, Any, cast

from pydantic import ConfigDict, Field, RootModel, StringConstraints, model_validator

from memu.app._section import Section


class LazyLLMSource(Section):
    """Accepted, and without effect: see :class:`LLMConfig`."""

    source: str | None = None
    llm_source: str | None = None
    embed_source: str | None = None
    vlm_source: str | None = None
    stt_source: str | None = None
    vlm_model: str = "qwen-vl-plus"
    stt_model: str = "qwen-audio-turbo"


def _of_openai(value: str, given: dict[str, Any]) -> str | None:
    """The default of a setting: the core knows those of other providers."""
    return value if given.get("provider") == "openai" else None


class LLMConfig(Section):
    """Who runs a model, and how it is called.

    Attributes:
        provider: ``openai`` (the default), ``local`` (this process, no model), or another of
            those that ``memu models`` lists. A profile of which only ``model`` or ``path`` is
            given is ``local``.
        base_url: Where the provider is. What is shown where none is set is the default;
            ``OPENAI_BASE_URL`` and its like come before it.
        api_key: The key, or the name of the environment variable that holds it.
        chat_model: The model that chats.
        embed_model: The model that embeds. Like the three above, None means the provider's own.
        embed_batch_size: At most this many texts in one call. Default 100.
        endpoint_overrides: Paths of ``chat``, ``embeddings`` and ``transcriptions`` that differ
            from the provider's.
        transcribe_model: The model that transcribes.
        model: For ``local``: ``words`` or, in the profile ``embedding``, ``minilm``.
        path: For ``local``: the folder of a model that is read from files.
        dimension: How many numbers a vector has.
        timeout_s: How long one attempt may take, in seconds. Default 60.
        max_retries: How often a call that failed is made again, 0 to 10. Default 3.
        max_concurrency: At most this many calls at the same time. Default 8.
        max_output_tokens: At most this many tokens in an answer.
        context_tokens: How much a model on this machine is to keep in mind, in tokens.
        temperature: In place of the temperature that a request asks for.
        input_price: What a million tokens read cost, in any currency.
        output_price: What a million tokens written cost.
        embed_price: What a million tokens embedded cost.
        client_backend: Accepted, and without effect: the core speaks HTTP itself.
        lazyllm_source: As ``client_backend``.
    """

    # First, because the defaults of others depend on it.
    provider: str = "openai"
    base_url: str | None = Field(
        default_factory=lambda given: _of_openai("https://api.openai.com/v1", given), repr=False
    )
    api_key: str | None = Field(
        default_factory=lambda given: _of_openai("OPENAI_API_KEY", given), repr=False
    )
    chat_model: str | None = Field(default_factory=lambda given: _of_openai("gpt-4o-mini", given))
    client_backend: str = Field(default="sdk", repr=False)
    lazyllm_source: LazyLLMSource = Field(default_factory=LazyLLMSource, repr=False)
    endpoint_overrides: dict[str, str] = Field(default_factory=dict[str, str], repr=False)
    embed_model: str | None = Field(
        default_factory=lambda given: _of_openai("text-embedding-3-small", given)
    )
    embed_batch_size: int = 100
    transcribe_model: str | None = None
    model: str | None = None
    path: str | None = None
    dimension: int | None = None
    timeout_s: float = 60.0
    max_retries: int = 3
    max_concurrency: int = 8
    max_output_tokens: int | None = None
    context_tokens: int | None = None
    temperature: float | None = None
    input_price: float | None = None
    output_price: float | None = None
    embed_price: float | None = None

    @model_validator(mode="before")
    @classmethod
    def _name_local(cls, data: object) -> object:
        if not isinstance(data, dict):
            return data
        given = cast("dict[str, object]", data)
        is_local = bool(given) and given.keys() <= {"model", "path"}
        return {"provider": "local", **given} if is_local else given


_Name = Annotated[str, StringConstraints(min_length=1)]


class LLMProfilesConfig(RootModel[dict[_Name, LLMConfig]]):
    """The profiles by name; ``default`` chats and ``embedding`` embeds.

    A missing ``default`` is ``local``, which needs no key. A missing ``embedding`` is ``default``
    itself; where that cannot embed, ``local`` embeds.
    """

    # As in sections: keys must not be shown where a profile is refused.
    model_config = ConfigDict(hide_input_in_errors=True)

    root: dict[_Name, LLMConfig] = Field(default_factory=dict[str, LLMConfig])

    @model_validator(mode="before")
    @classmethod
    def _accept_none(cls, data: object) -> object:
        return cast("dict[str, object]", {}) if data is None else data

    @model_validator(mode="after")
    def _fill(self) -> LLMProfilesConfig:
        default = self.root.setdefault("default", LLMConfig(provider="local"))
        self.root.setdefault("embedding", default)
        return self

    def get(self, key: str, default: LLMConfig | None = None) -> LLMConfig | None:
        """The profile of this name."""
        return self.root.get(key, default)

    @property
    def profiles(self) -> dict[str, LLMConfig]:
        """All profiles by name."""
        return self.root

    @property
    def default(self) -> LLMConfig:
        """The profile of every step that names no other."""
        return self.root["default"]
