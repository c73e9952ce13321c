"""`memorize`: content becomes memories, all of it or nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support import (
    ALICE,
    BOB,
    CATEGORY,
    CONVERSATION,
    ITEM,
    RELATION,
    RESOURCE,
    Call,
    assert_record,
    everything,
    memorized,
    summaries,
)

from memu import MemoryService
from memu.errors import InputError, InputFileNotFoundError, ScopeError, UnsupportedError

MESSAGES = [
    {"role": "user", "content": "I am allergic to peanuts."},
    {"role": "assistant", "content": "I will keep that in mind."},
]


def test_a_conversation_becomes_memories(service: MemoryService, call: Call) -> None:
    result = call(
        service, "memorize", resource_url=CONVERSATION, modality="conversation", user=ALICE
    )
    assert set(result) == {
        "status",
        "resource",
        "items",
        "categories",
        "relations",
        "reinforced",
        "new_segments",
    }
    assert (result["status"], result["new_segments"], result["reinforced"]) == ("created", 7, [])
    assert_record(result["resource"], *RESOURCE)
    assert result["resource"]["url"] == CONVERSATION
    assert result["resource"]["modality"] == "conversation"
    assert len(result["categories"]) == 10
    assert any("peanuts" in item["summary"] for item in result["items"])
    for item in result["items"]:
        assert_record(item, *ITEM)
        assert item["resource_id"] == result["resource"]["id"]
        assert item["user_id"] == "alice"
    for category in result["categories"]:
        assert_record(category, *CATEGORY)
    ids = {item["id"] for item in result["items"]}
    for relation in result["relations"]:
        assert_record(relation, *RELATION)
        assert relation["item_id"] in ids
    assert len(summaries(service)) == len(result["items"])


def test_the_same_content_again_changes_nothing(service: MemoryService, call: Call) -> None:
    first = memorized(service)
    before = everything(service)
    again = call(
        service, "memorize", resource_url=CONVERSATION, modality="conversation", user=ALICE
    )
    assert (again["status"], again["new_segments"]) == ("unchanged", 0)
    assert again["items"] == first["items"]
    assert everything(service) == before


def test_a_conversation_that_has_grown_adds_what_is_new(tmp_path: Path, call: Call) -> None:
    service = MemoryService()
    file = tmp_path / "talk.json"
    file.write_text(json.dumps(MESSAGES))
    first = call(service, "memorize", resource_url=str(file), modality="conversation", user=ALICE)
    more = {"role": "user", "content": "On Mondays I play the cello in a quartet."}
    file.write_text(json.dumps([*MESSAGES, more]))
    second = call(service, "memorize", resource_url=str(file), modality="conversation", user=ALICE)
    assert (second["status"], second["new_segments"]) == ("extended", 1)
    assert second["resource"]["id"] == first["resource"]["id"]
    assert any("cello" in item["summary"] for item in second["items"])
    assert len(summaries(service)) == len(first["items"]) + len(second["items"])


@pytest.mark.parametrize(
    "content",
    [MESSAGES, tuple(MESSAGES), {"messages": MESSAGES}, json.dumps(MESSAGES)],
    ids=["list", "tuple", "mapping", "text"],
)
def test_messages_may_be_handed_over_themselves(call: Call, content: Any) -> None:
    service = MemoryService()
    result = call(
        service,
        "memorize",
        content=content,
        resource_url="talk",
        modality="conversation",
        user=ALICE,
    )
    assert result["new_segments"] == 2
    assert result["resource"]["url"] == "talk"
    assert any("peanuts" in item["summary"] for item in result["items"])


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_are_taken_as_they_are(call: Call, kind: Any) -> None:
    service = MemoryService()
    note = "The spare key hangs behind the almond jar. 🥜"
    call(service, "memorize", content=kind(note.encode()), modality="document", user=ALICE)
    answer = service.sync.retrieve(["Where is the spare key?"], ALICE)
    assert answer["segments"][0]["text"] == note


def test_a_caption_stands_for_a_picture(call: Call) -> None:
    service = MemoryService()
    result = call(
        service,
        "memorize",
        resource_url="jetty.jpg",
        modality="image",
        content=b"\xff\xd8\xff\xe0 a picture",
        caption="Ines stands on a jetty in the rain",
        user=ALICE,
    )
    assert result["resource"]["caption"] == "Ines stands on a jetty in the rain"
    assert service.sync.retrieve(["Who stands on a jetty?"], ALICE)["segments"]


def test_what_two_users_say_stays_apart(service: MemoryService, call: Call) -> None:
    for user, friend in ((ALICE, "Ana"), (BOB, "Boris")):
        said = [{"role": "user", "content": f"I go climbing with {friend} every Sunday."}]
        call(service, "memorize", content=said, modality="conversation", user=user)
    assert "Boris" not in str(service.sync.list_memory_categories(ALICE))
    assert "Boris" not in str(service.sync.retrieve(["Who climbs?"], ALICE))
    assert "Boris" in str(service.sync.retrieve(["Who climbs?"], BOB))


def test_the_user_may_be_the_model_of_the_scope(call: Call) -> None:
    service = MemoryService()
    user = service.user_model(user_id="alice")
    result = call(service, "memorize", content=MESSAGES, modality="conversation", user=user)
    assert result["resource"]["user_id"] == "alice"


def test_a_missing_file_is_named(service: MemoryService, call: Call) -> None:
    with pytest.raises(InputFileNotFoundError, match=r"nothing\.json") as raised:
        call(service, "memorize", resource_url="nothing.json", modality="conversation", user=ALICE)
    assert isinstance(raised.value, FileNotFoundError)
    assert isinstance(raised.value, ValueError)
    assert (raised.value.filename, raised.value.context["file"]) == ("nothing.json",) * 2
    assert not raised.value.retryable
    assert everything(service) == ([], [], [])


FILES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "the content is empty"),
    "broken": (b'[\n{"role": }', "the JSON is broken"),
    "no text": (b"\xff\xfe\xfd{", "no speaker found"),
    "another shape": (b'{"a": 1}', "expected a list of messages"),
    "no messages": (b"[]", "the conversation has no messages"),
    "half a pair": (rb'[{"role": "user", "content": "\ud800"}]', "surrogate"),
}


@pytest.mark.parametrize("name", FILES)
def test_content_of_no_use_changes_nothing(tmp_path: Path, call: Call, name: str) -> None:
    service = MemoryService()
    memorized(service)
    before = everything(service)
    content, message = FILES[name]
    file = tmp_path / "talk.json"
    file.write_bytes(content)
    with pytest.raises(InputError, match=message) as raised:
        call(service, "memorize", resource_url=str(file), modality="conversation", user=ALICE)
    assert raised.value.context["file"] == str(file)
    if name == "broken":
        assert raised.value.context["line"] == "2"
    assert everything(service) == before


def test_content_that_was_handed_over_has_no_file_to_name(call: Call) -> None:
    with pytest.raises(InputError, match="the content is empty") as raised:
        call(MemoryService(), "memorize", content=b"", modality="document", user=ALICE)
    assert "file" not in raised.value.context


def test_a_folder_is_no_file(tmp_path: Path, call: Call) -> None:
    with pytest.raises(InputError, match="a folder, not a file"):
        call(MemoryService(), "memorize", resource_url=str(tmp_path), modality="document")


def test_a_server_that_cannot_be_reached_is_named(call: Call) -> None:
    url = "http://127.0.0.1:1/talk.json"
    with pytest.raises(InputError, match="cannot be reached") as raised:
        call(MemoryService(), "memorize", resource_url=url, modality="document")
    assert raised.value.context["url"] == url


def test_without_a_model_a_picture_needs_a_caption(call: Call) -> None:
    service = MemoryService()
    with pytest.raises(UnsupportedError, match="caption") as raised:
        call(service, "memorize", content=b"\xff\xd8\xff\xe0 a", modality="image", user=ALICE)
    assert isinstance(raised.value, NotImplementedError)
    assert everything(service) == ([], [], [])


@pytest.mark.parametrize(
    ("user", "message"),
    [
        ({"nobody": "x"}, 'unknown scope field "nobody"'),
        ({"user_id": 3}, "user_id"),
        ({"user_id": "x" * 10_000}, "at most 512"),
    ],
)
def test_a_user_that_does_not_fit_is_refused(
    call: Call, user: dict[str, Any], message: str
) -> None:
    service = MemoryService()
    with pytest.raises(ScopeError, match=message) as raised:
        call(service, "memorize", content=MESSAGES, modality="conversation", user=user)
    assert isinstance(raised.value, ValueError)
    assert everything(service) == ([], [], [])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"modality": "conversation"}, "resource_url or content"),
        ({"content": MESSAGES, "modality": "smell"}, "modality.*conversation"),
        ({"content": [{"role": "user", "content": "\ud800"}], "modality": "conversation"}, "pair"),
        ({"content": [float("nan")], "modality": "conversation"}, "(?i)nan"),
    ],
)
def test_arguments_of_no_use_are_named(call: Call, arguments: dict[str, Any], message: str) -> None:
    service = MemoryService()
    with pytest.raises(InputError, match=message):
        call(service, "memorize", **arguments)
    assert everything(service) == ([], [], [])


def test_what_is_no_plain_value_is_no_content(call: Call) -> None:
    with pytest.raises(TypeError, match="object"):
        call(MemoryService(), "memorize", content=object(), modality="document")


def test_a_large_message_and_odd_characters_are_kept(call: Call) -> None:
    service = MemoryService()
    text = "The word is pamplemousse\x00 {x} 🦄. " + "la " * 300_000
    call(
        service,
        "memorize",
        content=[{"role": "user", "content": text}],
        modality="conversation",
        user=ALICE,
    )
    found = service.sync.retrieve(["What is the word? pamplemousse"], ALICE)
    assert found["segments"][0]["text"] == text
