"""The server that stands for OpenAI is one that clients of OpenAI and MemU understand."""

from __future__ import annotations

import pytest
from fake_openai import DIMENSIONS, FakeOpenAI, vector_of
from openai import NotFoundError, OpenAI

from memu import MemoryService

CHAT = [
    {"role": "user", "content": "I drink my coffee with oat milk."},
    {"role": "assistant", "content": "Noted."},
]


def test_vectors_are_the_same_every_time_and_near_where_words_are_shared(
    fake_openai: FakeOpenAI,
) -> None:
    with OpenAI() as client:
        texts = ["Ann likes tea", "tea for Ann", "chess openings"]
        answer = client.embeddings.create(model="any", input=texts)
        short = client.embeddings.create(model="any", input="tea", dimensions=8)
    tea, more_tea, chess = (one.embedding for one in answer.data)

    def cosine(a: list[float], b: list[float]) -> float:
        return sum(x * y for x, y in zip(a, b, strict=True))

    assert len(tea) == DIMENSIONS == 1536
    assert len(short.data[0].embedding) == 8
    assert tea == pytest.approx(vector_of("Ann likes tea"), abs=1e-6)
    assert cosine(tea, tea) == pytest.approx(1.0, abs=1e-5)
    assert cosine(tea, more_tea) > cosine(tea, chess) + 0.2
    assert [request.path for request in fake_openai.requests] == ["/v1/embeddings"] * 2


def test_what_it_does_not_know_is_not_found(fake_openai: FakeOpenAI) -> None:
    with OpenAI(max_retries=0) as client, pytest.raises(NotFoundError, match="is no request"):
        client.moderations.create(input="Hello")
    assert fake_openai.requests[0].path == "/v1/moderations"


def test_memu_remembers_with_it(fake_openai: FakeOpenAI) -> None:
    service = MemoryService(llm_profiles={"default": {"api_key": "your-api-key"}}).sync
    user = {"user_id": "alice"}
    with service:
        memorized = service.memorize(content=CHAT, modality="conversation", user=user)
        found = service.retrieve(
            [{"role": "user", "content": {"text": "What is in my coffee?"}}], where=user
        )
    assert [item["summary"] for item in memorized["items"]] == [
        "Somebody said user: I drink my coffee with oat milk.",
        "Somebody said assistant: Noted.",
    ]
    (activities,) = (one for one in memorized["categories"] if one["name"] == "activities")
    assert activities["summary"] == "What was said, in short."
    assert found["items"][0]["summary"] == "Somebody said user: I drink my coffee with oat milk."
    asked = fake_openai.requests
    assert {request.path for request in asked} == {"/v1/chat/completions", "/v1/embeddings"}
    assert {request.authorization for request in asked} == {"Bearer your-api-key"}
