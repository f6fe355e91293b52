from __future__ import annotations

import time
from argparse import ArgumentParser
from datetime import datetime
from typing import Any

import httpx
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from finops import costs
from finops.demo import budgets, business_metrics, cost_items, load, ownership, setup
from finops.demo.events import MEAN_DAY, scale_of
from finops.demo.setup import DemoState
from finops.ingest_client import BodyRefused, IngestClient, KeyRefused, ServerAway
from finops.organisation import retention
from finops.progress import count_events, progress_bar
from finops.startup import address

# Ingest reads prices and tags anew within two seconds; events before that miss the contracts.
PRICES_KNOWN_AFTER_SECONDS = 3.0
ROLLED_UP_WITHIN_SECONDS = 180.0
IN_USE = (
    "This installation has people or keys of its own, and the demo's made-up costs would stand "
    "among its real ones. Give the demo a place of its own: FARTHING_DATA_DIR=.demo make demo "
    "(and with DATABASE_URL set, a database of its own)."
)


class Command(BaseCommand):
    requires_system_checks = ()
    help = """Loads the demo: a made-up company's last 30 days, through the HTTP door.

    Run again it sends only what has happened since, and nothing twice. Prints a login and a key."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--url", default=address(), help="of the server (%(default)s)")
        parser.add_argument("--requests", type=int, default=load.REQUESTS, help="%(default)s")
        parser.add_argument(
            "--days", type=int, default=load.DAYS, help="%(default)s, within the retention"
        )

        parser.add_argument(
            "--mix", action="store_true", help="into an installation that is in use, for good"
        )

    def handle(self, *, url: str, requests: int, days: int, mix: bool, **options: Any) -> None:
        refuse_wrong(url, requests, days)
        now, began = timezone.now(), time.monotonic()
        kept = settings.DATA_DIR / "demo.json"
        try:
            state = setup.prepare(kept, now, days, is_mixing=mix)
        except setup.InUse:
            raise CommandError(IN_USE) from None
        if state.loaded_until is None:
            time.sleep(PRICES_KNOWN_AFTER_SECONDS)
        sent = self.send(url, state, now, scale_of(requests, days), days)
        wait_until_rolled_up()
        make_ownership()
        make_budgets()
        send_business_metrics(url)
        state.loaded_until = now
        setup.write_state(kept, state)
        seconds = time.monotonic() - began
        there = f", {sent.duplicates:,} were there already" if sent.duplicates else ""
        self.stdout.write(f"Demo: {sent.accepted:,} requests loaded{there} ({seconds:.0f} s)")
        self.print_access(url, state)

    def send(self, url: str, state: DemoState, now: datetime, scale: float, days: int) -> load.Sent:
        due = load.due_days(state, now, days)
        with progress_bar() as progress:
            expected = scale * MEAN_DAY * len(due)
            task = progress.add_task("Loading the demo", total=expected, events=0, rate="")

            def advance(events: int) -> None:
                done = progress.tasks[task].completed + events
                count_events(progress, task, events, completed=done)

            try:
                sent = load.send(url, state, due, scale=scale, until=now, advance=advance)
            except (ServerAway, KeyRefused, BodyRefused) as error:
                raise CommandError(str(error)) from None
            progress.update(task, total=sent.accepted + sent.duplicates)
        if sent.rejected:
            raise CommandError(f"{len(sent.rejected)} events were rejected: {sent.rejected[0]}")
        return sent

    def print_access(self, url: str, state: DemoState) -> None:
        user = User.objects.get(username=setup.LOGIN)
        password = state.password if user.check_password(state.password) else "(as you set it)"
        self.stdout.write(f"Address:    {url}")
        self.stdout.write(f"Login:      {setup.LOGIN} / {password}")
        self.stdout.write(f"Ingest key: {state.keys[setup.SPARE_SERVICE]}")


def refuse_wrong(url: str, requests: int, days: int) -> None:
    """Before anything is made: CommandError says which argument is wrong."""
    longest = retention.in_force(settings.EVENT_RETENTION_DAYS) - 1
    if requests < 1:
        raise CommandError("--requests: write 1 or more.")
    if not 1 <= days <= longest:
        raise CommandError(f"--days: write 1 to {longest}; older events are not kept.")
    try:
        IngestClient(url, "").check_reachable()
    except ServerAway as error:
        raise CommandError(str(error)) from None


def make_ownership() -> None:
    by = User.objects.get(username=setup.LOGIN)
    ownership.make(by, timezone.now(), settings.REPORTING_ZONE)


def make_budgets() -> None:
    by = User.objects.get(username=setup.LOGIN)
    budgets.make(by, timezone.now(), settings.REPORTING_ZONE)
    cost_items.make(by, timezone.now(), settings.REPORTING_ZONE)


def send_business_metrics(url: str) -> None:
    by = User.objects.get(username=setup.LOGIN)
    try:
        business_metrics.send(url, by, timezone.now(), settings.REPORTING_ZONE)
    except httpx.HTTPError as error:
        raise CommandError(f"The business metrics were not taken: {error}") from None


def wait_until_rolled_up() -> None:
    """Until every figure holds everything that was sent."""
    deadline = time.monotonic() + ROLLED_UP_WITHIN_SECONDS
    while pending := pending_events():
        if time.monotonic() > deadline:
            raise CommandError(f"{pending:,} events are not rolled up; is the worker running?")
        time.sleep(0.2)


def pending_events() -> int:
    with costs.snapshot() as cursor:
        return costs.read_freshness(cursor).pending_events
