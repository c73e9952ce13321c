"""Where memories and files are kept."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from memu.app._section import Normalized, Section, normalized


class BlobConfig(Section):
    """Where files of more than 1 MiB that are not text are kept.

    ``provider`` can only be ``local``. A relative ``resources_dir`` is beside the database file.
    """

    provider: str = "local"
    resources_dir: str = "./data/resources"


def _store_name(value: object) -> object:
    name = normalized(value)
    return "postgres" if name == "postgresql" else name


def _fitting_store(given: dict[str, Any]) -> Literal["inmemory", "postgres", "sqlite"]:
    """What the core makes of a DSN alone; one of no known form is for it to refuse."""
    dsn = str(given.get("dsn"))
    if dsn.startswith("sqlite:"):
        return "sqlite"
    return "postgres" if dsn.startswith(("postgres:", "postgresql:")) else "inmemory"


class MetadataStoreConfig(Section):
    """The store.

    Attributes:
        provider: ``inmemory`` (the default), ``sqlite`` or ``postgres``. Where none is given, the
            ``dsn`` implies it.
        ddl_mode: ``create`` creates and upgrades tables, ``validate`` only checks them.
        dsn: ``sqlite:///relative.db``, ``sqlite:////absolute.db``, ``sqlite:///:memory:`` or
            ``postgresql://user:password@host:port/database``.
        encryption_key: The key of an encrypted file.
        embedding_format: How vectors are stored in a file: ``f32``, ``f16`` or ``json``.
        busy_timeout_s: How long a writer waits for others, in seconds, 0 to 3600.
        pool_size: How many readers or connections there may be at once, 1 to 256.
        pool_timeout_s: How long anybody waits for one, in seconds, 0 to 3600.
        statement_timeout_s: How long a statement may run on a server, in seconds; 0 for ever.
        row_security: Whether a server keeps transactions to their scopes; None as it is there.
        part_records: About how many records of a kind a server seals at once, 8 to 1,000,000: from
            eight times as many in a scope on, questions look up their words instead of reading all.
    """

    # First, because the default of the provider depends on it.
    dsn: str | None = Field(default=None, repr=False)
    provider: Annotated[Literal["inmemory", "postgres", "sqlite"], BeforeValidator(_store_name)] = (
        Field(default_factory=_fitting_store)
    )
    ddl_mode: Annotated[Literal["create", "validate"], Normalized] = "create"
    encryption_key: str | None = Field(default=None, repr=False)
    embedding_format: Annotated[Literal["f32", "f16", "json"], Normalized] = "f32"
    busy_timeout_s: float = 30.0
    pool_size: int = 4
    pool_timeout_s: float = 30.0
    statement_timeout_s: float = 60.0
    row_security: bool | None = None
    part_records: int = 4096


class VectorIndexConfig(Section):
    """How vectors are searched.

    Attributes:
        provider: ``bruteforce``, a scan of the scope; ``pgvector``, an index of PostgreSQL; or
            ``none``.
        dsn: Accepted, and without effect: vectors are where the records are.
        exact: Whether a search must never miss one of the nearest vectors.
    """

    provider: Annotated[Literal["bruteforce", "pgvector", "none"], Normalized] = "bruteforce"
    dsn: str | None = Field(default=None, repr=False)
    exact: bool = False


def _fitting_index(given: dict[str, Any]) -> VectorIndexConfig:
    store = given.get("metadata_store")
    on_server = isinstance(store, MetadataStoreConfig) and store.provider == "postgres"
    return VectorIndexConfig(provider="pgvector") if on_server else VectorIndexConfig()


class DatabaseConfig(Section):
    """Where memories are kept, and how vectors are searched.

    Without a ``vector_index`` it is the one that fits the store: ``pgvector`` on PostgreSQL,
    otherwise ``bruteforce``.
    """

    metadata_store: MetadataStoreConfig = Field(default_factory=MetadataStoreConfig)
    vector_index: VectorIndexConfig | None = Field(default_factory=_fitting_index)
