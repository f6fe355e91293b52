"""What clients call a provider and a model → what the catalogue calls them.

The matching is genai-prices' own (aliases, dated names, models of other makers that a provider
resells); here is only what it does not know: providers by OpenTelemetry's, LiteLLM's and other
gateways' names, engines that serve on own hardware, and `provider/model` names. A provider that
is named but known to nobody matches nothing: its reseller's margin is not ours to guess.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import NamedTuple

from genai_prices.data_snapshot import find_provider_by_id, get_snapshot
from genai_prices.types import Provider

from finops.pricing.known_names import may_have

PROVIDER_ALIASES = {
    "azure.ai.inference": "azure",
    "azure_ai": "azure",
    "azure_text": "azure",
    "gcp.gen_ai": "google",
    "palm": "google",
    "x_ai": "x-ai",
    "x.ai": "x-ai",
    "grok": "x-ai",
    "fireworks_ai": "fireworks",
    "fireworks-ai": "fireworks",
    "together.ai": "together",
    "togetherai": "together",
    "z.ai": "zai",
    "z_ai": "zai",
    "zhipu": "zhipuai",
    "meta_llama": "meta",
    "github_models": "azure",
    "github": "azure",
}
# Named by whoever does not know who answered: the model's name decides.
UNKNOWN_PROVIDERS = frozenset({"", "unknown", "litellm", "litellm_proxy", "custom", "gateway"})
# Engines on own hardware, and clouds whose prices are not per token in any public catalogue.
# Their models carry the names of models sold elsewhere and must not take those prices.
SELF_HOSTED_PROVIDERS = frozenset(
    {
        "ollama",
        "ollama_chat",
        "vllm",
        "hosted_vllm",
        "huggingface",
        "tgi",
        "sglang",
        "llamafile",
        "llama.cpp",
        "llama_cpp",
        "lm_studio",
        "triton",
        "tensorrt_llm",
        "xinference",
        "infinity",
        "localai",
        "ibm.watsonx.ai",
        "watsonx",
        "watsonx_text",
        "sagemaker",
        "sagemaker_chat",
        "aws.sagemaker",
        "oobabooga",
        "petals",
    }
)
# Owners of open weights, written before the model by whoever serves these: no provider of a price.
WEIGHTS_OWNERS = frozenset({"amazon", "deepseek-ai", "google", "mistralai", "moonshotai"})
# `publishers/google/models/gemini-2.5-pro`, `accounts/fireworks/models/glm-5p2`
RESOURCE_PATH = re.compile(r"^(?:[^/]+/)*models/(?=[^/]+$)")


class CatalogModel(NamedTuple):
    """A model of the catalogue. `owner` differs from `provider` when the provider resells another
    maker's model at that maker's price; the maker's service tiers then do not apply."""

    provider: str
    owner: str
    model: str


@lru_cache(maxsize=2_000)
def match(provider: str, model: str) -> CatalogModel | None:
    """The catalogue's model behind what a client sent, or None. Case does not matter."""
    name, reference = provider.strip().lower(), model.strip().lower()
    if name in SELF_HOSTED_PROVIDERS or reference.partition("/")[0] in SELF_HOSTED_PROVIDERS:
        return None
    if name in UNKNOWN_PROVIDERS:
        return _match_prefixed(reference) or _match_by_name(reference)
    maker = _find_provider(name)
    if maker is None:
        return None
    return _find_model(maker, reference) or _match_prefixed(reference)


def _match_prefixed(reference: str) -> CatalogModel | None:
    """`openrouter/anthropic/claude-sonnet-4`: LiteLLM puts the provider before the model."""
    prefix, slash, rest = reference.partition("/")
    provider = _find_provider(prefix) if slash and prefix not in WEIGHTS_OWNERS else None
    return _find_model(provider, rest) if provider else None


def _match_by_name(reference: str) -> CatalogModel | None:
    for provider in get_snapshot().providers:
        if provider.model_match is not None and provider.model_match.is_match(reference):
            return _find_model(provider, reference)
    return None


def _find_provider(name: str) -> Provider | None:
    return find_provider_by_id(get_snapshot().providers, PROVIDER_ALIASES.get(name, name))


def _find_model(provider: Provider, reference: str) -> CatalogModel | None:
    names = dict.fromkeys((reference, RESOURCE_PATH.sub("", reference)))
    asked = (name for name in names if may_have(provider.id, name))
    everyone = get_snapshot().providers
    lookups = (provider.find_model(name, all_providers=everyone) for name in asked)
    found = next(filter(None, lookups), None)
    if found is None:
        return None
    return CatalogModel(provider.id, _owners().get(id(found), provider.id), found.id)


@cache
def _owners() -> dict[int, str]:
    """Identity of each model object → the provider that lists it."""
    return {
        id(model): provider.id for provider in get_snapshot().providers for model in provider.models
    }
