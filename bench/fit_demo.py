"""Fit the demo's parameters to public traces and print them: `python bench/fit_demo.py`.

finops/demo/figures.py holds what this prints, with source and licence beside every figure; run it
again to see that they still agree. It reads ../shared/data and says what is missing there.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
CLAUDE_CODE = DATA / "kv_cache_tester_claude_code" / "requests.parquet"
AZURE_CODE = DATA / "azure_llm_2023" / "code.parquet"
MOONCAKE = DATA / "mooncake_fast25" / "conversation_first30min.parquet"
RATES = DATA / "servegen_bailian_clients" / "rates_10min.parquet"
TOKEN_STATS = DATA / "servegen_bailian_clients" / "token_stats.parquet"
BURST_HOURS = DATA / "burstgpt1_aggregates" / "hour_of_day_avg.csv"
SPLITWISE = DATA / "splitwise_perf" / "perf_model.csv"

# The probabilities at which every fitted distribution is written down.
LEVELS = (0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0)
P95_OF_NORMAL = 1.6448536269514722


def quantiles(values: pd.Series | np.ndarray, digits: int = 0) -> tuple[float, ...]:
    found = np.quantile(np.asarray(values, dtype=float), LEVELS)
    return tuple(round(float(value), digits) if digits else round(float(value)) for value in found)


def zipf_exponent(shares: np.ndarray, ranks: int) -> float:
    """Slope of log share over log rank among the `ranks` largest."""
    top = np.sort(shares)[::-1][:ranks]
    return round(-float(np.polyfit(np.log(np.arange(1, len(top) + 1)), np.log(top), 1)[0]), 2)


def top_fifth_share(shares: np.ndarray) -> float:
    ordered = np.sort(shares)[::-1]
    return round(float(ordered[: len(ordered) // 5].sum() / ordered.sum()), 3)


def rhythm() -> dict[str, object]:
    """How traffic moves over days, hours and ten minutes (ServeGen m-large; BurstGPT by hour)."""
    rates = pd.read_parquet(RATES)
    total = rates[rates.model == "m-large"].groupby("t_s").rate_rps.sum().sort_index().to_numpy()
    total = total[: 14 * 144].reshape(14, 24, 6)
    days = total.mean(axis=(1, 2))
    weekdays = days.reshape(2, 7).mean(axis=0)
    pairs = [
        np.mean(weekdays[[day, (day + 1) % 7]]) / np.mean(np.delete(weekdays, [day, (day + 1) % 7]))
        for day in range(7)
    ]
    noise = np.log(days.reshape(2, 7) / weekdays)
    within_hour = total / total.mean(axis=2, keepdims=True)
    hours = pd.read_csv(BURST_HOURS).rph.to_numpy()
    by_hour = total.mean(axis=(0, 2))
    return {
        "BURSTGPT_HOURS": tuple(round(float(hour), 3) for hour in hours / hours.mean()),
        "SERVEGEN_HOURS": tuple(round(float(hour), 3) for hour in by_hour / by_hour.mean()),
        "WEEKEND_FACTOR": round(float(min(pairs)), 2),
        "DAY_LOG_SD": round(float(noise.std()), 3),
        "TEN_MINUTE_CV": round(float(within_hour.std()), 3),
    }


def skew() -> dict[str, object]:
    """How unequal clients are: ServeGen requests per client, Claude Code requests per session."""
    rates = pd.read_parquet(RATES)
    clients = rates[rates.model == "m-large"].groupby("client_id").rate_rps.sum().to_numpy()
    sessions = pd.read_parquet(CLAUDE_CODE, columns=["trace_id"]).trace_id.value_counts().to_numpy()
    return {
        "CLIENT_ZIPF (50 largest of 162)": zipf_exponent(clients, 50),
        "CLIENT_TOP_FIFTH_SHARE": top_fifth_share(clients),
        "SESSION_ZIPF (443 sessions)": zipf_exponent(sessions, len(sessions)),
        "SESSION_TOP_FIFTH_SHARE": top_fifth_share(sessions),
    }


def servegen_mixture(category: str, field: str) -> pd.Series:
    """A sample of ServeGen's tokens: one log-normal per client and six hours, through its p50 and
    p95, weighted by the requests behind it."""
    stats = pd.read_parquet(TOKEN_STATS)
    stats = stats[(stats.category == category) & (stats.field == field) & (stats.p50 > 0)]
    rng = np.random.default_rng(1)
    rows = rng.choice(len(stats), 200_000, p=(stats.n_support / stats.n_support.sum()).to_numpy())
    picked = stats.iloc[rows]
    sd = np.log(np.maximum(picked.p95 / picked.p50, 1.0)) / P95_OF_NORMAL
    sample = picked.p50 * np.exp(sd * rng.standard_normal(len(picked)))
    return np.minimum(sample, picked["max"])


def tokens() -> dict[str, object]:
    agent = pd.read_parquet(CLAUDE_CODE)
    code = pd.read_parquet(AZURE_CODE)
    talk = pd.read_parquet(MOONCAKE)
    return {
        "AGENT_INPUT": quantiles(agent.input_tokens),
        "AGENT_OUTPUT": quantiles(agent.output_tokens),
        "AGENT_CACHED_SHARE": quantiles(agent.prefix_cached_tokens / agent.input_tokens, 4),
        "agent cached tokens / input tokens": round(
            float(agent.prefix_cached_tokens.sum() / agent.input_tokens.sum()), 4
        ),
        "CODE_INPUT": quantiles(code.ContextTokens),
        "CODE_OUTPUT": quantiles(code.GeneratedTokens),
        "CONVERSATION_INPUT": quantiles(talk.input_length),
        "CONVERSATION_OUTPUT": quantiles(talk.output_length),
        "CONVERSATION_CACHED_SHARE": quantiles(talk.cached_tokens_inf / talk.input_length, 4),
        "conversation cached tokens / input tokens": round(
            float(talk.cached_tokens_inf.sum() / talk.input_length.sum()), 4
        ),
        "CHAT_INPUT": quantiles(servegen_mixture("language", "input_tokens")),
        "CHAT_OUTPUT": quantiles(servegen_mixture("language", "output_tokens")),
        "REASONING_INPUT": quantiles(servegen_mixture("reason", "input_tokens")),
        "REASONING_OUTPUT": quantiles(servegen_mixture("reason", "output_tokens")),
        "REASONING_SHARE": quantiles(
            np.minimum(servegen_mixture("reason", "reason_ratio"), 1.0), 3
        ),
        "spearman(input, output) agent, code, conversation": tuple(
            round(float(first.rank().corr(second.rank())), 3)
            for first, second in (
                (agent.input_tokens, agent.output_tokens),
                (code.ContextTokens, code.GeneratedTokens),
                (talk.input_length, talk.output_length),
            )
        ),
    }


def least_absolute(columns: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Coefficients of the median regression, by reweighting."""
    weights = np.ones(len(values))
    for _ in range(50):
        root = np.sqrt(weights)
        found = np.linalg.lstsq(columns * root[:, None], values * root, rcond=None)[0]
        weights = 1 / np.maximum(np.abs(values - columns @ found), 1e-3)
    return found


