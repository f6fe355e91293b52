"""The demo's company: teams, services, features and what each of them asks of which model.

The shape of the traffic is fitted (figures.py); who exists and how large each part is, is made up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from finops.demo import figures
from finops.demo.figures import Speed, Workload

# Cost centre of each team; research has none yet.
TEAMS = {
    "support": "CC-1100",
    "search": "CC-1200",
    "growth": "CC-1300",
    "trust": "CC-1400",
    "developer-experience": "CC-2100",
    "data-platform": "CC-2100",
    "finance-ops": "CC-3100",
    "research": "",
}


class Service(NamedTuple):
    """What holds one ingest key. Events that name no team belong to the key's."""

    name: str
    team: str


SERVICES = (
    Service("support-gateway", "support"),
    Service("search-api", "search"),
    Service("code-assist", "developer-experience"),
    Service("content-studio", "growth"),
    Service("moderation", "trust"),
    Service("batch-pipeline", "data-platform"),
    Service("legacy-proxy", ""),
)


class Offer(NamedTuple):
    """One model a feature uses, for which share of its requests."""

    provider: str
    model: str
    share: float
    speed: Speed


class Population(NamedTuple):
    """Who uses a feature: `prefix`-0001 … `prefix`-<size>, in order of how much they use it."""

    prefix: str
    size: int
    zipf: float


CUSTOMERS = Population("customer", 1400, figures.CLIENT_ZIPF)
VISITORS = Population("visitor", 2600, 0.8)
DEVELOPERS = Population("dev", 140, figures.SESSION_ZIPF)
STAFF = Population("staff", 60, figures.SESSION_ZIPF)
JOBS = Population("job", 9, figures.CLIENT_ZIPF)
NOBODY = Population("", 1, 0.0)

LARGE, MEDIUM, SMALL = figures.LARGE_API, figures.MEDIUM_API, figures.SMALL_API


@dataclass(frozen=True, slots=True)
class Feature:
    name: str
    team: str
    service: str
    requests: int  # on a working day
    workload: Workload
    offers: tuple[Offer, ...]
    users: Population
    hours: tuple[float, ...] = figures.WORKING_HOURS
    weekend: float = figures.WEEKEND_FACTOR
    growth: float = 0.0  # of the logarithm of the requests, per 30 days
    operation: str = "chat"
    service_tier: str = ""
    input_scale: float = 1.0
    output_scale: float = 1.0
    prompts: int = 0  # how many different prompts there are; 0: every one is new
    cacheable: float = 0.0  # share of repeated prompts that a response cache answers
    cache_writes: bool = False  # what was not read from the prefix cache is written to it
    cache_loss: float = 0.0  # share of the requests that find their prefix evicted
    retrieval: bool = False
    sessions: bool = False
    variants: tuple[str, ...] = ()
    fleet: str = ""
    gpus: int = 0
    audio_share: float = 0.0
    scored: float = 0.0  # share of the answers that have a quality score
    plans: bool = False  # carries the tag `plan`
    reported_prices: tuple[float, float] = (0.0, 0.0)  # what the client believes, USD per token


