"""A second source of prices is compared with the catalogue, and applied only by hand."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from genai_prices.data_snapshot import get_snapshot

from finops import ledger, price_sources
from finops.models import (
    Account,
    AuditRecord,
    Price,
    PriceHold,
    ReferencePrice,
    Role,
    Team,
    TeamMember,
)
from finops.pricing import reference
from finops.pricing.known_names import may_have
from finops.pricing.lines import PriceLine, UnitPrices
from tests import usage

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def content(**entries: object) -> bytes:
    return json.dumps(entries).encode()


def entry(
    uncached: str, output: str, provider: str = "openai", **more: object
) -> dict[str, object]:
    return {
        "litellm_provider": provider,
        "input_cost_per_token": float(uncached),
        "output_cost_per_token": float(output),
        **more,
    }


FILE = content(
    sample_spec={"input_cost_per_token": "explains"},
    **{"gpt-4o": entry("0.0000025", "0.00002"), "gpt-4o-mini": entry("0.0000003", "0.0000006")},
    nobodys=entry("1e-6", "1e-6", "nobody"),
)


def line(model: str, uncached: str, output: str) -> PriceLine:
    prices = UnitPrices(
        uncached_input=Decimal(uncached).scaleb(-6), text_output=Decimal(output).scaleb(-6)
    )
    return PriceLine("catalog", "openai", model, prices)


@pytest.fixture
def catalogue() -> list[PriceLine]:
    lines = [line("gpt-4o", "2.5", "10"), line("gpt-4o-mini", "0.15", "0.6")]
    ledger.sync_catalog(NOW, lines)
    return lines


def person(role: Role, team: str = "") -> Client:
    user = User.objects.create_user(f"{role.value}-{team}")
    Account.objects.create(user=user, role=role)
    if team:
        TeamMember.objects.create(user=user, team=Team.objects.get_or_create(name=team)[0])
    client = Client()
    client.force_login(user)
    return client


def upload(client: Client, body: bytes, name: str = "prices.json") -> object:
    return client.post("/prices/sources", {"file": SimpleUploadedFile(name, body)}, follow=True)


@pytest.mark.usefixtures("catalogue")
def test_disagreements_are_listed_by_what_the_model_costs() -> None:
    usage.record(
        [
            usage.event(datetime.now(UTC), model="gpt-4o", team="search"),
            usage.event(datetime.now(UTC), model="gpt-4o-mini", team="growth"),
        ],
        now=datetime.now(UTC),
    )
    page = upload(person(Role.FINANCE), FILE).text  # type: ignore[attr-defined]
    assert "Prices of 2 models are compared now. 1 entries" in page
    assert page.index("openai/gpt-4o</a>") < page.index("openai/gpt-4o-mini</a>")
    assert "× 2" in page
    assert "text_output_price_per_million=20" in page
    record = AuditRecord.objects.get(action="price.import")
    assert (record.subject, record.after) == ("prices.json", {"prices": 4, "models": 2})
    assert Price.objects.exclude(kind="cache_hit").count() == 2
    # Each engineer sees the money of the own team alone, and whoever is in none sees none.
    first = person(Role.ENGINEER, "growth").get("/prices/sources").text
    assert first.index("openai/gpt-4o-mini</a>") < first.index("openai/gpt-4o</a>")
    assert "$0.0045" not in first
    assert "Use this price" not in first
    assert "openai/gpt-4o</a>" in person(Role.ENGINEER).get("/prices/sources").text


@pytest.mark.usefixtures("catalogue")
def test_a_price_is_used_through_the_form_for_a_new_line() -> None:
    price_sources.import_reference(FILE, "f.json", by="ada", now=NOW)
    (found,) = [each for each in price_sources.disagreements(NOW, {}) if each.model == "gpt-4o"]
    assert (found.catalog, found.reference, found.ratio) == (
        Decimal("0.00001"),
        Decimal("0.00002"),
        Decimal(2),
    )
    client = person(Role.FINANCE)
    page = client.get("/prices/sources?q=GPT-4O").text
    href = next(part for part in page.split('"') if part.startswith("/prices/new?"))
    form = client.get(href.replace("&amp;", "&"))
    assert form.status_code == 200
    for value in ("gpt-4o", "openai", "standard", "f.json: gpt-4o"):
        assert f'value="{value}"' in form.text
    assert re.search(r'name="\w+_price_per_million" value="', form.text)


@pytest.mark.usefixtures("catalogue")
def test_equal_prices_keep_the_date_since_when_the_source_says_so() -> None:
    later = NOW.replace(hour=18)
    price_sources.import_reference(FILE, "a.json", by="ada", now=NOW)
    other = content(**{"gpt-4o": entry("0.0000025", "0.00003")})
    price_sources.import_reference(other, "b.json", by="ada", now=later)
    rows = ReferencePrice.objects.values_list("model", "bucket", "since").order_by("bucket")
    assert list(rows) == [("gpt-4o", "text_output", later), ("gpt-4o", "uncached_input", NOW)]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "no valid JSON"),
        (b"[1]", "Write one JSON object"),
        (b'{"a": NaN}', "NaN is no number"),
        (b"[" * 100_000, "no valid JSON"),
        (b'"' + b"x" * reference.MAX_BYTES + b'"', "larger than 16 MiB"),
    ],
)
def test_what_is_no_price_file_is_refused_whole(body: bytes, said: str) -> None:
    with pytest.raises(reference.InvalidFile, match=said):
        price_sources.import_reference(body, "x", by="ada", now=NOW)
    assert not AuditRecord.objects.exists()


def test_wrong_values_are_left_out_and_named() -> None:
    body = content(
        **{
            "gpt-4o": entry("1e-6", "-1e-6", cache_read_input_token_cost="0.1"),
            "gpt-4": entry("1e7", "1e-40", cache_read_input_token_cost=True),
            "o1": "free",
            "o3": {"litellm_provider": 3},
        }
    )
    found = reference.read(body)
    assert [tuple(each) for each in found.problems] == [
        ("gpt-4o", "cache_read_input_token_cost", "Not a number."),
        ("gpt-4o", "output_cost_per_token", "A price is not negative."),
        ("gpt-4", "input_cost_per_token", "More than a million USD."),
        ("gpt-4", "cache_read_input_token_cost", "Not a number."),
        ("gpt-4", "output_cost_per_token", "Smaller than 30 decimals can say."),
        ("o1", "", "Not an object."),
        ("o3", "litellm_provider", "Not a string."),
    ]
    assert found.models["openai", "gpt-4o"].prices == {"uncached_input": Decimal("0.000001")}


def test_a_wrong_file_is_told_beside_its_field_and_engineers_import_nothing() -> None:
    client = person(Role.FINANCE)
    response = client.post("/prices/sources", {"file": SimpleUploadedFile("x.json", b"{")})
    assert response.status_code == 400
    assert "no valid JSON" in response.text
    assert client.post("/prices/sources").status_code == 400
    assert "No second source yet" in client.get("/prices/sources").text
    engineer = person(Role.ENGINEER)
    assert engineer.get("/prices/sources").status_code == 200
    posted = engineer.post("/prices/sources", {"file": SimpleUploadedFile("x.json", FILE)})
    assert posted.status_code == 403
    assert person(Role.VIEWER).get("/prices/sources").status_code == 403
    assert not ReferencePrice.objects.exists()


def test_the_command_imports_a_file(tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    file.write_bytes(FILE)
    out = StringIO()
    call_command("import_prices", str(file), stdout=out)
    assert "2 models are compared, 1 entries" in out.getvalue()
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_prices", str(tmp_path / "none.json"))


def test_a_second_source_that_agrees_answers_for_a_price_without_predecessor() -> None:
    dear = [line("gpt-4o", "150", "600")]
    price_sources.import_reference(FILE, "f", by="ada", now=NOW)
    assert ledger.sync_catalog(NOW, dear).held == 1
    assert {each["rule"] for each in PriceHold.objects.get().findings} == {"bound", "source"}
    agreeing = content(**{"gpt-4o": entry("0.00015", "0.0006")})
    price_sources.import_reference(agreeing, "f", by="ada", now=NOW)
    assert ledger.sync_catalog(NOW, dear).held == 0
    assert Price.objects.filter(model="gpt-4o", superseded_at=None).exists()


def test_a_name_that_no_page_can_show_is_left_out_and_told(signed_in: Client) -> None:
    file = SimpleUploadedFile("prices.json", b'{"half \\ud800": 1}')
    page = signed_in.post("/prices/sources", {"file": file}, follow=True)
    assert page.status_code == 200
    assert r"half \ud800 The name is too long or not text." in page.text


def test_names_are_sifted_without_losing_one_that_the_catalogue_knows() -> None:
    everyone = get_snapshot().providers
    names = [model.id for provider in everyone for model in provider.models][::7]
    names += [f"{name}-20251101" for name in names[::5]] + [f"acme/{name}" for name in names[::5]]
    for provider in everyone[::3]:
        for name in names[::3]:
            if provider.find_model(name, all_providers=everyone):
                assert may_have(provider.id, name), (provider.id, name)
