"""What `wrap_openai` takes, and what it refuses at once."""

from __future__ import annotations

from typing import Any

import pytest
from fake_openai import FakeOpenAI
from fake_service import FakeService, ScopedService
from openai import OpenAI

from memu.client import wrap_openai


@pytest.mark.usefixtures("fake_openai")
def test_who_it_is_about_is_settled_when_wrapped() -> None:
    user = {"user_id": "alice", "session_id": "one"}
    service = FakeService("Alice drinks oat milk")
    question = {"role": "user", "content": "What do I drink?"}
    with wrap_openai(OpenAI(), service, user, user_id="bob", agent_id="bot") as wrapped:
        user["session_id"] = "two"
        wrapped.chat.completions.create(model="fake-model", messages=[question])
    where = {"user_id": "bob", "session_id": "one", "agent_id": "bot"}
    assert service.asked[0][2] == where
    assert user == {"user_id": "alice", "session_id": "two"}


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"user_id": ""}, ValueError, "user_id must not be empty"),
        ({"user_data": {"user_id": None}}, ValueError, "user_id must not be empty"),
        ({"user_data": "alice"}, TypeError, "user_data must be a mapping"),
        ({"user_data": {"name": "alice"}}, ValueError, "'name'.* there are: user_id, team"),
        ({"user_id": "alice", "agent_id": "bot"}, ValueError, "unknown scope field 'agent_id'"),
        ({"ranking": "best"}, ValueError, "similarity, salience, not 'best'"),
        ({"ranking": None}, ValueError, "similarity, salience"),
        ({"top_k": 0}, ValueError, "top_k must be 1 or more, not 0"),
        ({"top_k": -1}, ValueError, "top_k must be 1 or more"),
        ({"top_k": "5"}, TypeError, "whole number, not str"),
        ({"top_k": True}, TypeError, "whole number, not bool"),
        ({"service": None}, TypeError, "no method retrieve"),
        ({"client": None}, TypeError, "NoneType does not"),
    ],
)
def test_a_wrong_argument_is_an_error_when_wrapped(
    wrong: dict[str, Any], error: type[Exception], message: str
) -> None:
    client = OpenAI(api_key="sk-nobody")
    arguments: dict[str, Any] = {"client": client, "service": ScopedService(), **wrong}
    with pytest.raises(error, match=message):
        wrap_openai(**arguments)


def test_conditions_on_scope_fields_are_what_the_service_is_asked_with(
    fake_openai: FakeOpenAI,
) -> None:
    service = ScopedService()
    where = {"user_id__in": ["alice", "bob"], "team": "red"}
    client = wrap_openai(OpenAI(), service, where)
    client.chat.completions.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": "Who sails?"}]
    )
    assert [asked[2] for asked in service.asked] == [where]


def test_a_service_that_cannot_be_asked_is_an_error_when_wrapped() -> None:
    class Old:
        async def retrieve(self, queries: Any, where: Any = None) -> dict[str, Any]:
            return {}

    class Alone(FakeService):
        def __init__(self) -> None:
            super().__init__()
            del self.sync

    client: Any = OpenAI(api_key="sk-nobody")
    old: Any = Old()
    with pytest.raises(TypeError, match="retrieve: got an unexpected keyword argument 'top_k'"):
        wrap_openai(client, old)
    with pytest.raises(TypeError, match=r"no method sync\.retrieve"):
        wrap_openai(client, Alone())