def latency() -> dict[str, object]:
    """API: ms = base + per 1,000 uncached + per 1,000 cached input tokens + per output token."""
    agent = pd.read_parquet(CLAUDE_CODE).dropna(subset=["api_time_s"])
    fits: dict[str, object] = {}
    for model, rows in agent.groupby("model", observed=True):
        uncached = rows.input_tokens - rows.prefix_cached_tokens
        columns = np.column_stack(
            [
                np.ones(len(rows)),
                uncached / 1000,
                rows.prefix_cached_tokens / 1000,
                rows.output_tokens,
            ]
        )
        seconds = rows.api_time_s.to_numpy()
        found = least_absolute(columns, seconds)
        spread = np.log(seconds / np.maximum(columns @ found, 0.3)).std()
        fits[f"API {model} (n={len(rows)})"] = (
            *(round(float(value) * 1000, 1) for value in found),
            f"log sd {spread:.2f}",
        )
    fleet = pd.read_csv(SPLITWISE)
    fleet = fleet[(fleet.model == "llama2-70b") & (fleet.batch_size == 1)]
    for (hardware, gpus), rows in fleet.groupby(["hardware", "tensor_parallel"]):
        slope, base = np.polyfit(rows.prompt_size, rows.prompt_time, 1)
        fits[f"fleet llama2-70b {hardware} x{gpus}"] = (
            f"prefill {base:.1f} ms + {slope * 1000:.1f} ms per 1,000 tokens",
            f"decode {rows.token_time.median():.1f} ms per token",
        )
    return fits


def main() -> int:
    sources = (CLAUDE_CODE, AZURE_CODE, MOONCAKE, RATES, TOKEN_STATS, BURST_HOURS, SPLITWISE)
    if missing := [str(path.relative_to(DATA)) for path in sources if not path.exists()]:
        print(f"Skipped: {DATA} does not hold {', '.join(missing)}.")
        return 0
    print("LEVELS =", LEVELS)
    for part in (rhythm, skew, tokens, latency):
        print(f"\n# {part.__name__}")
        for name, value in part().items():
            print(f"{name} = {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
