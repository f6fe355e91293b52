"""Accounts: the first one is the administrator's, and there is exactly one first one."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import connection, transaction

from finops.models import Account, Role

SETUP_LOCK = 0x666972_7374  # "first"


def is_set_up() -> bool:
    return User.objects.exists()


def create_administrator(user: User) -> bool:
    """Save `user` as the administrator; False where somebody has an account already."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            # Two first visitors at once: the second waits here and then finds the first.
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SETUP_LOCK])
        if is_set_up():
            return False
        user.is_staff = user.is_superuser = True
        user.save()
        Account.objects.create(user=user, role=Role.ADMINISTRATOR)
        return True
