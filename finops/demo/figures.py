"""What the demo's traffic is fitted to. `bench/fit_demo.py` prints these from the public traces.

Sources, each named where it is used:
- Claude Code: callanjfox/kv-cache-tester, Apache-2.0 (WEKA). 30,599 requests of 443 sessions.
- Azure code: AzurePublicDataset AzureLLMInferenceTrace_code 2023, CC-BY-4.0; Patel et al.,
  "Splitwise", ISCA'24. 8,819 requests.
- Mooncake: kvcache-ai/Mooncake, Apache-2.0; Qin et al., FAST'25. First 30 minutes of its
  conversation trace, 5,719 requests.
- ServeGen: alibaba/ServeGen, Apache-2.0, arXiv 2505.09999. Fourteen days of 162 clients of
  m-large; token statistics of its language and reason workloads.
- BurstGPT: HPMLL/BurstGPT, CC-BY-4.0, KDD'25, hourly aggregates by IsabellaLiu99/burstgpt_analysis.
- Splitwise performance model: Mutinifni/splitwise-sim, MIT.
- Chapter: the figures of this product's source chapters on latency and cost.
"""

from __future__ import annotations

from dataclasses import dataclass

# The probabilities at which every distribution below is written down.
LEVELS = (0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0)

# --- Rhythm ---------------------------------------------------------------------------------
# BurstGPT: requests per hour of day over their mean; people at work.
WORKING_HOURS = (
    0.963, 0.914, 0.585, 0.525, 0.377, 0.350, 0.198, 0.157, 0.182, 0.426, 0.900, 1.317,
    1.786, 1.537, 1.839, 1.435, 1.511, 1.388, 1.210, 1.605, 1.385, 1.203, 1.156, 1.050,
)  # fmt: skip
# ServeGen m-large: the same of a public API; programs and people everywhere.
PUBLIC_HOURS = (
    0.994, 1.002, 0.986, 0.936, 0.908, 0.883, 0.854, 0.817, 0.788, 0.868, 1.046, 1.106,
    0.971, 0.981, 1.047, 1.047, 1.109, 1.078, 1.040, 1.143, 1.133, 1.074, 1.103, 1.086,
)  # fmt: skip
# Assumed (the traces hold no scheduled work): jobs that run from one to five in the morning.
NIGHT_HOURS = (0.5, 5.0, 6.5, 6.0, 4.0, 1.5, *(0.0277,) * 18)
# ServeGen m-large: the two quietest neighbouring days of the week over the other five.
WEEKEND_FACTOR = 0.73
# ServeGen m-large: spread of a day's requests around its weekday, and of ten minutes in their hour.
DAY_LOG_SD = 0.155
TEN_MINUTE_CV = 0.14

# --- Skew -----------------------------------------------------------------------------------
# ServeGen m-large: exponent over the 50 largest clients (their top fifth makes 86.9 %).
CLIENT_ZIPF = 1.16
# Claude Code: exponent over 443 sessions (the top fifth makes 55.4 % of the requests).
SESSION_ZIPF = 1.04


@dataclass(frozen=True, slots=True)
class Workload:
    """Token distributions of one kind of use, as quantiles at LEVELS."""

    input_tokens: tuple[float, ...]
    output_tokens: tuple[float, ...]
    cached_share: tuple[float, ...] = (0.0,) * len(LEVELS)
    reasoning_share: tuple[float, ...] = (0.0,) * len(LEVELS)


