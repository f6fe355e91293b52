"""Django's registration of the finops application."""

from __future__ import annotations

from django.apps import AppConfig

from finops.celery import app as celery_app

# Tasks belong to it, in every process that knows Django's applications.
__all__ = ["FinopsConfig", "celery_app"]


class FinopsConfig(AppConfig):
    name = "finops"
    verbose_name = "Farthing"
    default_auto_field = "django.db.models.AutoField"
