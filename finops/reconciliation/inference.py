"""Which lines of a cloud's bill are of inference: the rest of it is none of what is compared."""

from __future__ import annotations

import re
from collections.abc import Iterable

# Who bills much besides models; whoever else sends a bill sells models.
CLOUDS = re.compile(
    r"\b(aws|amazon|azure|microsoft|google|gcp|oracle|ibm|alibaba)\b", re.IGNORECASE
)
SERVICES = re.compile(
    r"bedrock|openai|azure ?ai|ai foundry|foundry models|vertex ?ai|gemini|generative (ai|language)"
    r"|watsonx|model ?studio|anthropic|claude|mistral|cohere|llama",
    re.IGNORECASE,
)
TOKENS = re.compile(r"token", re.IGNORECASE)
LEARNING = "ai and machine learning"


def is_cloud(provider: str) -> bool:
    return bool(CLOUDS.search(provider))


def is_inference(named: Iterable[str], metered: Iterable[str], category: str = "") -> bool:
    """`named` is what the service is called, `metered` what is counted and in what. A category
    alone is believed where the service has no name: it holds translation and training too."""
    names = [name for name in named if name.strip()]
    if any(SERVICES.search(name) for name in names) or any(map(TOKENS.search, metered)):
        return True
    return not names and category.strip().lower() == LEARNING
