"""The client waits out a server that is busy or away, and nothing else."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from finops.ingest_client import (
    BodyRefused,
    IngestClient,
    KeyRefused,
    ServerAway,
    send_all,
)
from ingest.client.retries import retry_after

NOW = datetime(2026, 10, 15, 12, 0, tzinfo=UTC)
RECEIPT = {"accepted": 1, "duplicates": 0, "rejected": []}


@contextmanager
def server(*answers: tuple[int, dict[str, object], dict[str, str]]) -> Iterator[tuple[str, list]]:
    """A server that gives these answers in turn, the last one for ever; its URL, its requests."""
    seen: list[tuple[str, str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, answer, headers = answers[min(len(seen), len(answers) - 1)]
            seen.append((self.path, self.headers["Authorization"], body))
            content = json.dumps(answer).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{http.server_address[1]}", seen
        http.shutdown()


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_server_is_asked_again(status):
    busy = (status, {}, {"Retry-After": "0"})
    with server(busy, busy, (200, RECEIPT, {})) as (url, seen):
        receipt = IngestClient(url, "fk_x").send(b"{}")
    assert receipt.accepted == 1
    assert seen == [("/api/v1/events", "Bearer fk_x", b"{}")] * 3


@pytest.mark.parametrize(
    ("status", "error"), [(401, KeyRefused), (403, KeyRefused), (400, BodyRefused)]
)
def test_a_refusal_is_final_and_says_why(status, error):
    with server((status, {"detail": "Because of the moon."}, {})) as (url, seen):
        with pytest.raises(error, match="Because of the moon"):
            IngestClient(url, "fk_x").send(b"{}")
        assert len(seen) == 1


def test_patience_with_a_server_that_is_away_ends():
    with server() as (url, _):
        pass
    with pytest.raises(ServerAway, match=url):
        IngestClient(url, "fk_x", patience_seconds=0.0).send(b"{}")


def test_an_empty_batch_is_not_sent():
    assert IngestClient("http://127.0.0.1:9", "fk_x").send(b"").accepted == 0


def test_rejections_are_read():
    answer = {
        "accepted": 1,
        "duplicates": 2,
        "rejected": [{"index": 3, "id": None, "reason": "missing_field", "detail": "id"}],
    }
    with server((200, answer, {})) as (url, _):
        receipt = IngestClient(url, "fk_x").send(b"{}")
    assert receipt.duplicates == 2
    assert (receipt.rejected[0].index, receipt.rejected[0].reason) == (3, "missing_field")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2", 2.0),
        (format_datetime(NOW.replace(second=7), usegmt=True), 7.0),
        ("", None),
        ("x", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text, seconds):
    assert retry_after(text, NOW) == seconds


def test_receipts_come_in_the_order_of_the_batches():
    batches = range(50)
    sent = list(send_all(batches, lambda batch: batch * 10, 4))
    assert sent == [(batch, batch * 10) for batch in batches]


def test_one_failure_ends_the_sending():
    started = []

    def send(batch: int) -> int:
        started.append(batch)
        if batch == 3:
            raise BodyRefused("no")
        return batch

    received = []
    with pytest.raises(BodyRefused):
        received.extend(batch for batch, _ in send_all(range(1000), send, 2))
    assert received == [0, 1, 2]
    assert len(started) < 10


def test_a_server_that_is_not_there_is_named_before_anything_is_sent():
    with pytest.raises(ServerAway, match=r"Nothing answers at http://127\.0\.0\.1:9"):
        IngestClient("http://127.0.0.1:9", "fk_x").check_reachable()
