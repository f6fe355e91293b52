"""Why a cost differs between two periods: an exact variance bridge.

Every group (a model at a service tier for a feature …) costs, in each of the periods,

    cost = days × requests a day × share of the requests × priced share × cost of a priced request

and a priced request costs, over the buckets of tokens (uncached input, read from the cache, written
to it, output),

    Σ tokens of its kind × bucket's share of them × list price of a token × paid share of list
    + what is priced by the request or by GPU time × paid share of list

The difference of a product of two is shared out by halves (Bennet 1920): the change of the one at
the mean of the other, and the other way round, so that nothing depends on an order and the way back
is the way there with the other sign. Longer products are split so level by level, as they are
written above: (requests × cost of one), requests into (days, requests a day, share), the cost of
one into (lengths, prices) by bucket. That is the Owen value (Owen 1977) of the factors with these
coalitions, of which the Shapley decomposition (Albrecht, François and Schoors 2002) is the one
without. It needs no logarithm, as the logarithmic mean Divisia index (Ang 2004) does, and so stands
zeros, new and vanished groups, and corrections below zero.

A factor that is not known in one of the periods, as the price of a model that was not used, is
taken to be what it is in the other one: the whole of a new group is volume and mix.
"""

from __future__ import annotations

from finops.variance_bridge.bridging import (
    Bridge,
    Group,
    Leaf,
    bridge,
    proportional,
    together,
)
from finops.variance_bridge.rounding import adding_up
from finops.variance_bridge.sides import BY_BUCKET, BY_TOKEN, DIGITS, Scheme, Side, sum_of

__all__ = [
    "BY_BUCKET",
    "BY_TOKEN",
    "DIGITS",
    "Bridge",
    "Group",
    "Leaf",
    "Scheme",
    "Side",
    "adding_up",
    "bridge",
    "proportional",
    "sum_of",
    "together",
]
