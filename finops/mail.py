"""Where mail goes until EMAIL_URL names a server: into files, so that none is lost."""

from __future__ import annotations

import logging
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.mail.backends.filebased import EmailBackend
from django.utils import timezone

log = logging.getLogger(__name__)


class Outbox(EmailBackend):
    """Writes each mail to a file of its own below the data directory and says so in the log. Mail
    programs open it."""

    def __init__(self, fail_silently: bool = False, **kwargs: Any) -> None:
        settings.OUTBOX_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
        super().__init__(fail_silently=fail_silently, file_path=str(settings.OUTBOX_DIR))

    def open(self) -> bool:
        """Django's names are of the second, and of several mails in it."""
        if self.stream is not None:
            return False
        name = f"{timezone.now():%Y%m%d-%H%M%S}-{uuid4().hex[:12]}.eml"
        self.stream = (settings.OUTBOX_DIR / name).open("ab")
        return True

    def write_message(self, message: Any) -> None:
        if self.stream.tell():  # of one connection, the second mail and those after it
            self.close()
            self.open()
        self.stream.write(message.message().as_bytes())
        log.warning(  # the worker is silent about what is none
            "Mail to %s was written to %s; set EMAIL_URL to have it sent.",
            ", ".join(message.recipients()),
            self.stream.name,
        )


def has_server() -> bool:
    """Whether mails are sent, and not written to files."""
    return str(settings.EMAIL_BACKEND) != f"{Outbox.__module__}.{Outbox.__qualname__}"
