"""A bare ASGI application behind the server software of ingest: reads a body, says it was taken.

    python bench/hello.py PORT

What single-event POSTs are measured against: nothing that takes a request here can be faster.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import uvicorn

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ingest.protocol import BoundedConnection

ANSWER = b'{"accepted":1,"duplicates":0,"rejected":[]}'
HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(ANSWER))]


async def hello(scope: Any, receive: Any, send: Any) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": ANSWER})


if __name__ == "__main__":
    uvicorn.run(
        hello,
        port=int(sys.argv[1]),
        loop="uvloop",
        http=BoundedConnection,
        ws="none",
        lifespan="off",
        access_log=False,
        server_header=False,
        log_config=None,
    )
