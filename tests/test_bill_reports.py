"""What providers report is read as they mean it, line by line, or refused line by line."""

from __future__ import annotations

import gzip
import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from finops.reconciliation import BillLine, ColumnMapping, UnreadableBill, kept, read

D = Decimal
DAY = date(2024, 11, 1)
SAMPLES = Path(__file__).resolve().parents[2] / "shared" / "data" / "provider_usage_samples"


def page(*results: dict[str, Any], start: object = 1730419200) -> bytes:
    bucket = {"object": "bucket", "start_time": start, "end_time": 1730505600, "results": results}
    return json.dumps({"object": "page", "data": [bucket], "has_more": False}).encode()


def tokens(lines: tuple[BillLine, ...]) -> dict[str, Decimal | None]:
    return {line.kind: line.quantity for line in lines}


def completions(**more: Any) -> dict[str, Any]:
    return {
        "object": "organization.usage.completions.result",
        "input_tokens": 1000,
        "input_cached_tokens": 400,
        "output_tokens": 500,
        "num_model_requests": 5,
        "model": "gpt-4o-2024-08-06",
        **more,
    }


def test_openais_input_includes_what_was_cached() -> None:
    report = read(page(completions(project_id="proj_1")))
    assert tokens(report.lines) == {
        "uncached_input": D(600),
        "cache_read_input": D(400),
        "output": D(500),
        "request": D(5),
    }
    assert {(line.model, line.account, line.day) for line in report.lines} == {
        ("gpt-4o-2024-08-06", "proj_1", DAY)
    }


@pytest.mark.parametrize(
    ("item", "model", "kind", "category"),
    [
        ("gpt-4o-2024-08-06, input", "gpt-4o-2024-08-06", "uncached_input", "usage"),
        ("gpt-4o-2024-08-06, cached input", "gpt-4o-2024-08-06", "cache_read_input", "usage"),
        ("gpt-4o-2024-08-06, output", "gpt-4o-2024-08-06", "output", "usage"),
        ("web search tool calls", "", "", "fee"),
        (None, "", "", "usage"),
    ],
)
def test_openais_line_items_name_model_and_kind(
    item: str | None, model: str, kind: str, category: str
) -> None:
    result = {
        "object": "organization.costs.result",
        "amount": {"value": 0.1, "currency": "usd"},
        "line_item": item,
    }
    [line] = read(page(result)).lines
    assert (line.model, line.kind, line.category) == (model, kind, category)
    assert (line.amount, line.currency) == (D("0.1"), "USD")


def test_anthropics_amounts_are_in_cents() -> None:
    result = {
        "currency": "USD",
        "amount": "123.45",
        "cost_type": "tokens",
        "token_type": "cache_creation.ephemeral_5m_input_tokens",
        "model": "claude-sonnet-4-5",
    }
    bucket = {"starting_at": "2024-11-01T00:00:00Z", "ending_at": "2024-11-02T00:00:00Z"}
    report = {"data": [bucket | {"results": [result]}], "has_more": True}
    found = read(json.dumps(report).encode())
    [line] = found.lines
    assert (line.amount, line.kind, line.day) == (D("1.2345"), "cache_creation_input", DAY)
    assert found.has_more


def test_the_csv_of_anthropics_console_is_a_line_by_kind_of_tokens() -> None:
    header = (
        "usage_date_utc,model_version,api_key,workspace,usage_type,context_window,"
        "usage_input_tokens_no_cache,usage_input_tokens_cache_write_5m,"
        "usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,usage_output_tokens"
    )
    row = "2024-11-01,claude-sonnet-4-5,key,Default,standard,0-200k,107,17355,3,16549,448"
    lines = read(f"{header}\n{row}\n{row}\n".encode()).lines
    sums = {(line.kind, line.detail[-2:]): line.quantity for line in lines}
    assert sums["uncached_input", "he"] == D(214)
    assert sums["cache_creation_input", "5m"] == D(34710)
    assert sums["cache_creation_input", "1h"] == D(6)


@pytest.mark.skipif(not SAMPLES.exists(), reason="the samples of ../shared are not here")
def test_the_samples_of_both_providers_are_read() -> None:
    openai = read((SAMPLES / "openai_usage_cost_api_examples.json").read_bytes())
    assert openai.has_more
    amounts = [line.amount for line in openai.lines if line.amount is not None]
    assert amounts == [D("0.06")]
    content = (SAMPLES / "anthropic_formats.json").read_bytes()
    with pytest.raises(UnreadableBill, match="without a day"):
        read(content)
    anthropic = read(content, day=DAY)
    assert sum(line.quantity or 0 for line in anthropic.lines) == 107 + 17355 + 16549 + 448


FOCUS = (
    "BilledCost,BillingCurrency,ChargeCategory,ChargePeriodStart,ConsumedQuantity,ConsumedUnit,"
    "ProviderName,SkuMeter,SkuPriceDetails,SubAccountId\n"
)


