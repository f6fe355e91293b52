"""Who may see what: the one place that narrows a query to what its reader may know."""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied

from finops.query import CostQuery


def narrow(query: CostQuery, user: AbstractBaseUser | AnonymousUser) -> CostQuery:
    """The part of the query that the user may see; raises PermissionDenied where that is none.

    Every active account sees the whole organisation.
    """
    if not (user.is_authenticated and user.is_active):
        raise PermissionDenied("This account sees no costs.")
    return query
