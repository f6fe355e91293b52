"""A bucket for tests: an HTTP server that takes a PUT only if its signature is right.

The signature is worked out by the text of AWS's specification (Signature Version 4, query
parameters), and so independently of what signs it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import pytest

from tests.telling import LOOPBACK, SITE

KEY, SECRET, REGION = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "eu-central-1"
DENIED = (
    b"<?xml version='1.0'?><Error><Code>AccessDenied</Code>"
    b"<Message>No s3:PutObject &amp; no luck</Message></Error>"
)


@dataclass
class Bucket:
    url: str = ""
    objects: dict[str, bytes] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    denies: int = 0  # so many are refused

    @property
    def terms(self) -> dict[str, Any]:
        return {
            "destination": "bucket",
            "endpoint": self.url,
            "bucket": "acme-finops",
            "region": REGION,
            "path_style": True,
            "access_key_id": KEY,
            "secret_access_key": SECRET,
        }


def signature(method: str, target: str, host: str) -> str:
    """By the specification: the canonical request, the string to sign, the derived key."""
    parts = urlsplit(target)
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    given.pop("X-Amz-Signature", None)
    query = "&".join(
        f"{quote(name, safe='-_.~')}={quote(given[name], safe='-_.~')}" for name in sorted(given)
    )
    canonical = "\n".join((method, parts.path, query, f"host:{host}\n", "host", "UNSIGNED-PAYLOAD"))
    scope = given["X-Amz-Credential"].partition("/")[2]
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = "\n".join(("AWS4-HMAC-SHA256", given["X-Amz-Date"], scope, digest))
    key = f"AWS4{SECRET}".encode()
    for part in (*scope.split("/")[:3], "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()


def said(bucket: Bucket, handler: BaseHTTPRequestHandler, body: bytes) -> tuple[int, bytes]:
    if bucket.denies:
        bucket.denies -= 1
        return 403, DENIED
    parts = urlsplit(handler.path)
    given = dict(parse_qsl(parts.query))
    if given.get("X-Amz-Signature") != signature("PUT", handler.path, handler.headers["Host"]):
        return 403, b"<Error><Code>SignatureDoesNotMatch</Code></Error>"
    if handler.headers.get("Transfer-Encoding"):
        return 501, b"<Error><Code>NotImplemented</Code></Error>"
    if md5 := handler.headers.get("Content-MD5"):
        found = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
        if found != md5:
            return 400, b"<Error><Code>BadDigest</Code></Error>"
    bucket.objects[unquote(parts.path)] = body
    bucket.kinds[unquote(parts.path)] = handler.headers["Content-Type"]
    return 200, b""


@contextmanager
def running() -> Iterator[Bucket]:
    bucket = Bucket()

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, answer = said(bucket, self, body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads, server.block_on_close = True, False
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    bucket.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield bucket
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def bucket(settings: Any) -> Iterator[Bucket]:
    """What is on this machine may be asked while this is used."""
    settings.ALLOWED_PRIVATE_ADDRESSES, settings.PUBLIC_URL = LOOPBACK, SITE
    with running() as made:
        yield made
