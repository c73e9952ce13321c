"""`retrieve`: the memories that answer a question, with their evidence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support import (
    ALICE,
    BOB,
    CATEGORY,
    ITEM,
    RESOURCE,
    Call,
    assert_record,
    created,
    everything,
    memorized,
)

from memu import MemoryService
from memu.errors import ConfigError, FilterError, InputError, ScopeError

QUESTION = "What should I not eat?"
SEGMENT = (
    "resource_id",
    "session",
    "ordinal",
    "role",
    "speaker",
    "message_id",
    "text",
    "caption",
    "span",
    "topic",
    "topic_caption",
    "happened_at",
    "happened_at_text",
)


def test_a_question_is_answered_with_evidence(service: MemoryService, call: Call) -> None:
    memorized(service)
    asked = [{"role": "user", "content": {"text": QUESTION}}]
    answer = call(service, "retrieve", queries=asked, where=ALICE)
    assert set(answer) == {
        "needs_retrieval",
        "original_query",
        "rewritten_query",
        "next_step_query",
        "categories",
        "items",
        "resources",
        "segments",
    }
    assert answer["needs_retrieval"] is True
    assert answer["original_query"] == answer["rewritten_query"] == QUESTION
    assert answer["next_step_query"] is None
    assert "peanuts" in answer["items"][0]["summary"]
    assert "peanuts" in answer["segments"][0]["text"]
    for item in answer["items"]:
        assert_record(item, *ITEM, "score", "categories", "evidence")
        for segment in item["evidence"]:
            assert_record(segment, *SEGMENT)
    for category in answer["categories"]:
        assert_record(category, *CATEGORY, "score")
    for resource in answer["resources"]:
        assert_record(resource, *RESOURCE, "score")
    for segment in answer["segments"]:
        assert_record(segment, *SEGMENT, "score", "items")


def test_at_most_five_of_everything_best_first(call: Call) -> None:
    service = MemoryService()
    memorized(service)
    answer = call(service, "retrieve", [QUESTION], ALICE)
    for kind in ("categories", "items", "resources", "segments"):
        scores = [hit["score"] for hit in answer[kind]]
        assert 0 < len(scores) <= 5
        assert scores == sorted(scores, reverse=True)
    assert all(
        len(call(service, "retrieve", [QUESTION], ALICE, top_k=2)[kind]) <= 2
        for kind in ("categories", "items", "resources", "segments")
    )


@pytest.mark.parametrize(
    "asked",
    [
        QUESTION,
        {"role": "user", "content": QUESTION},
        {"content": QUESTION},
        {"role": "user", "content": {"text": QUESTION}},
        {"role": "user", "content": [{"type": "text", "text": QUESTION}]},
    ],
)
def test_every_form_of_a_question_asks_the_same(call: Call, asked: Any) -> None:
    service = MemoryService()
    memorized(service)
    answer = call(service, "retrieve", [asked], ALICE)
    assert answer["original_query"] == QUESTION
    assert answer == service.sync.retrieve([QUESTION], ALICE)


def test_earlier_queries_are_context(call: Call) -> None:
    service = MemoryService()
    memorized(service)
    asked = [
        {"role": "user", "content": "I am off to the café."},
        {"role": "assistant", "content": "Enjoy!"},
        {"role": "user", "content": "What do I drink?"},
    ]
    answer = call(service, "retrieve", asked, ALICE)
    assert answer["original_query"] == "What do I drink?"
    assert "flat white" in answer["items"][0]["summary"]


def test_an_explanation_has_the_terms_of_the_scores(call: Call) -> None:
    service = MemoryService()
    memorized(service)
    plain = call(service, "retrieve", [QUESTION], ALICE)
    assert "explanation" not in plain["items"][0]
    explained = call(service, "retrieve", [QUESTION], ALICE, explain=True)
    assert {"evidence", "own_text"} <= set(explained["items"][0]["explanation"])
    assert {"lexical", "semantic"} <= set(explained["segments"][0]["explanation"])


def test_salience_ranks_what_was_met_often_first(call: Call) -> None:
    service = MemoryService(memorize_config={"enable_item_reinforcement": True})
    for talk in range(4):
        said = [{"role": "user", "content": f"I play the cello on Mondays. Talk {talk}."}]
        service.sync.memorize(content=said, modality="conversation", user=ALICE)
    met = [item["extra"].get("reinforcement_count", 1) for item in everything(service)[0]]
    created(service, "Alice plays the cello on Mondays with friends")
    assert max(met) > 1
    answer = call(
        service, "retrieve", ["Who plays the cello on Mondays?"], ALICE, ranking="salience"
    )
    assert answer["items"][0]["extra"]["reinforcement_count"] == max(met)


@pytest.mark.parametrize(
    ("where", "found"),
    [
        (ALICE, 1),
        ({"user_id__in": ["alice", "bob"]}, 2),
        ({"user_id__ne": "alice"}, 1),
        ({**ALICE, "memory_type": "event"}, 0),
        ({**ALICE, "memory_type__in": ["event", "profile"]}, 1),
        ({**ALICE, "category": "activities"}, 1),
        ({**ALICE, "created_at__lt": datetime.now(UTC) + timedelta(hours=1)}, 1),
        ({**ALICE, "created_at__lt": datetime.now(UTC) - timedelta(hours=1)}, 0),
    ],
)
def test_a_filter_says_whose_memory_and_which(
    call: Call, where: dict[str, Any], found: int
) -> None:
    service = MemoryService()
    for user in (ALICE, BOB):
        created(service, f"{user['user_id']} plays the cello", user)
    answer = call(service, "retrieve", ["Who plays the cello?"], where)
    assert len(answer["items"]) == found


def test_several_scopes_and_none_named_is_refused(service: MemoryService, call: Call) -> None:
    created(service, "Alice plays the cello")
    assert len(call(service, "retrieve", ["Who plays the cello?"])["items"]) == 1
    created(service, "Bob plays the cello", BOB)
    with pytest.raises(ScopeError, match="2 scopes") as raised:
        call(service, "retrieve", ["Who plays the cello?"])
    assert isinstance(raised.value, ValueError)
    answer = call(service, "retrieve", ["Who plays the cello?"], all_scopes=True)
    assert len(answer["items"]) == 2


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ({"user_id": None}, "user_id is null"),
        ({"user": "alice"}, 'unknown filter field "user"; use user_id'),
        ({"user_id__like": "a"}, "unknown operator"),
        ({"user_id__in": "alice"}, "user_id__in"),
        ({"created_at__gt": "yesterday"}, "created_at__gt"),
    ],
)
def test_a_filter_that_is_not_understood_is_refused(
    call: Call, where: dict[str, Any], message: str
) -> None:
    service = MemoryService()
    created(service, "Alice plays the cello")
    with pytest.raises(FilterError, match=message) as raised:
        call(service, "retrieve", ["Who?"], where)
    assert isinstance(raised.value, ValueError)


@pytest.mark.parametrize(
    ("queries", "options", "error", "message"),
    [
        ([], {}, InputError, "queries is empty"),
        ([""], {}, InputError, "the question is empty"),
        ([{"role": "user"}], {}, InputError, "no text"),
        ([{"role": "user", "content": [{"type": "image_url"}]}], {}, InputError, "no text"),
        ([3], {}, TypeError, "not a int"),
        ("What?", {}, TypeError, "not a str"),
        ({"role": "user", "content": "What?"}, {}, TypeError, "not a dict"),
        (["What?"], {"top_k": 0}, InputError, "top_k is 0; it must be from 1 to 10000"),
        (["What?"], {"top_k": 10_001}, InputError, "top_k is 10001"),
        (["What?"], {"top_k": -1}, InputError, "top_k"),
        ([{"role": "boss", "content": "What?"}], {}, InputError, "role.*boss"),
        (["What?"], {"ranking": "best"}, ConfigError, "`similarity` or `salience`"),
    ],
)
def test_questions_of_no_use_are_refused(
    call: Call,
    queries: Any,
    options: dict[str, Any],
    error: type[Exception],
    message: str,
) -> None:
    service = MemoryService()
    created(service, "Alice plays the cello")
    with pytest.raises(error, match=message):
        call(service, "retrieve", queries, ALICE, **options)


def test_nothing_is_found_where_nothing_is(service: MemoryService, call: Call) -> None:
    answer = call(service, "retrieve", [QUESTION], ALICE)
    assert (answer["items"], answer["segments"], answer["resources"]) == ([], [], [])
