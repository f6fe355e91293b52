"""A stand-in for OpenAI's API on the loopback: every answer takes the same tokens."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

CHAT_USAGE = {
    "prompt_tokens": 1200,
    "completion_tokens": 350,
    "total_tokens": 1550,
    "prompt_tokens_details": {"cached_tokens": 1024, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 200, "audio_tokens": 0},
}
RESPONSE_USAGE = {
    "input_tokens": 1200,
    "output_tokens": 350,
    "total_tokens": 1550,
    "input_tokens_details": {"cached_tokens": 1024},
    "output_tokens_details": {"reasoning_tokens": 200},
}


def answer(path: str, asked: dict[str, Any]) -> dict[str, Any]:
    common = {
        "model": asked["model"],
        "created": 1,
        "service_tier": asked.get("service_tier", "default"),
    }
    if path.endswith("/embeddings"):
        data = [{"object": "embedding", "index": 0, "embedding": [0.1, 0.2]}]
        usage = {"prompt_tokens": 12, "total_tokens": 12}
        return {"object": "list", "data": data, "model": asked["model"], "usage": usage}
    if path.endswith("/responses"):
        content = [{"type": "output_text", "text": "Hello there!", "annotations": []}]
        said = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed"}
        return {
            **common,
            "id": f"resp_{uuid4().hex}",
            "object": "response",
            "created_at": 1,
            "status": "completed",
            "output": [{**said, "content": content}],
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
            "usage": RESPONSE_USAGE,
        }
    message = {"role": "assistant", "content": "Hello there!"}
    return {
        **common,
        "id": f"chatcmpl-{uuid4().hex}",
        "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": CHAT_USAGE,
    }


def chunks(whole: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The same answer as a stream tells it: its usage comes last."""
    common = {**whole, "object": "chat.completion.chunk", "usage": None}
    for word in ("Hello", " there!"):
        delta = {"role": "assistant", "content": word}
        yield {**common, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    yield {**common, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    yield {**common, "choices": [], "usage": whole["usage"]}


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if asked["model"] == "fail-429":
            error = {"message": "slow down", "type": "requests", "code": "rate_limit_exceeded"}
            self.say(429, "application/json", json.dumps({"error": error}).encode())
            return
        whole = answer(self.path, asked)
        if asked.get("stream"):
            lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks(whole)]
            body = "".join([*lines, "data: [DONE]\n\n"]).encode()
            self.say(200, "text/event-stream", body)
        else:
            self.say(200, "application/json", json.dumps(whole).encode())

    def say(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def openai_stand_in() -> Iterator[str]:
    """Its base URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