def test_focus_names_the_model_in_the_details_of_its_price() -> None:
    details = '"{""x_Model"": ""gpt-5-mini""}"'
    rows = (
        f"0.30,USD,Usage,2024-11-01T00:00:00Z,1.5,1000000 Tokens,OpenAI,Input Tokens,{details},cx\n"
        "-5.0,USD,Credit,2024-11-01T00:00:00Z,,,OpenAI,,,cx\n"
        "1.0,USD,Tax,2024-11-01 00:00:00,,,OpenAI,,,cx\n"
    )
    usage, credit, tax = read((FOCUS + rows).encode()).lines
    assert (usage.provider, usage.model, usage.kind) == ("openai", "gpt-5-mini", "uncached_input")
    assert (usage.quantity, usage.amount, usage.account) == (D(1_500_000), D("0.30"), "cx")
    assert [(each.category, each.amount) for each in (credit, tax)] == [
        ("credit", D("-5.0")),
        ("tax", D("1.0")),
    ]


MONTHLY = (
    "BilledCost,ChargeCategory,ChargePeriodStart,ChargePeriodEnd,ProviderName\n"
    "5,Usage,2024-11-01T00:00:00Z,2024-12-01T00:00:00Z,OpenAI\n"
)


def test_what_is_no_usage_may_be_of_a_month_and_a_number_of_digits_is_no_unit() -> None:
    taxes = read(MONTHLY.replace("Usage", "Tax").encode("utf-16")).lines
    assert [(each.category, each.amount, each.day) for each in taxes] == [("tax", D(5), DAY)]
    endless = FOCUS + f"1,USD,Usage,2024-11-01,1.5,{'9' * 101} Tokens,OpenAI,Input,,cx\n"
    [line] = read(endless.encode()).lines
    assert (line.quantity, line.amount) == (None, D(1))


def test_of_a_clouds_bill_inference_alone_is_taken_and_the_rest_is_counted() -> None:
    columns = [
        *("line_item_usage_start_date", "line_item_unblended_cost", "line_item_usage_type"),
        *("line_item_product_code", "line_item_line_item_type"),
    ]
    cur = [
        "2024-11-01,1.00,USE1-claude-input-tokens,AmazonBedrock,Usage",
        "2024-11-01,0.10,,AmazonBedrock,Tax",
        "2024-11-01,4321,BoxUsage:m5.large,AmazonEC2,Usage",
        "2024-11-02,999,TimedStorage-ByteHrs,AmazonS3,Usage",
    ]
    found = read("\n".join([",".join(columns), *cur]).encode())
    assert [each.amount for each in found.lines] == [D("1.00"), D("0.10")]
    assert (found.left_out.lines, found.left_out.amounts) == (2, {"USD": D(5320)})
    header = "BilledCost,ChargeCategory,ChargePeriodStart,ProviderName,ServiceName,ServiceCategory"
    focus = [
        "7,Usage,2024-11-01,AWS,Amazon Bedrock,AI and Machine Learning",
        "8,Usage,2024-11-01,AWS,Amazon Rekognition,AI and Machine Learning",
        "9,Usage,2024-11-01,Google Cloud,Compute Engine,Compute",
        "1,Usage,2024-11-01,OpenAI,,",
    ]
    found = read("\n".join([header, *focus]).encode())
    assert [each.amount for each in found.lines] == [D(7), D(1)]
    assert (found.left_out.lines, found.left_out.amounts) == (2, {"USD": D(17)})
    with pytest.raises(UnreadableBill, match="2 lines are of other things than inference"):
        read("\n".join([header, *focus[1:3]]).encode())


def test_a_table_of_ones_own_says_what_its_quantities_are_of_and_has_its_columns() -> None:
    mapping = ColumnMapping(
        {"day": "Day", "kind": "Kind", "quantity": "Qty", "amount": "Cost"}, provider="openai"
    )
    rows = ["Day,Kind,Qty,Cost", *["2024-11-01,banana,5,1"] * 30, "2024-11-01,,,1"]
    with pytest.raises(UnreadableBill) as refused:
        read("\n".join(rows).encode(), mapping=mapping)
    assert len(refused.value.problems) == 6
    assert "line 2, Kind: 'banana' says not what the quantity is of" in refused.value.problems[0]
    assert "25 more of the same" in refused.value.problems[-1]
    with pytest.raises(UnreadableBill, match="has no column 'Qty'; its columns are Day, Cost"):
        read(b"Day,Cost\n2024-11-01,1\n", mapping=mapping)


