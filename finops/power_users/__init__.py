"""Who costs most: how concentrated the cost is, who is unusual and why, what limits would save."""

from __future__ import annotations

from finops.power_users.alarms import watch
from finops.power_users.concentration import TOPS, Concentration, concentration
from finops.power_users.labels import NAMES, Label
from finops.power_users.limits import DAY, MONTH, SPANS, Limit, Limits, limits
from finops.power_users.one import OwnLimit, UserPicture, named, picture
from finops.power_users.profiles import Profile, window_of
from finops.power_users.ranking import PAGE, Line, Listing, listing

__all__ = [
    "DAY",
    "MONTH",
    "NAMES",
    "PAGE",
    "SPANS",
    "TOPS",
    "Concentration",
    "Label",
    "Limit",
    "Limits",
    "Line",
    "Listing",
    "OwnLimit",
    "Profile",
    "UserPicture",
    "concentration",
    "limits",
    "listing",
    "named",
    "picture",
    "watch",
    "window_of",
]
