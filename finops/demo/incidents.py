"""What went wrong in the demo's month, for pages and alarms to find. Days count back from the day
of the first load, so that a later load adds quiet days instead of moving the past."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from finops.demo import figures
from finops.demo.company import FEATURES, LARGE, Feature, Offer, Population

# One feature, one day: a campaign generated copy for every product at once, on the wrong model.
SPIKE_FEATURE = "product-copy"
SPIKE_DAYS_AGO = 6
SPIKE_FACTOR = 5
SPIKE_OFFERS = (Offer("anthropic", "claude-opus-5-5", 1.0, LARGE),)

# One user, a night and a day: an agent that retries the same three tasks with its whole history,
# around the clock, and rarely finds it in the prefix cache.
RUNAWAY_USER = Population("agent-nightly-build", 1, 0.0)
RUNAWAY_DAYS_AGO = (2, 3)
RUNAWAY_AGENT = Feature(
    "code-agent", "developer-experience", "code-assist", 420, figures.AGENT,
    (Offer("anthropic", "claude-opus-5-5", 1.0, LARGE),),
    RUNAWAY_USER, hours=(1.0,) * 24, weekend=1.0, input_scale=1.6, prompts=3, cache_writes=True,
    cache_loss=0.5, sessions=True,
)  # fmt: skip


def features_on(day: date, anchor: date) -> list[Feature]:
    """Every feature with traffic on `day`, the incidents of the month before `anchor` included."""
    days_ago = (anchor - day).days
    features = list(FEATURES)
    if days_ago == SPIKE_DAYS_AGO:
        features = [spiked(feature) for feature in features]
    if days_ago in RUNAWAY_DAYS_AGO:
        features.append(RUNAWAY_AGENT)
    return features


def spiked(feature: Feature) -> Feature:
    if feature.name != SPIKE_FEATURE:
        return feature
    return replace(
        feature, requests=feature.requests * SPIKE_FACTOR, offers=SPIKE_OFFERS, weekend=1.0
    )
