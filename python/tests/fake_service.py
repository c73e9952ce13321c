"""A stand-in for `MemoryService` where only what it is asked and what it answers matters."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from pydantic import BaseModel


class Twin:
    """The synchronous half of it."""

    def __init__(self, service: FakeService) -> None:
        self._service = service

    def retrieve(
        self,
        queries: list[dict[str, Any]],
        where: dict[str, Any] | None = None,
        *,
        top_k: int | None = None,
        ranking: str | None = None,
    ) -> dict[str, Any]:
        return self._service.answer("sync", queries, where, top_k, ranking)


class FakeService:
    """One that finds the same every time and notes what it is asked."""

    def __init__(self, *summaries: str, passages: tuple[str, ...] = ()) -> None:
        self.items = [{"summary": summary, "score": 1.0} for summary in summaries]
        self.segments = [{"text": text, "score": 1.0} for text in passages]
        self.asked: list[tuple[Any, ...]] = []
        self.threads: list[int] = []
        self.failure: Exception | None = None
        self.sync = Twin(self)

    async def retrieve(
        self,
        queries: list[dict[str, Any]],
        where: dict[str, Any] | None = None,
        *,
        top_k: int | None = None,
        ranking: str | None = None,
    ) -> dict[str, Any]:
        await asyncio.sleep(0)
        return self.answer("async", queries, where, top_k, ranking)

    def answer(self, *asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        self.threads.append(threading.get_ident())
        if self.failure is not None:
            raise self.failure
        return {"items": self.items, "segments": self.segments}


class ScopedService(FakeService):
    """One that tells the fields of its scope."""

    class User(BaseModel):
        user_id: str | None = None
        team: str | None = None

    user_model = User
