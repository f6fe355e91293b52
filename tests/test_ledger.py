"""The price ledger: filled from the catalogue, appended to by hand, never changed."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from finops import ledger
from finops.models import LatencyTier, Price
from finops.pricing import catalog, sanity
from finops.pricing.lines import TOKEN_BUCKETS

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 21, tzinfo=UTC)
DISCOUNT = {"kind": "contract", "provider": "openai", "model": "gpt-*", "discount_percent": "12.5"}


def add(**terms: object) -> Price:
    price = ledger.add(terms, author="ada", zone=ZoneInfo("Asia/Kolkata"))
    price.refresh_from_db()
    return price


def problems(**terms: object) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as refused:
        add(**terms)
    return refused.value.message_dict


def test_the_catalogue_is_imported_once_and_ids_are_stable() -> None:
    first = ledger.sync_catalog(NOW)
    ids = set(Price.objects.values_list("id", flat=True))
    version = ledger.version()
    again = ledger.sync_catalog(NOW)
    assert len(list(catalog.lines())) - first.added <= first.held <= 30
    assert first.added > 3000
    assert (again.added, again.superseded, again.unchanged) == (0, 0, first.added)
    assert set(Price.objects.values_list("id", flat=True)) == ids
    assert ledger.version() == version


def test_a_line_the_catalogue_no_longer_has_is_superseded_and_kept() -> None:
    ledger.sync_catalog(NOW)
    version = ledger.version()
    line = Price.objects.get(kind="catalog", provider="openai", model="gpt-4o", service_tier="")
    Price.objects.filter(pk=line.pk).update(text_output_price=Decimal("0.00001234"))

    sync = ledger.sync_catalog(NOW)

    assert (sync.added, sync.superseded) == (1, 1)
    line.refresh_from_db()
    assert (line.superseded_at, line.text_output_price) == (NOW, Decimal("0.00001234"))
    assert ledger.lines_by_id([line.pk])[line.pk].prices.text_output == Decimal("0.00001234")
    assert ledger.version() == version + 2


def test_lines_are_read_back_as_they_were_written() -> None:
    ledger.sync_catalog(NOW)
    read = {ledger._identity(line) for line in ledger.current_lines() if line.kind == "catalog"}
    nothing = sanity.Knowledge((), {}, (), ())
    applied, _ = sanity.sift(catalog.lines(), nothing, NOW)
    assert read == {ledger._identity(line) for line in applied}


def test_a_tier_listed_since_october_is_dated_back_where_the_standard_price_was_the_same() -> None:
    ledger.sync_catalog(NOW)
    early, listed = Price.objects.filter(
        provider="openai", model="gpt-5", service_tier="flex"
    ).order_by("effective_to")
    assert early.effective_from is None
    assert early.effective_to == listed.effective_from == datetime(2026, 10, 12, tzinfo=UTC)
    assert early.text_output_price == listed.text_output_price == Decimal("0.000005")
    assert early.note.startswith("Dated back: the catalogue lists this tier from 2026-10-12")


def test_a_free_model_is_free_and_one_without_any_price_has_no_line() -> None:
    ledger.sync_catalog(NOW)
    assert Price.objects.get(provider="openai", model="moderation").uncached_input_price == 0
    assert not Price.objects.filter(provider="openai", model="whisper-1").exists()


def test_cache_hit_prices_and_latency_tiers_start_with_defaults() -> None:
    hits = Price.objects.filter(kind="cache_hit").values_list("cache", "request_price")
    assert dict(hits) == {
        "memory": Decimal("0.00001"),
        "redis": Decimal("0.0001"),
        "semantic": Decimal("0.0005"),
        "database": Decimal("0.001"),
    }
    assert list(LatencyTier.objects.values_list("name", "max_latency_ms")) == [
        ("realtime", 500),
        ("interactive", 2_000),
        ("standard", 10_000),
        ("batch", None),
    ]


def test_a_date_is_a_day_of_the_reporting_zone() -> None:
    price = add(**DISCOUNT, effective_from="2026-10-01", effective_to="2027-01-01T00:00:00Z")
    assert price.effective_from == datetime(2026, 9, 30, 18, 30, tzinfo=UTC)
    assert price.effective_to == datetime(2027, 1, 1, tzinfo=UTC)
    assert (price.author, price.source) == ("ada", "entered by hand")


def test_prices_per_million_and_per_gpu_hour_become_unit_prices() -> None:
    contract = add(kind="contract", model="x", text_output_price_per_million="15")
    fleet = add(kind="self_hosted", fleet="h100", gpu_hour_price="3.60")
    assert contract.text_output_price == Decimal("0.000015")
    assert contract.uncached_input_price is None
    assert fleet.gpu_second_price == Decimal("0.001")


def test_on_own_hardware_a_part_costs_what_its_whole_costs() -> None:
    price = add(
        kind="self_hosted",
        provider="vllm",
        uncached_input_price="0.0000001",
        text_output_price="0.0000004",
        reasoning_output_price="0.0000002",
    )
    assert price.cache_read_input_price == price.input_audio_price == Decimal("0.0000001")
    assert price.reasoning_output_price == Decimal("0.0000002")
    assert price.output_audio_price == Decimal("0.0000004")


def test_tokens_are_free_where_gpu_time_is_paid() -> None:
    price = add(kind="self_hosted", fleet="h100", gpu_second_price="0.001")
    assert price.text_output_price == price.uncached_input_price == 0


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"kind": "contract", "provider": "openai"}, "discount_percent"),
        ({"kind": "contract", "discount_percent": "10"}, "provider"),
        (DISCOUNT | {"discount_percent": "101"}, "discount_percent"),
        (DISCOUNT | {"discount_percent": "0"}, "discount_percent"),
        (DISCOUNT | {"text_output_price": "-1"}, "text_output_price"),
        (DISCOUNT | {"text_output_price": "abc"}, "text_output_price"),
        (DISCOUNT | {"effective_from": "2026-02-01", "effective_to": "2026-01-01"}, "effective_to"),
        (DISCOUNT | {"daily_from": "10:00"}, "daily_to"),
        (DISCOUNT | {"service_tier": "gold"}, "service_tier"),
        (DISCOUNT | {"currency": "euro"}, "currency"),
        ({"kind": "self_hosted", "gpu_second_price": "1"}, "fleet"),
        ({"kind": "self_hosted", "fleet": "a"}, "gpu_second_price"),
        ({"kind": "self_hosted", "fleet": "a", "discount_percent": "5"}, "discount_percent"),
        ({"kind": "cache_hit", "cache": "disk", "request_price": "1"}, "cache"),
        ({"kind": "cache_hit", "cache": "redis"}, "request_price"),
        ({"kind": "catalog", "provider": "openai"}, "kind"),
        ({}, "kind"),
    ],
)
def test_a_wrong_line_is_refused_field_by_field(terms: dict[str, object], field: str) -> None:
    assert field in problems(**terms)


@pytest.mark.parametrize(
    "terms",
    [
        DISCOUNT | {"gpu_price": "1"},
        DISCOUNT | {"effective_from": "soon"},
        DISCOUNT | {"effective_from": "2026-10-01T00:00:00"},
        DISCOUNT | {"text_output_price": 0.1},
        DISCOUNT | {"text_output_price_per_million": "much"},
        DISCOUNT | {"id": 1},
    ],
)
def test_what_is_no_field_or_no_value_is_named(terms: dict[str, object]) -> None:
    wrong = next(name for name in terms if name not in DISCOUNT)
    assert problems(**terms)["__all__"][0].startswith(f"{wrong}: ")


def test_a_price_is_added_and_replaced_on_the_command_line() -> None:
    out = StringIO()
    call_command("add_price", *[f"{k}={v}" for k, v in DISCOUNT.items()], stdout=out)
    first = int(out.getvalue())
    fields = [f"{k}={v}" for k, v in (DISCOUNT | {"discount_percent": "20"}).items()]
    call_command("add_price", *fields, "--supersedes", str(first), stdout=StringIO())
    assert [
        line.discount_percent for line in ledger.current_lines() if line.kind == "contract"
    ] == [Decimal(20)]
    with pytest.raises(CommandError, match="discount_percent: "):
        call_command("add_price", "kind=contract", "provider=*", stdout=StringIO())
    with pytest.raises(CommandError, match="no line in force"):
        call_command("add_price", *fields, "--supersedes", str(first), stdout=StringIO())


def test_the_help_of_add_price_lists_every_field_with_its_unit(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        call_command("add_price", "--help")
    said = capsys.readouterr().out
    parts = {f"{bucket}_price{unit}" for bucket in TOKEN_BUCKETS for unit in ("", "_per_million")}
    assert [name for name in ledger.FIELDS - parts if name not in said] == []
    assert [bucket for bucket in TOKEN_BUCKETS if f"{bucket}," not in said] == ["output_audio"]
    assert "per million tokens" in said


def test_adding_a_line_warns_of_one_that_is_for_the_same_requests() -> None:
    first = add(**DISCOUNT, effective_from="2026-10-01T00:00:00Z")
    out, warned = StringIO(), StringIO()
    fields = ["kind=contract", "provider=openai", "discount_percent=3"]
    call_command("add_price", *fields, stdout=out, stderr=warned)
    assert f"line #{first.pk} (openai/gpt-*" in warned.getvalue()
    assert f"line #{first.pk} wins, from 2026-10-01 00:00 UTC" in warned.getvalue()
    call_command("add_price", *fields, "model=gpt-5", stdout=out, stderr=warned)
    new = out.getvalue().split()[-1]
    assert f"the new line #{new} wins, from 2026-10-01 00:00 UTC" in warned.getvalue()


def test_adding_a_line_that_replaces_the_only_other_one_warns_of_nothing() -> None:
    first = add(**DISCOUNT)
    warned = StringIO()
    fields = [f"{k}={v}" for k, v in DISCOUNT.items()]
    call_command(
        "add_price", *fields, "--supersedes", str(first.pk), stdout=StringIO(), stderr=warned
    )
    assert warned.getvalue() == ""


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (["kind=contrac"], "kind: .*Write contract, self_hosted or cache_hit"),
        (["discount=5"], "discount: No such field"),
        (["kind=contract", "input_audio_pric=5"], "No such field; is it input_audio_price?"),
        (["kind=contract", "kind=contract"], "kind: is there twice"),
        (["kind=self_hosted", "fleet=a", "gpu_hour_price=nan"], "gpu_hour_price: Not a number"),
        (["kind=self_hosted", "fleet=a", "gpu_hour_price=1e99"], "gpu_hour_price: .*too large"),
        (
            ["input_audio_price=1", "input_audio_price_per_million=1"],
            "input_audio_price_per_million: Gives input_audio_price a second time",
        ),
        (["contract"], "write NAME=VALUE; --help lists"),
    ],
)
def test_the_command_names_each_wrong_field(fields: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        call_command("add_price", *fields, stdout=StringIO())


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "There are no fields"), ("{", "is none"), ("[1]", "one JSON object")],
)
def test_standard_input_that_is_no_object_is_refused(
    text: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO(text))
    with pytest.raises(CommandError, match=said):
        call_command("add_price")


def test_the_catalogue_is_imported_on_the_command_line() -> None:
    out = StringIO()
    call_command("sync_prices", stdout=out)
    call_command("sync_prices", stdout=out)
    assert "0 lines added, 0 superseded" in out.getvalue().splitlines()[1]
