"""The Celery application: everything slow runs here, never in a request."""

from __future__ import annotations

import os
import warnings

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finops.settings")

# Whoever runs Farthing as root has chosen to; messages come from a directory of their own.
warnings.filterwarnings("ignore", message="You're running the worker with superuser privileges")

app = Celery("finops")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["finops"])
