"""FinOps turns stored usage events into money and decisions."""

from __future__ import annotations

from finops.celery import app as celery_app

__all__ = ["celery_app"]