# Claude Code, all requests. Of all input tokens 96.34 % were in the prefix cache.
AGENT = Workload(
    (6343, 15652, 29944, 42326, 67174, 104287, 140794, 235776, 301759, 487722, 878882),
    (0, 58, 89, 104, 136, 214, 425, 909, 1579, 3940, 16681),
    (0.0, 0.0, 0.8228, 0.9396, 0.9814, 0.9924, 0.9965, 0.9981, 0.9986, 0.9992, 0.9999),
)
# Azure code: completions in an editor.
CODE = Workload(
    (3, 17, 75, 147, 578, 1469, 2744, 5188, 7303, 7436, 7437),
    (6, 6, 6, 7, 9, 13, 24, 55, 90, 251, 1899),
)
# Mooncake: long conversations; cached = what an endless prefix cache would have held (34.7 %).
CONVERSATION = Workload(
    (891, 894, 901, 970, 2508, 7640, 16254, 28638, 41793, 91207, 123192),
    (1, 3, 9, 24, 152, 356, 476, 608, 707, 1105, 2000),
    (0.0, 0.0063, 0.0162, 0.0254, 0.0579, 0.2914, 0.6361, 0.9436, 0.9752, 0.9954, 1.0),
)
# ServeGen language: one log-normal per client and six hours, weighted by its requests.
CHAT = Workload(
    (1, 25, 96, 217, 512, 986, 1848, 2942, 3964, 9793, 30699),
    (0, 1, 4, 13, 44, 128, 410, 739, 1040, 2409, 8193),
)
# ServeGen reason (deepseek-r1), the same way; the share of the output that is reasoning.
REASONING = Workload(
    (1, 7, 48, 120, 522, 2484, 12179, 22301, 27065, 33638, 57284),
    (5, 115, 231, 318, 561, 1075, 2659, 7100, 10613, 18690, 32768),
    reasoning_share=(
        0.078, 0.246, 0.329, 0.418, 0.595, 0.799, 0.946, 0.985, 0.993, 0.998, 0.998,
    ),
)  # fmt: skip
# ServeGen language input without an output: what is embedded.
EMBEDDING = Workload(CHAT.input_tokens, (0.0,) * len(LEVELS))


@dataclass(frozen=True, slots=True)
class Speed:
    """Milliseconds: base + per 1,000 uncached + per 1,000 cached input tokens + per token out."""

    base: float
    uncached: float
    cached: float
    output: float


# Claude Code: median regression of api_time_s (n = 11,813, 6,526 and 511).
LARGE_API = Speed(1202.9, 39.3, 9.4, 15.8)  # claude-opus-4-5
MEDIUM_API = Speed(952.6, 26.7, 12.9, 15.5)  # claude-sonnet-4-5
SMALL_API = Speed(41.5, 18.5, 15.7, 8.7)  # claude-haiku-4-5
# The spread of the logarithm around that regression (0.22 to 0.27 over the models).
LATENCY_LOG_SD = 0.25
# Splitwise performance model: llama2-70b on 4 × H100, batch size 1.
FLEET_70B = Speed(4.3, 113.3, 11.3, 29.5)
FLEET_70B_GPUS = 4
# Assumed: a 12B classifier does a ninth of the 70B model's work on a fourth of the GPUs.
FLEET_12B = Speed(3.0, 50.4, 5.0, 13.1)
FLEET_12B_GPUS = 1
# Assumed: decoding is memory-bound, so this many requests share one pass over the weights.
FLEET_DECODE_BATCH = 12

# --- Response caches ------------------------------------------------------------------------
# Chapter: hit latency in ms from-to, and cost per hit in USD. Its hit rates (20-30, 40-60, 30-50,
# 70-90 %) hold for requests that could be cached and reach that level; LEVEL_SHARE is how hits
# split when each level is asked in turn at the low ends of those ranges.
HIT_LATENCY_MS = {
    "memory": (0.2, 1.0),
    "redis": (1.0, 5.0),
    "semantic": (5.0, 10.0),
    "database": (10.0, 50.0),
}
HIT_LEVELS = tuple(HIT_LATENCY_MS)
LEVEL_SHARE = (0.23, 0.37, 0.16, 0.24)
# Chapter: parts of a request in ms: preprocessing, vector search, postprocessing.
GATEWAY_MS = (5.0, 20.0)
RETRIEVAL_MS = (50.0, 200.0)
POSTPROCESS_MS = (10.0, 30.0)

# --- Failures -------------------------------------------------------------------------------
# Assumed (none of the traces holds failures).
ERROR_SHARE = 0.011
THROTTLED_SHARE = 0.006
ABORTED_SHARE = 0.009
