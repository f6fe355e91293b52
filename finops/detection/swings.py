"""How much money the days of a series usually differ by from what was expected of them.

A burst of an hour is seldom, by the points before it, in any series of people's usage; yet where
days differ by as much anyhow, nobody who pays wants to be called for it. Where few alarms are asked
for, an anomaly is to be worth more than a swing that days of this series have now and then.
"""

from __future__ import annotations

import math

import numpy as np

from finops.detection.baselines import Baseline
from finops.detection.rolling import Floats, block_quantiles, so_far, window_sums
from finops.detection.scales import Scale

# Of days that were used at all, the swing that three in ten exceed, so many times.
USUAL, TIMES = 0.7, 2.0
# So many days back, looked at four times a day.
DAYS, A_DAY = 14, 4
# Few days may not have shown it yet: what is thought of it is larger by so many days by their
# number, and begins at this share of a day's usage, worth so many days.
UNSEEN, AT_FIRST, WORTH = 2.0, 0.3, 2.0
# Before a day was used, nothing is known but that.
UNKNOWN = 3.0
# What is mostly unused differs more than its used days show: from this share on, so many times.
IDLE, IDLE_TIMES = 0.2, 4.0
# It counts in full where one alarm is asked for in so many days, and not at all at the other.
CALM, EAGER = 300.0, 15.0


def least_sums(values: Floats, base: Baseline, scale: Scale, every_days: float) -> Floats:
    """What an anomaly is to be worth at each point, by the points before it, in the series' unit.

    `every_days`: how seldom chance may raise an alarm. Nothing for minutes, which are there to tell
    of a jump before much is lost, and for days, which are what this is measured by.
    """
    calm = math.log(every_days / EAGER) / math.log(CALM / EAGER)
    if calm <= 0 or not scale.within_days:
        return np.zeros(len(values))
    off, known = window_sums(values - base.expected, scale.block)
    used, _ = window_sums(np.abs(values), scale.block)
    off = np.where((known >= 0.5 * scale.block) & (used > 0), np.abs(off), np.nan)
    every = max(1, scale.block // A_DAY)
    usual, count = block_quantiles(off, every, DAYS * A_DAY, 1, (USUAL,))
    days = count / A_DAY
    first = AT_FIRST * base.size * scale.block
    seen = np.nan_to_num(usual) * (1 + UNSEEN / np.maximum(days, 0.25))
    swing = np.where(days > 0, seen + first * (WORTH / (days + WORTH)) ** 2, UNKNOWN * first)
    idle = np.nan_to_num(so_far(np.where(np.isnan(values), np.nan, values == 0)))
    return min(calm, 1.0) * TIMES * swing * (1 + IDLE_TIMES * np.maximum(idle - IDLE, 0.0))
