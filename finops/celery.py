"""The Celery application: everything slow runs here, never in a request."""

from __future__ import annotations

import logging
import os
import time
import warnings
from threading import Thread
from typing import Any

from celery import Celery, bootsteps
from celery.worker import state

from finops.schedule import SCHEDULE

log = logging.getLogger(__name__)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finops.settings")

# Whoever runs Farthing as root has chosen to; messages come from a directory of their own.
warnings.filterwarnings("ignore", message="You're running the worker with superuser privileges")

app = Celery("finops")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.beat_schedule = SCHEDULE
app.autodiscover_tasks(["finops"])


class Watch(bootsteps.StartStopStep):
    """Ends the worker when its schedule has ended, which is a process of its own: without it no
    task is ever due again. The supervisor then starts both anew."""

    requires = ("celery.worker.components:Beat",)

    def __init__(self, worker: Any, **options: Any) -> None:
        super().__init__(worker, **options)
        self.is_stopping = False

    def start(self, worker: Any) -> None:
        if worker.beat:
            Thread(target=self.watch, args=[worker.beat], name="watch", daemon=True).start()

    def stop(self, worker: Any) -> None:
        self.is_stopping = True

    def watch(self, beat: Any) -> None:
        while not self.is_stopping:
            if not beat.is_alive():
                if state.should_stop is not None or state.should_terminate is not None:
                    return  # both were told to end
                log.error("The schedule ended; the worker ends too, to be started with another.")
                state.should_stop = True  # type: ignore[assignment]
                return
            time.sleep(1.0)


app.steps["worker"].add(Watch)
