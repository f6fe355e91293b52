"""Providers and models have other names in bills than in usage: which are the same."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

# A day, a month and day, or a year and month; no other four digits.
_MONTH = r"(0[1-9]|1[0-2])"
_DAY = r"(0[1-9]|[12]\d|3[01])"
DATED = re.compile(
    rf"[-@](20\d\d-?{_MONTH}-?{_DAY}|{_MONTH}{_DAY}|2[2-9]{_MONTH})(-v\d+(:\d+)?)?$", re.ASCII
)
COMPANY = re.compile(r",?\s+(inc|llc|ltd|gmbh|corp|corporation|sarl|emea sarl)\.?$")
# As OpenTelemetry names them.
PROVIDERS = {
    "aws": "aws.bedrock",
    "amazon": "aws.bedrock",
    "amazon bedrock": "aws.bedrock",
    "amazon web services": "aws.bedrock",
    "azure": "azure.ai.openai",
    "azure openai": "azure.ai.openai",
    "microsoft": "azure.ai.openai",
    "microsoft azure": "azure.ai.openai",
    "google": "gcp.vertex_ai",
    "google cloud": "gcp.vertex_ai",
    "google cloud platform": "gcp.vertex_ai",
    "mistral ai": "mistral_ai",
    "x.ai": "x_ai",
    "xai": "x_ai",
}


def provider_name(name: str) -> str:
    plain = COMPANY.sub("", name.lower().strip())
    return PROVIDERS.get(plain, plain)


def family_of(model: str) -> str:
    """gpt-4o-2024-08-06 is a gpt-4o."""
    return DATED.sub("", model.lower())


def cell_names(theirs: Iterable[str], mine: Iterable[str]) -> dict[str, str]:
    """What a model in small letters, of either side, goes by where both are set against each other:
    of one provider and day. A name without a date may be any dated one of its family, so that all
    of the family are one, but where each side has that very name. Nothing else is guessed."""
    families: dict[str, tuple[dict[str, str], dict[str, str]]] = defaultdict(lambda: ({}, {}))
    for at, models in enumerate((theirs, mine)):
        for model in sorted(models):
            families[family_of(model)][at].setdefault(model.lower(), model)
    found: dict[str, str] = {}
    for family, (billed, used) in families.items():
        spelled = billed | used
        if is_one(family, billed, used):
            name = next(iter(used.values())) if len(used) == 1 else spelled.get(family, family)
            found |= dict.fromkeys(spelled, name)
        else:
            found |= spelled
    return found


def is_one(family: str, billed: Mapping[str, str], used: Mapping[str, str]) -> bool:
    """Whether one side has the family's own name, and the other only dated ones."""
    return bool(billed and used) and (family in billed) != (family in used)
