"""OTLP/HTTP: /v1/traces and /v1/logs bring model calls, /v1/metrics is answered and not kept.

Metrics are sums over calls that spans tell one by one, sent again and again: never billed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import DecodeError, ValidationError

from ingest.buffers import Body, forget
from ingest.doors.door import Answer, Decoded, Door, Format, Headers
from ingest.doors.otlp import answers, calls, events, protobuf, text
from ingest.doors.otlp.kinship import Kinship
from ingest.doors.otlp.records import Group
from ingest.problems import Problem
from ingest.rejections import Rejected

Decoder = Callable[[Body, Headers, str], Decoded]


def doors() -> tuple[Door, ...]:
    """The three doors of one process; what they remember of earlier bodies is theirs together."""
    kinship = Kinship()

    def decoder(read: Callable[[Body], Iterable[Group]]) -> Decoder:
        def decode(body: Body, headers: Headers, source: str) -> Decoded:
            try:
                told, ties = kinship.distinct(calls.read(read(body)), source)
            except RecursionError:
                raise Problem(400, "The body has values within values, too deep to read.") from None
            except ValidationError as error:
                raise Problem(400, f"The body is no OTLP in JSON: {error}.") from None
            except (DecodeError, UnicodeDecodeError) as error:
                raise Problem(400, f"The body is no readable JSON: {error}.") from None
            except Rejected as error:
                raise Problem(400, f"The body cannot be read: {error.detail}") from None
            forget(body, len(body))
            try:
                return events.decoded(told)._replace(ties=ties)
            except BaseException:
                ties.forget()
                raise

        return decode

    return (
        _door(
            "/v1/traces", decoder(protobuf.read_traces), decoder(text.read_traces), answers.spans
        ),
        _door(
            "/v1/logs", decoder(protobuf.read_logs), decoder(text.read_logs), answers.log_records
        ),
        _door("/v1/metrics", _passed_over, _passed_over, answers.nothing),
    )


def _door(
    path: str,
    decode_protobuf: Decoder,
    decode_json: Decoder,
    answer: Callable[..., Answer],
) -> Door:
    binary = Format("otlp-protobuf", decode_protobuf)
    return Door(
        path=path,
        formats={
            **dict.fromkeys(answers.PROTOBUF_TYPES, binary),
            "application/json": Format("otlp-json", decode_json),
        },
        answer=answer,
        refuse=answers.status,
    )


def _passed_over(body: Body, headers: Headers, source: str) -> Decoded:
    return Decoded((), (), [], 0)
