"""Public traces as events: `python bench/traces.py claude-code OUT.jsonl`, then load_events.

What a trace does not hold is assigned the same way every time: wall-clock time (inside --month),
and a model where the trace names none. A name ending in .parquet writes Parquet.

- claude-code: callanjfox/kv-cache-tester, Apache-2.0 (WEKA). 443 sessions, 30,599 requests.
- azure-code: AzurePublicDataset 2023, CC-BY-4.0; Patel et al., ISCA'24. 8,819 requests.
- mooncake: kvcache-ai/Mooncake, Apache-2.0; Qin et al., FAST'25. 5,719 requests.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
CLAUDE_CODE = DATA / "kv_cache_tester_claude_code" / "requests.parquet"
AZURE_CODE = DATA / "azure_llm_2023" / "code.parquet"
MOONCAKE = DATA / "mooncake_fast25" / "conversation_first30min.parquet"

# The month whose list prices the trace's published reference figures use.
REFERENCE_MONTH = "2026-07"
GOLDEN = 0.6180339887498949


def month_bounds(month: str) -> tuple[datetime, float]:
    """Its beginning in UTC and its length in seconds."""
    start = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    following = start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
    return start, (following - start).total_seconds()


def timestamps(start: datetime, seconds: pd.Series) -> list[str]:
    moments = pd.Timestamp(start) + pd.to_timedelta((seconds * 1000).round(), unit="ms")
    return [moment.isoformat(timespec="milliseconds") for moment in moments]


def claude_code(month: str) -> pd.DataFrame:
    """A session is a user, a sub-agent's type its feature. What was not in the prefix cache is
    written to it (five minutes). Sessions begin spread evenly over the month and end inside it.

    At the list prices of 2026-07 (genai-prices 0.2.3) these 443 sessions cost 2,850.7673121 USD,
    without a cache 18,330; the median session 3.88, the top tenth 39.1 % of the cost. Published
    for 710 sessions, of which these are a part: 3,963 USD, 25,182, 3.81 and 34.9 %.
    """
    requests = pd.read_parquet(CLAUDE_CODE)
    session = requests.trace_id.astype(str)
    start, length = month_bounds(month)
    durations = requests.t_s.groupby(session).transform("max") + 600
    place = (pd.factorize(session, sort=True)[0] * GOLDEN) % 1
    return pd.DataFrame(
        {
            "id": session + "/" + requests.agent_id.astype(str) + "/" + requests.seq.astype(str),
            "timestamp": timestamps(start, place * (length - durations) + requests.t_s),
            "provider": "anthropic",
            "model": requests.model.astype(str),
            "input_tokens": requests.input_tokens,
            "cache_read_input_tokens": requests.prefix_cached_tokens,
            "cache_creation_input_tokens": requests.input_tokens - requests.prefix_cached_tokens,
            "output_tokens": requests.output_tokens,
            "user": session,
            "session": session,
            "feature": requests.subagent_type.astype(object).fillna("main"),
            "latency_ms": (requests.api_time_s * 1000).round(3),
            "ttft_ms": (requests.ttft_s * 1000).round(3),
        }
    )


def azure_code(month: str) -> pd.DataFrame:
    """One service's completions; its model is not published, gpt-4o stands for it."""
    requests = pd.read_parquet(AZURE_CODE)
    start, _ = month_bounds(month)
    seconds = (requests.TIMESTAMP - requests.TIMESTAMP.min()).dt.total_seconds()
    return pd.DataFrame(
        {
            "id": [f"azure-code-{number}" for number in range(len(requests))],
            "timestamp": timestamps(start, seconds),
            "provider": "azure.ai.openai",
            "model": "gpt-4o",
            "operation": "text_completion",
            "input_tokens": requests.ContextTokens,
            "output_tokens": requests.GeneratedTokens,
            "feature": "code",
        }
    )


def mooncake(month: str) -> pd.DataFrame:
    """Kimi's conversations; kimi-k2.5 stands for the model. Cached is what an endless prefix cache
    would have held; prompts with the same blocks have the same hash."""
    requests = pd.read_parquet(MOONCAKE)
    start, _ = month_bounds(month)
    return pd.DataFrame(
        {
            "id": [f"mooncake-{number}" for number in range(len(requests))],
            "timestamp": timestamps(start, requests.timestamp / 1000),
            "provider": "moonshot_ai",
            "model": "kimi-k2.5",
            "input_tokens": requests.input_length,
            "cache_read_input_tokens": requests.cached_tokens_inf,
            "output_tokens": requests.output_length,
            "feature": "conversation",
            "prompt_hash": [
                hashlib.blake2b(np.asarray(blocks).tobytes(), digest_size=16).hexdigest()
                for blocks in requests.hash_ids
            ],
        }
    )


TRACES: dict[str, tuple[Path, Callable[[str], pd.DataFrame]]] = {
    "claude-code": (CLAUDE_CODE, claude_code),
    "azure-code": (AZURE_CODE, azure_code),
    "mooncake": (MOONCAKE, mooncake),
}


def records(events: pd.DataFrame) -> list[dict[str, Any]]:
    """One dictionary per event, without the fields it does not have."""
    return [
        {name: value for name, value in row.items() if value == value and value is not None}
        for row in events.to_dict("records")
    ]


def write(events: pd.DataFrame, path: Path) -> None:
    if path.suffix == ".parquet":
        events.to_parquet(path, index=False, row_group_size=10_000)
    else:
        path.write_bytes(msgspec.json.Encoder().encode_lines(records(events)))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("trace", choices=sorted(TRACES))
    parser.add_argument("out", type=Path)
    parser.add_argument("--month", default=REFERENCE_MONTH, help="YYYY-MM (%(default)s)")
    given = parser.parse_args(arguments)
    source, convert = TRACES[given.trace]
    if not source.exists():
        print(f"{source} is not there.", file=sys.stderr)
        return 1
    events = convert(given.month)
    write(events, given.out)
    print(f"{len(events):,} events of {given.month} in {given.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