FEATURES = (
    Feature(
        "support-chat", "support", "support-gateway", 1500, figures.CHAT,
        (
            Offer("anthropic", "claude-sonnet-5-5", 0.55, MEDIUM),
            Offer("anthropic", "claude-haiku-4-5", 0.45, SMALL),
        ),
        CUSTOMERS, hours=figures.PUBLIC_HOURS, weekend=0.9, input_scale=2.2, prompts=2500,
        cacheable=0.45, retrieval=True, sessions=True, plans=True, scored=0.15, growth=0.12,
    ),
    Feature(
        "ticket-triage", "support", "support-gateway", 1150, figures.CHAT,
        (Offer("openai", "gpt-6-luna", 1.0, SMALL),),
        CUSTOMERS, hours=figures.PUBLIC_HOURS, output_scale=0.06, prompts=4000, cacheable=0.2,
        plans=True,
    ),
    Feature(
        "reply-drafts", "support", "support-gateway", 480, figures.CHAT,
        (Offer("openai", "gpt-6.1-terra", 0.7, MEDIUM), Offer("openai", "gpt-6.1-sol", 0.3, LARGE)),
        STAFF, input_scale=1.6, variants=("control", "short-prompt"), scored=0.4,
        reported_prices=(1e-6, 6e-6),
    ),
    Feature(
        "voice-notes", "support", "support-gateway", 120, figures.CHAT,
        (Offer("openai", "gpt-audio-mini", 1.0, SMALL),),
        CUSTOMERS, audio_share=0.8, output_scale=0.4,
    ),
    Feature(
        "semantic-search", "search", "search-api", 1900, figures.EMBEDDING,
        (Offer("openai", "text-embedding-3-small", 1.0, Speed(18, 6, 0, 0)),),
        VISITORS, hours=figures.PUBLIC_HOURS, weekend=1.05, operation="embeddings",
        input_scale=0.05, prompts=1500, cacheable=0.5,
    ),
    Feature(
        "answer-engine", "search", "search-api", 850, figures.CONVERSATION,
        (
            Offer("google", "gemini-3.8-flash", 0.75, SMALL),
            Offer("google", "gemini-4-argon", 0.25, MEDIUM),
        ),
        VISITORS, hours=figures.PUBLIC_HOURS, weekend=1.05, prompts=6000, cacheable=0.3,
        retrieval=True, sessions=True, growth=0.35, scored=0.1,
    ),
    Feature(
        "query-rewrite", "search", "search-api", 1000, figures.CHAT,
        (Offer("vllm", "llama-3.3-70b-instruct", 1.0, figures.FLEET_70B),),
        VISITORS, hours=figures.PUBLIC_HOURS, weekend=1.05, input_scale=0.4, output_scale=0.15,
        fleet="h100-eu", gpus=figures.FLEET_70B_GPUS,
    ),
    Feature(
        "code-completion", "developer-experience", "code-assist", 1500, figures.CODE,
        (Offer("mistral", "codestral-2508", 1.0, SMALL),),
        DEVELOPERS, weekend=0.25, operation="text_completion",
    ),
    Feature(
        "code-agent", "developer-experience", "code-assist", 560, figures.AGENT,
        (
            Offer("anthropic", "claude-opus-5-5", 0.6, LARGE),
            Offer("anthropic", "claude-sonnet-5-5", 0.4, MEDIUM),
        ),
        DEVELOPERS, weekend=0.25, cache_writes=True, sessions=True, growth=0.2,
    ),
    Feature(
        "code-review", "developer-experience", "code-assist", 220, figures.CONVERSATION,
        (Offer("openai", "gpt-6.1-sol", 1.0, LARGE),),
        DEVELOPERS, weekend=0.2, variants=("gpt-6.1", "two-pass"), scored=0.5,
    ),
    Feature(
        "product-copy", "growth", "content-studio", 380, figures.CHAT,
        (
            Offer("openai", "gpt-6.1-terra", 0.8, MEDIUM),
            Offer("mistral", "mistral-large-4", 0.2, MEDIUM),
        ),
        STAFF, output_scale=2.0, scored=0.3,
    ),
    Feature(
        "email-campaigns", "growth", "content-studio", 360, figures.CHAT,
        (Offer("openai", "gpt-6.1-terra", 1.0, MEDIUM),),
        JOBS, hours=figures.NIGHT_HOURS, weekend=0.4, service_tier="batch", output_scale=1.5,
    ),
    Feature(
        "content-safety", "trust", "moderation", 1300, figures.CHAT,
        (Offer("vllm", "llama-guard-4-12b", 1.0, figures.FLEET_12B),),
        VISITORS, hours=figures.PUBLIC_HOURS, weekend=1.05, operation="text_completion",
        output_scale=0.05, fleet="h100-eu", gpus=figures.FLEET_12B_GPUS,
    ),
    Feature(
        "doc-extraction", "data-platform", "batch-pipeline", 460, figures.CONVERSATION,
        (
            Offer("google", "gemini-2.5-flash-lite", 0.6, SMALL),
            Offer("openai", "gpt-5-mini", 0.4, SMALL),
        ),
        JOBS, weekend=0.6, service_tier="flex",
    ),
    Feature(
        "nightly-summaries", "data-platform", "batch-pipeline", 300, figures.CONVERSATION,
        (Offer("anthropic", "claude-haiku-4-5", 1.0, SMALL),),
        JOBS, hours=figures.NIGHT_HOURS, weekend=1.0, service_tier="batch",
    ),
    Feature(
        "contract-analysis", "finance-ops", "batch-pipeline", 110, figures.REASONING,
        (Offer("deepseek", "deepseek-v4-pro", 1.0, MEDIUM),),
        STAFF, weekend=0.1, input_scale=2.0,
    ),
    Feature(
        "model-lab", "research", "batch-pipeline", 90, figures.REASONING,
        # No catalogue knows this one: its requests stay unpriced until somebody sets a price.
        (Offer("lab", "orion-preview-1030", 1.0, LARGE),),
        STAFF, weekend=0.5,
    ),
    Feature(
        "", "", "legacy-proxy", 330, figures.CHAT,  # nobody's: an old proxy that names no owner
        (Offer("openai", "gpt-4.1-mini", 0.8, SMALL), Offer("openai", "gpt-4.1", 0.2, MEDIUM)),
        NOBODY, hours=figures.PUBLIC_HOURS, weekend=0.9,
    ),
)  # fmt: skip
