"""What several tests start from: services, a stand-in for OpenAI, and databases on a server."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from fake_openai import FakeOpenAI
from support import Call, postgres, sqlite

from memu import MemoryService


@pytest.fixture(params=["sync", "async"])
def call(request: pytest.FixtureRequest) -> Call:
    """Calls a verb of a service: without an event loop, and awaited on one."""

    def wait(service: MemoryService, verb: str, *arguments: Any, **options: Any) -> dict[str, Any]:
        answer: dict[str, Any] = getattr(service.sync, verb)(*arguments, **options)
        return answer

    def run(service: MemoryService, verb: str, *arguments: Any, **options: Any) -> dict[str, Any]:
        async def awaited() -> dict[str, Any]:
            answer: dict[str, Any] = await getattr(service, verb)(*arguments, **options)
            return answer

        return asyncio.run(awaited())

    return wait if request.param == "sync" else run


@pytest.fixture(params=["inmemory", "sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any] | None:
    """The configuration of an empty store of each kind."""
    if request.param == "sqlite":
        return sqlite(tmp_path / "memu.db")
    if request.param == "postgres":
        return postgres(request.getfixturevalue("postgres_dsn"))
    return None


@pytest.fixture
def service(store: dict[str, Any] | None) -> Iterator[MemoryService]:
    """A service with each kind of store, without any model."""
    service = MemoryService(database_config=store)
    yield service
    service.sync.close()


@pytest.fixture
def fake_openai(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeOpenAI]:
    """A server that stands for OpenAI, which clients find by their environment."""
    server = FakeOpenAI()
    monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-nobody")
    # Nothing between a client and this machine.
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield server
    server.close()


@pytest.fixture
def postgres_dsn() -> Iterator[str]:
    """The DSN of an empty database of this test's own, dropped afterwards.

    It is on the server of ``MEMU_TEST_POSTGRES``. Without one the test is skipped, and fails where
    ``REQUIRE_POSTGRES`` is ``1``.
    """
    server = os.environ.get("MEMU_TEST_POSTGRES")
    if not server:
        missing = "MEMU_TEST_POSTGRES names no server; scripts/with-postgres starts one"
        if os.environ.get("REQUIRE_POSTGRES") == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    # Only those who test with a server need it.
    import psycopg
    from psycopg import sql

    name = f"memu_test_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield urlsplit(server)._replace(path=f"/{name}").geturl()
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            connection.execute(drop)
