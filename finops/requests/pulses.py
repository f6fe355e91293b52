"""When a few users called within a day, and with what: their single requests, as arrays.

Rollups know no times of users, so these are the one thing about them that is read from events: of
at most two days, by the index usage_event_started_at, and of at most MOST_REQUESTS requests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC

import numpy as np
from numpy.typing import NDArray
from psycopg.sql import SQL

from finops.costs.owners import find_known
from finops.costs.parameters import Parameters
from finops.costs.snapshots import snapshot
from finops.costs.tables import EVENT
from finops.periods import Period
from finops.query import CostQuery
from finops.requests.listing import attribution_sql, fetch, filters_sql
from finops.rollups import refuse_other_zone

MOST_REQUESTS = 100_000
# Labels are worth no longer wait: without them the figures still stand.
MILLISECONDS = 3_000
WHOLE, REAL = np.dtype(">i8"), np.dtype(">f8")


@dataclass(frozen=True, slots=True)
class Pulse:
    """One user's requests in order of time. `seconds` are since the start of the span; `prompts`
    are equal for equal prompt hashes, 0 where none was sent; `sessions` likewise.

    `is_cut` where there are more after them.
    """

    seconds: NDArray[np.float64]
    input_tokens: NDArray[np.int64]
    output_tokens: NDArray[np.int64]
    prompts: NDArray[np.int64]
    sessions: NDArray[np.int64]
    is_cut: bool = False

    def __len__(self) -> int:
        return len(self.seconds)


def read_pulses(query: CostQuery, span: Period, numbers: Sequence[int]) -> dict[int, Pulse]:
    """Of each of these users who called in the span. What settlements replaced counts once, as it
    was first reported. Raises QueryTooSlow, or rollups.ZoneChanged."""
    parameters = Parameters()
    with snapshot(MILLISECONDS) as database:
        refuse_other_zone(database, query.zone)
        known = find_known(database, query, owned=True)
        text = SQL(
            """-- One row: one user's requests of the span, as packed numbers in order of time.
SELECT
    user_id,
    string_agg(float8send(seconds), '' ORDER BY seconds),
    string_agg(int8send(input_tokens), '' ORDER BY seconds),
    string_agg(int8send(output_tokens), '' ORDER BY seconds),
    string_agg(int8send(prompt), '' ORDER BY seconds),
    string_agg(int8send(session), '' ORDER BY seconds),
    sum(count(*)) OVER () >= {most}
FROM (
    SELECT
        usage.user_id,
        extract(epoch FROM usage.started_at - {start}::timestamptz)::float8 AS seconds,
        usage.uncached_input_tokens::bigint
            + usage.cache_read_input_tokens
            + usage.cache_creation_5m_input_tokens
            + usage.cache_creation_1h_input_tokens
            + usage.input_audio_tokens AS input_tokens,
        usage.text_output_tokens::bigint
            + usage.reasoning_output_tokens
            + usage.output_audio_tokens AS output_tokens,
        coalesce(hashtextextended(nullif(usage.prompt_hash, ''), 0), 0) AS prompt,
        coalesce(hashtextextended(nullif(usage.session, ''), 0), 0) AS session
    FROM usage_event AS usage
    JOIN ingest_batch ON ingest_batch.id = usage.batch_id{attribution}
    WHERE usage.started_at >= {start}::timestamptz
        AND usage.started_at < {end}
        AND usage.day >= {first_day}
        AND usage.day <= {last_day}
        AND usage.user_id = ANY({users}::integer[])
        AND usage.reverses_key IS NULL
        AND usage.corrects_key IS NULL
        AND ingest_batch.folded_at IS NOT NULL{filters}
    ORDER BY usage.started_at
    LIMIT {most}
) AS request
GROUP BY user_id"""
        ).format(
            attribution=attribution_sql(query, EVENT, parameters, known),
            start=parameters.add(span.start),
            end=parameters.add(span.end),
            first_day=parameters.add(span.start.astimezone(UTC).date()),
            last_day=parameters.add(span.end.astimezone(UTC).date()),
            users=parameters.add(list(numbers)),
            filters=filters_sql(query, parameters, known),
            most=parameters.add(MOST_REQUESTS),
        )
        rows = fetch(database, text, parameters)
    return {number: pulse_of(*packed) for number, *packed in rows}


def pulse_of(
    seconds: bytes, inputs: bytes, outputs: bytes, prompts: bytes, sessions: bytes, is_cut: bool
) -> Pulse:
    tokens_in, tokens_out, hashes, held = (
        np.frombuffer(each, dtype=WHOLE).astype(np.int64)
        for each in (inputs, outputs, prompts, sessions)
    )
    moments = np.frombuffer(seconds, dtype=REAL).astype(np.float64)
    return Pulse(moments, tokens_in, tokens_out, hashes, held, is_cut)
