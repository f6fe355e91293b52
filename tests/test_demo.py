"""The demo's traffic: what was promised is in it, and it is the same every time."""

from __future__ import annotations

import subprocess
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import chain

import msgspec
import pytest

from bench.system import PYTHON, ROOT
from finops.demo import figures
from finops.demo.company import SERVICES, TEAMS
from finops.demo.events import DemoEvent, days_until, events_on, scale_of
from finops.demo.incidents import RUNAWAY_USER, SPIKE_DAYS_AGO, SPIKE_FEATURE
from finops.demo.load import DAYS, REQUESTS, batches, due_days
from finops.demo.setup import DemoState
from ingest.events import Event

NOW = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
ANCHOR = NOW.date()
OF_DEMO = """
    FROM usage_event AS event
    JOIN ingest_batch AS batch ON batch.id = event.batch_id
    WHERE batch.source = ANY (ARRAY['support-gateway', 'search-api', 'code-assist',
        'content-studio', 'moderation', 'batch-pipeline', 'legacy-proxy'])
"""
STORED = f"SELECT count(*) {OF_DEMO}"
COSTS = f"""
    SELECT sum(list_cost), sum(effective_cost), count(*) FILTER (WHERE list_cost IS NULL) {OF_DEMO}
"""


def simulated(day: date, *, seed: int = 7, scale: float = 0.1, until: datetime = NOW):
    return events_on(day, anchor=ANCHOR, seed=seed, scale=scale, until=until)


def all_events(day: date, **options) -> list[DemoEvent]:
    return list(chain.from_iterable(simulated(day, **options).values()))


@pytest.fixture(scope="module")
def month() -> list[DemoEvent]:
    """The demo's 30 days at a tenth of their size."""
    scale = scale_of(REQUESTS, DAYS) / 10
    days = days_until(NOW, DAYS)
    return list(chain.from_iterable(all_events(day, scale=scale) for day in days))


def share(events: list[DemoEvent], feature: str) -> float:
    of_feature = [event for event in events if event.feature == feature and not event.cache]
    read = sum(event.cache_read_input_tokens or 0 for event in of_feature)
    return read / sum(event.input_tokens or 0 for event in of_feature)


def test_the_same_seed_gives_the_same_events():
    day = ANCHOR - timedelta(days=4)
    assert simulated(day) == simulated(day)
    assert simulated(day) != simulated(day, seed=8)


def test_a_day_cut_short_is_the_beginning_of_the_whole_day():
    morning = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
    cut = {event.id: event for event in all_events(ANCHOR, until=morning)}
    whole = {event.id: event for event in all_events(ANCHOR, until=NOW)}
    assert cut
    assert cut.keys() < whole.keys()
    assert all(whole[name] == event for name, event in cut.items())
    assert all(event.timestamp < morning for event in cut.values())


def test_ids_are_unique(month):
    assert len({event.id for event in month}) == len(month)


def test_thirty_days_make_at_least_300000_requests(month):
    assert len(month) >= 30_000 * 1.02


@pytest.mark.parametrize("weekday", range(7))
def test_any_day_to_start_on_gives_30_days(weekday):
    days = days_until(NOW + timedelta(days=weekday), DAYS)
    assert len(days) == 31
    assert days[-1] == (NOW + timedelta(days=weekday)).date()


def test_every_event_obeys_the_schema_of_the_door(month):
    encoder = msgspec.json.Encoder(decimal_format="number")
    for event in month[::50]:
        msgspec.json.decode(encoder.encode(event), type=Event)


def test_everything_promised_is_there(month):
    def values(name: str) -> set[object]:
        return {getattr(event, name) for event in month}

    assert len(values("feature") - {None}) >= 12
    assert len(values("team") - {None}) >= 6
    assert values("provider") >= {"openai", "anthropic", "google", "mistral", "deepseek", "vllm"}
    assert values("status") == {"ok", "error", "aborted", "throttled"}
    assert values("cache") == {None, *figures.HIT_LEVELS}
    assert values("service_tier") == {None, "batch", "flex"}
    assert values("environment") == {"production", "staging", "development"}
    assert len(values("region")) == 3
    assert len(values("variant") - {None}) == 4
    assert any(event.tags for event in month)
    assert any(event.quality is not None for event in month)
    assert any(event.reported_cost for event in month)
    assert any(event.input_audio_tokens for event in month)
    assert any(event.reasoning_output_tokens for event in month)
    assert any(event.fleet and event.gpu_seconds for event in month)
    assert any(event.feature is None and event.team is None and event.user is None
               for event in month)  # fmt: skip
    assert "orion-preview-1030" in values("model")
    assert set(TEAMS) >= values("team") - {None}
    prompts = Counter(event.prompt_hash for event in month if event.feature == "support-chat")
    assert max(prompts.values()) > 10