@pytest.mark.parametrize("style", ["lineItem/UsageStartDate", "line_item_usage_start_date"])
def test_aws_counts_bedrocks_tokens_in_thousands(style: str) -> None:
    columns = [
        *("line_item_usage_start_date", "line_item_unblended_cost", "line_item_usage_type"),
        *("line_item_usage_amount", "line_item_line_item_type", "line_item_currency_code"),
    ]
    if "/" in style:
        columns = [
            "lineItem/" + "".join(word.capitalize() for word in name.split("_")[2:])
            for name in columns
        ]
        columns[4] = "lineItem/LineItemType"
    row = "2024-11-01T05:00:00Z,0.3,USE1-Claude3Sonnet-input-tokens,100,Usage,USD"
    [line] = read(f"{','.join(columns)}\n{row}\n".encode()).lines
    assert (line.model, line.kind, line.quantity) == (
        "Claude3Sonnet",
        "uncached_input",
        D(100_000),
    )


def test_any_other_table_is_read_by_a_mapping_of_its_columns() -> None:
    mapping = ColumnMapping(
        {"day": "Tag", "model": "Modell", "kind": "Art", "quantity": "kTok", "amount": "Betrag"},
        provider="Example AI",
        currency="EUR",
        unit=D(1000),
    )
    content = "Tag;Modell;Art;kTok;Betrag\n2024-11-01;m-1;output;1.5;3.25\n"
    [line] = read(content.encode("utf-8-sig"), mapping=mapping).lines
    assert (line.provider, line.model, line.kind) == ("example ai", "m-1", "output")
    assert (line.quantity, line.amount, line.currency) == (D(1500), D("3.25"), "EUR")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty"),
        (b"PK\x03\x04", "is a workbook"),
        (b"a\x00\xff", "is no text"),
        (gzip.compress(bytes(2**26 + 1), 1, mtime=0), "when it is unpacked"),
        (b"\x1f\x8b rubbish", "cannot be unpacked"),
        (b"{", "no JSON"),
        (b"[[[]]]", "no line of a bill"),
        (b"[" * 100_000, "no JSON"),
        (b"a,b\n1,2\n", "columns that say nothing here"),
        (page(completions(input_tokens=10)), "parts exceed the whole"),
        (page(completions(input_tokens="ten")), "no plain number"),
        (page(completions(input_tokens="1.234,50")), "it has a comma"),
        (page(completions(service_tier="a\x00b")), "service_tier: must be plain text"),
        (page(completions(model="\ud800")), "model: must be plain text"),
        (page(completions(object="organization.usage." + "x" * 30_000)), "no usage result"),
        (page(completions(), start="soon"), "no day"),
        (page(completions(), start=10**30), "no day"),
        (page(completions(), start=1700000000), "of several days"),
        ((FOCUS + "1,USD,Usage,never,1,Tokens,OpenAI,,,\n").encode(), "line 2, ChargePeriodStart"),
        ((FOCUS + f"1,USD,Usage,2024-11-01,1,Tokens,{'İ' * 200},,,\n").encode(), "must be"),
        ((FOCUS + "NaN,USD,Usage,2024-11-01,1,Tokens,a,,,\n").encode(), "line 2, BilledCost"),
        ((FOCUS + "1,USD,Usage,2024-11-01,1,Tokens,a,,,,,,\n").encode(), "more cells"),
        (MONTHLY.encode(), "of several days"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named_and_nothing_of_it_is_taken(
    content: bytes, problem: str
) -> None:
    with pytest.raises(UnreadableBill) as refused:
        read(content)
    assert any(problem in each for each in refused.value.problems), refused.value.problems


def test_a_report_that_comes_again_counts_once_and_the_later_one_holds() -> None:
    first = read(page(completions(output_tokens=400))).lines
    again = read(page(completions())).lines
    assert tokens(tuple(kept(first, again)))["output"] == D(500)
    assert len(kept(first, again)) == len(first)


def test_a_report_by_other_things_takes_the_place_of_what_was_said_of_its_day() -> None:
    plain = read(page(completions())).lines
    by_project = read(
        page(completions(project_id="a", input_tokens=700), completions(project_id="b"))
    ).lines
    found = kept(plain, by_project)
    assert {line.account for line in found} == {"a", "b"}
    other_day = read(page(completions(), start=1730505600 - 1)).lines
    assert len(kept(found, other_day)) == len(plain)


def test_reports_of_other_endpoints_and_other_hours_stand_beside_each_other() -> None:
    embeddings = page(completions(object="organization.usage.embeddings.result", model="e-3"))
    first, second = (read(each).lines for each in (page(completions()), embeddings))
    assert len(kept(first, second)) == len(first) + len(second)
    start = 1730419200
    hours = [
        page(completions(**more), start=start + hour * 3600).replace(
            b"1730505600", str(start + hour * 3600 + 3600).encode()
        )
        for hour, more in ((0, {"api_key_id": "k"}), (1, {}))
    ]
    both = kept(read(hours[0]).lines, read(hours[1]).lines)
    assert sum(each.quantity or 0 for each in both if each.kind == "output") == 1000
    assert {each.slot for each in both} == {"00", "01"}
    assert kept(both, first) == list(first)
