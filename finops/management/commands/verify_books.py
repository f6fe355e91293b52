"""manage.py verify_books: compare every closed month's statements with their checksums."""

from __future__ import annotations

from django.core.management.base import BaseCommand, CommandError

from finops.books import verifying


class Command(BaseCommand):
    help = (
        "Compute the checksum of every version of every closed month from its lines, and compare "
        "it with the one of the day it was closed; fails where one differs."
    )

    def handle(self, **options: object) -> None:
        count = wrong = 0
        for name, problems in verifying.verify():
            count += 1
            wrong += bool(problems)
            self.stdout.write(f"{name}: {'; '.join(problems) or 'as it was closed'}")
        if wrong:
            raise CommandError(
                f"{wrong} of {count} statements are not what was closed: restore the database from "
                "a backup, and find out who changed it."
            )
        self.stdout.write(f"{count} statements verified.")
