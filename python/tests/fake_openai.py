"""A server on loopback that speaks as OpenAI does: chats, also streamed, and embeddings.

It records what it is asked. To what MemU asks it answers in the form asked for: one memory of
every message, and summaries. To anything else it answers ``You said: `` and the user's last
message. It lives in daemon threads and so ends with the process of the tests.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

DIMENSIONS = 1536


@dataclass(frozen=True)
class Request:
    """A request as it arrived."""

    path: str
    body: dict[str, Any]
    authorization: str | None

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The messages of a chat."""
        messages: list[dict[str, Any]] = self.body["messages"]
        return messages


class FakeOpenAI:
    """The server, from its creation until :meth:`close` or the end of the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: list[Request] = []
        self._server = _Server(self)
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        thread.start()

    @property
    def base_url(self) -> str:
        """What ``OPENAI_BASE_URL`` is to be."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @property
    def requests(self) -> list[Request]:
        """All requests so far, in the order of their arrival."""
        with self._lock:
            return list(self._requests)

    @property
    def chats(self) -> list[Request]:
        """The chat completions among the requests."""
        return [request for request in self.requests if request.path.endswith("/completions")]

    @property
    def instructions(self) -> str:
        """What the last chat begins with, which must be instructions in one text."""
        first = self.chats[-1].messages[0]
        assert first["role"] == "system", f"it begins with {first}"
        content = first["content"]
        assert isinstance(content, str)
        return content

    def record(self, request: Request) -> None:
        """Called by the server's threads."""
        with self._lock:
            self._requests.append(request)

    def close(self) -> None:
        """Stops the server."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, owner: FakeOpenAI) -> None:
        self.owner = owner
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # A small answer must not wait for the client's acknowledgement of the headers.
    disable_nagle_algorithm = True

    @property
    def owner(self) -> FakeOpenAI:
        return cast("_Server", self.server).owner

    def do_GET(self) -> None:
        self.owner.record(Request(self.path, {}, self.headers.get("Authorization")))
        if self.path.endswith("/models"):
            model = {"id": "fake-model", "object": "model", "created": 0, "owned_by": "nobody"}
            self._answer({"object": "list", "data": [model]})
        else:
            self._refuse()

    def do_POST(self) -> None:
        size = int(self.headers.get("Content-Length", "0"))
        body: dict[str, Any] = json.loads(self.rfile.read(size))
        request = Request(self.path, body, self.headers.get("Authorization"))
        self.owner.record(request)
        if self.path.endswith("/chat/completions"):
            text = reply(body)
            if body.get("stream"):
                self._stream(chunks(body, text))
            else:
                self._answer(completion(body, text))
        elif self.path.endswith("/embeddings"):
            self._answer(embeddings(body))
        else:
            self._refuse()

    def _answer(self, value: dict[str, Any], status: int = 200) -> None:
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _refuse(self) -> None:
        self._answer({"error": {"message": f"{self.path} is no request"}}, status=404)

    def _stream(self, events: Iterator[dict[str, Any]]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        # The end of the connection is the end of the stream.
        self.send_header("Connection", "close")
        self.end_headers()
        for event in events:
            self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: what was asked is in `requests`."""


def reply(body: dict[str, Any]) -> str:
    """What the model answers to a chat."""
    schema: dict[str, Any] | None = (
        body.get("response_format", {}).get("json_schema", {}).get("schema")
    )
    messages: list[dict[str, Any]] = body["messages"]
    said = [text_of(message) for message in messages if message["role"] == "user"]
    last = said[-1] if said else ""
    if schema is None:
        return f"You said: {last}"
    return json.dumps(obliging(schema["properties"], "\n".join(said), messages))


def obliging(
    properties: dict[str, Any], prompt: str, messages: list[dict[str, Any]]
) -> dict[str, Any]:
    """What a model that understands MemU's requests answers in the form asked for."""
    if "caption" in properties:
        return {"caption": "a talk", "items": memories(prompt)}
    if "summaries" in properties:
        instructions = "\n".join(text_of(message) for message in messages)
        text = "What was said, in short" + (" [ref:1]." if "[ref:" in instructions else ".")
        names: list[str] = properties["summaries"]["items"]["properties"]["category"]["enum"]
        return {"summaries": [{"category": name, "summary": text} for name in names]}
    if "needs_retrieval" in properties:
        return {"needs_retrieval": True, "rewritten_query": messages_end(prompt)}
    if "sufficient" in properties:
        return {"sufficient": False, "next_query": None}
    if "items" in properties:
        return {"categories": [1], "items": [1], "resources": [1]}
    # Whoever asks for a form of his own gets its texts filled in.
    return dict.fromkeys(properties, "fake")


def messages_end(prompt: str) -> str:
    """The last line of a prompt."""
    return prompt.strip().splitlines()[-1] if prompt.strip() else ""


def memories(prompt: str) -> list[dict[str, Any]]:
    """One memory of every numbered message of a prompt."""
    return [
        {
            "memory_type": "event",
            "content": f"Somebody said {text}",
            "message_numbers": [int(number)],
            "categories": ["activities"],
            "happened_at": None,
        }
        for number, text in re.findall(r"^\s*\[(\d+)\] (.+)$", prompt, re.MULTILINE)
    ]


def text_of(message: dict[str, Any]) -> str:
    """The text of a message, whose content may be in parts."""
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in content if part.get("type") == "text")


def completion(body: dict[str, Any], text: str) -> dict[str, Any]:
    """A whole answer."""
    return {
        "id": "chatcmpl-fake",
        "object": "chat.completion",
        "created": 0,
        "model": body["model"],
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": text},
            }
        ],
        "usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15},
    }


def chunks(body: dict[str, Any], text: str) -> Iterator[dict[str, Any]]:
    """The same answer word by word."""
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": word} for word in re.findall(r"\S+\s*", text)]
    for number, delta in enumerate([*deltas, {}]):
        finish = "stop" if number == len(deltas) else None
        yield {
            "id": "chatcmpl-fake",
            "object": "chat.completion.chunk",
            "created": 0,
            "model": body["model"],
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        }


def embeddings(body: dict[str, Any]) -> dict[str, Any]:
    """The vectors of the texts in a request."""
    given = body["input"]
    texts: list[str] = [given] if isinstance(given, str) else given
    data: list[dict[str, Any]] = []
    for index, text in enumerate(texts):
        vector = vector_of(text, body.get("dimensions") or DIMENSIONS)
        packed = body.get("encoding_format") == "base64"
        value = base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
        embedding = value if packed else vector
        data.append({"object": "embedding", "index": index, "embedding": embedding})
    usage = {"prompt_tokens": 1, "total_tokens": 1}
    return {"object": "list", "data": data, "model": body["model"], "usage": usage}


def vector_of(text: str, dimensions: int = DIMENSIONS) -> list[float]:
    """Always the same vector for a text, at length 1, and the nearer to that of another the more
    words they share."""
    words = re.findall(r"\w+", text.lower()) or [text]
    sums = [0.0] * dimensions
    for word in words:
        numbers = hashlib.shake_256(word.encode()).digest(dimensions)
        sums = [total + number - 127.5 for total, number in zip(sums, numbers, strict=True)]
    length = sum(value * value for value in sums) ** 0.5
    return [value / length for value in sums]
