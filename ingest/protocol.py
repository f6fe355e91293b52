"""uvicorn's HTTP protocol with bounds that it lacks with httptools, and an end that cuts nobody.

Bounded are a request's head, the time until there is one, connections, and what each of them holds
that nobody asked for yet.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES = 64 * 1024
MAX_HEADERS = 200
MAX_CONNECTIONS = 1_000
HEAD_SECONDS = 30.0
# uvloop would read 250 KB at once, uvicorn ask for more until it holds 64 KB, and a thousand
# connections with large bodies would so hold 300 MB that no request has room for yet.
READ_BYTES = 32 * 1024
# At the end: as long may a request be under way on a connection that seems idle, and so long
# requests may take before they are answered 503.
LINGER_SECONDS = 0.5
PATIENCE_SECONDS = 12.0
_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 2\r\nconnection: close\r\n"
    b"content-type: application/problem+json\r\ncontent-length: %d\r\n\r\n%s"
)
_TOO_MANY = (
    b'{"type":"about:blank","title":"Service Unavailable","status":503,'
    b'"detail":"There are too many connections. Keep fewer of them open, and send again."}'
)


class Server(uvicorn.Server):
    """Answers what it accepted before it ends: `give_up` refuses what is still not answered."""

    def __init__(self, config: uvicorn.Config, give_up: Callable[[], None]) -> None:
        super().__init__(config)
        self._give_up = give_up

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        late = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._give_up)
        await super().shutdown(sockets)
        late.cancel()


class _Buffers(threading.local):
    """One for all connections of an event loop: what is read is taken before more is."""

    def __init__(self) -> None:
        self.buffer = memoryview(bytearray(READ_BYTES))


_buffers = _Buffers()


class BoundedConnection(asyncio.BufferedProtocol):
    """A connection that is read a little at a time."""

    def __init__(self, **given: Any) -> None:
        protocol = BoundedHttpProtocol(**given)
        self._buffer = _buffers.buffer
        self._take = protocol.data_received
        self.connection_made = protocol.connection_made  # type: ignore[method-assign, assignment]
        self.connection_lost = protocol.connection_lost  # type: ignore[method-assign]
        self.eof_received = protocol.eof_received  # type: ignore[method-assign]
        self.pause_writing = protocol.pause_writing  # type: ignore[method-assign]
        self.resume_writing = protocol.resume_writing  # type: ignore[method-assign]

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self._take(self._buffer[:nbytes])


class BoundedHttpProtocol(HttpToolsProtocol):
    """Closes a connection whose request line and headers exceed the bounds, with 431."""

    _head_bytes = 0
    _in_head = True
    _is_ending = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > MAX_CONNECTIONS:
            transport.write(_BUSY % (len(_TOO_MANY), _TOO_MANY))
            transport.close()
        else:
            self.loop.call_later(HEAD_SECONDS, self._close_where_silent)

    def _close_where_silent(self) -> None:
        if self.cycle is None and not self.transport.is_closing():
            self.transport.close()

    def shutdown(self) -> None:
        """A request may be on its way on an idle connection, and its sender cannot know."""
        self._is_ending = True
        if self.cycle is None or self.cycle.response_complete:
            self.loop.call_later(LINGER_SECONDS, super().shutdown)
        else:
            super().shutdown()

    def data_received(self, data: bytes | memoryview) -> None:
        before = self._head_bytes
        super().data_received(data)  # type: ignore[arg-type]  # the parser takes both
        if not self._in_head:
            self._head_bytes = 0
            self._pause_until_asked()
            return
        self._head_bytes = before + len(data)
        if self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self._refuse()

    def _pause_until_asked(self) -> None:
        """uvicorn goes on reading when the application asks for more, or has answered."""
        cycle = self.cycle
        if cycle is not None and cycle.more_body and cycle.body and not cycle.response_complete:
            self.flow.pause_reading()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True

    def on_headers_complete(self) -> None:
        self._in_head = False
        head = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if head > MAX_HEAD_BYTES or len(self.headers) > MAX_HEADERS:
            self._refuse()
            return
        super().on_headers_complete()
        if self._is_ending and self.cycle is not None:
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        if not self.transport.is_closing():
            super().on_message_complete()

    def on_body(self, body: bytes) -> None:
        if not self.transport.is_closing():
            super().on_body(body)

    def _refuse(self) -> None:
        status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        self.transport.write(
            f"HTTP/1.1 {status.value} {status.phrase}\r\n"
            "content-length: 0\r\nconnection: close\r\n\r\n".encode()
        )
        self.transport.close()
