"""Where mail goes until EMAIL_URL names a server: into files, so that none is lost."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.core.mail.backends.filebased import EmailBackend

log = logging.getLogger(__name__)


class Outbox(EmailBackend):
    """Writes each mail to a file below the data directory and says so in the log."""

    def __init__(self, fail_silently: bool = False, **kwargs: Any) -> None:
        settings.OUTBOX_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
        super().__init__(fail_silently=fail_silently, file_path=str(settings.OUTBOX_DIR))

    def write_message(self, message: Any) -> None:
        super().write_message(message)
        log.warning(  # the worker is silent about what is none
            "Mail to %s was written to %s; set EMAIL_URL to have it sent.",
            ", ".join(message.recipients()),
            self.stream.name,
        )
