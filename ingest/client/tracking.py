"""A model call while it is under way: how long it takes, what it used, how it ended."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, TypeVar

from .answers import Stream, from_anthropic, from_openai, provider_of

log = logging.getLogger("farthing")
Chunk = TypeVar("Chunk")
_READERS = {"openai": from_openai, "anthropic": from_anthropic}


class Call:
    """Records one event when its `with` block is left, however it is left.

        with farthing.track(feature="answers", user="u-1842") as call:
            with call.stage("retrieval"):
                documents = find(question)
            call.answered(client.messages.create(…))

    `answered` takes the answer of OpenAI's or Anthropic's package; of a stream take the chunks
    through `stream`, or `astream`, which also times the first token. `set` gives any other field.

    A stream that was cut off has the status aborted and, where no usage has come, an estimate: one
    token of output a chunk. Once the provider says more, record(usage=…, corrects=call.id) does.
    """

    def __init__(self, record: Callable[..., str], fields: dict[str, Any]) -> None:
        self._record = record
        self._fields = fields
        self._stages: dict[str, float] = {}
        self._started_at = time.time()
        self._started = time.perf_counter()
        self._chunks = 0  # that brought something of the answer
        self.id = ""  # of the event, once it is recorded

    def __enter__(self) -> Call:
        self._started_at = time.time()
        self._started = time.perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        fields: dict[str, Any] = {
            "timestamp": self._started_at,
            "latency_ms": self._milliseconds(),
            "status": "ok" if error is None else status_of(error),
        }
        if self._stages:
            fields["stages_ms"] = dict(self._stages)
        event = {**fields, **self._fields}
        if event["status"] == "aborted" and self._chunks:
            self._estimate(event)
        self.id = self._record(event)

    async def __aenter__(self) -> Call:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, traceback)

    def _estimate(self, event: dict[str, Any]) -> None:
        """What the chunks until then suggest, unless somebody knows."""
        usage = event.get("usage")
        if usage is None:
            event.setdefault("output_tokens", self._chunks)
        elif isinstance(usage, Mapping) and isinstance(usage.get("output_tokens"), int):
            # Anthropic says a first count as the answer begins, and the whole when it ends.
            output = max(usage["output_tokens"], self._chunks)
            event["usage"] = {**usage, "output_tokens": output}

    def set(self, **fields: Any) -> None:
        self._fields.update(fields)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Times a part of the call; one that comes several times adds up."""
        started = time.perf_counter()
        try:
            yield
        finally:
            spent = (time.perf_counter() - started) * 1000
            self._stages[name] = round(self._stages.get(name, 0.0) + spent, 3)

    def first_token(self) -> None:
        """The first token has come; later ones change nothing."""
        self._fields.setdefault("ttft_ms", self._milliseconds())

    def answered(self, response: Any) -> None:
        """Take model and usage from an answer. What was given by hand stands."""
        try:
            self._take(_READERS[provider_of(response)](response))
        except Exception as error:
            log.warning("The usage of an answer cannot be read: %r", error)

    def stream(self, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        """The same chunks, while their usage is taken down."""
        seen = Stream()
        try:
            for chunk in chunks:
                self._see(seen, chunk)
                yield chunk
        finally:
            self._saw(seen)

    async def astream(self, chunks: AsyncIterator[Chunk]) -> AsyncIterator[Chunk]:
        seen = Stream()
        try:
            async for chunk in chunks:
                self._see(seen, chunk)
                yield chunk
        finally:
            self._saw(seen)

    def _see(self, seen: Stream, chunk: Any) -> None:
        try:
            if seen.add(chunk):
                self._chunks += 1
                self.first_token()
        except Exception as error:
            log.warning("A chunk of an answer cannot be read: %r", error)

    def _saw(self, seen: Stream) -> None:
        if "usage" not in seen.fields:
            log.warning(
                "A stream ended without its usage; ask OpenAI for it by "
                'stream_options={"include_usage": True}.'
            )
        self._take(seen.fields)

    def _take(self, found: dict[str, Any]) -> None:
        self._fields = {**found, **self._fields}

    def _milliseconds(self) -> float:
        return round((time.perf_counter() - self._started) * 1000, 3)


def status_of(error: BaseException) -> str:
    """What an event says of a call that ended in this error."""
    try:
        status = getattr(error, "status_code", None)
    except Exception:  # the caller's error goes on, whatever it is made of
        status = None
    if status == 429 or type(error).__name__ == "RateLimitError":
        return "throttled"
    stopped = (KeyboardInterrupt, GeneratorExit, SystemExit, asyncio.CancelledError)
    return "aborted" if isinstance(error, stopped) else "error"