def test_the_spike_is_one_feature_on_one_day(month):
    per_day = Counter(event.timestamp.date() for event in month if event.feature == SPIKE_FEATURE)
    spike = ANCHOR - timedelta(days=SPIKE_DAYS_AGO)
    assert per_day.most_common(1)[0][0] == spike
    assert per_day[spike] > 2 * sorted(per_day.values())[-2]


def test_the_runaway_agent_is_one_user_on_two_days(month):
    of_agent = [event for event in month if event.user == RUNAWAY_USER.prefix]
    assert len({event.timestamp.date() for event in of_agent}) == 2
    assert len({event.prompt_hash for event in of_agent}) == 3


def test_a_later_load_leaves_the_incidents_where_they_were():
    spike = ANCHOR - timedelta(days=SPIKE_DAYS_AGO)
    later = NOW + timedelta(days=10)
    assert simulated(spike, until=later) == simulated(spike)
    assert len(all_events(spike + timedelta(days=10), until=later)) < len(all_events(spike)) * 1.3


def test_cache_shares_are_those_of_the_traces(month):
    usual = [event for event in month if event.user != RUNAWAY_USER.prefix]
    assert share(usual, "code-agent") == pytest.approx(0.9634, abs=0.02)  # Claude Code
    assert share(usual, "code-review") == pytest.approx(0.347, abs=0.06)  # Mooncake


def test_context_grows_over_a_session(month):
    sessions: dict[str, list[DemoEvent]] = {}
    for event in month:
        if event.feature == "code-agent" and event.user != RUNAWAY_USER.prefix:
            sessions.setdefault(event.session, []).append(event)
    longest = sorted(max(sessions.values(), key=len), key=lambda event: event.timestamp)
    sizes = [event.input_tokens for event in longest if event.status != "throttled"]
    assert len(sizes) > 3
    assert sizes == sorted(sizes)


def test_first_tokens_come_before_the_last(month):
    assert all(event.ttft_ms <= event.latency_ms for event in month if event.ttft_ms is not None)


def test_batches_hold_each_event_once():
    days = [ANCHOR - timedelta(days=2), ANCHOR - timedelta(days=1)]
    sent = list(batches(days, anchor=ANCHOR, seed=7, scale=0.2, until=NOW))
    ids = [
        (batch.service, event.id)
        for batch in sent
        for event in msgspec.json.decode(batch.body, type=list[Event])
    ]
    expected = sum(len(events) for day in days for events in simulated(day, scale=0.2).values())
    assert len(ids) == len(set(ids)) == expected == sum(batch.events for batch in sent)
    assert {batch.service for batch in sent} == {service.name for service in SERVICES}


def test_a_second_load_sends_the_days_since_the_first():
    state = DemoState(ANCHOR, "", {}, loaded_until=NOW - timedelta(days=2))
    assert due_days(state, NOW, DAYS) == [ANCHOR - timedelta(days=n) for n in (2, 1, 0)]
    state.loaded_until = None
    assert len(due_days(state, NOW, DAYS)) == 31


def test_it_loads_over_http_and_again_adds_only_what_is_new(farthing):
    """Through the whole installation, small; the second start prints the same login and key. One
    that is in use takes it only when that is asked for."""

    def run(*options: str) -> subprocess.CompletedProcess[str]:
        command = [PYTHON, "manage.py", "load_demo", "--url", farthing.url, "--requests", "6000"]
        return subprocess.run(
            [*command, *options],
            cwd=ROOT,
            env=farthing.environment,
            capture_output=True,
            text=True,
        )

    def load() -> list[str]:
        done = run("--mix")
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    def stored() -> int:
        with farthing.connect() as connection:
            return connection.execute(STORED).fetchone()[0]

    refused = run()
    assert refused.returncode == 1
    assert "FARTHING_DATA_DIR=.demo make demo" in refused.stderr
    assert stored() == 0
    first = load()
    loaded = stored()
    assert loaded > 5_000
    assert f"Demo: {loaded:,} requests loaded" in "\n".join(first)
    second = load()
    assert stored() - loaded < 100
    assert first[-3:] == second[-3:]
    with farthing.connect() as connection:
        list_cost, effective_cost, unpriced = connection.execute(COSTS).fetchone()
    assert 0 < effective_cost < list_cost
    assert unpriced > 0
