"""Django's registration of the finops application."""

from __future__ import annotations

from django.apps import AppConfig


class FinopsConfig(AppConfig):
    name = "finops"
    verbose_name = "Farthing"
    default_auto_field = "django.db.models.AutoField"
