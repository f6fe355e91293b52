"""Whatever a user is called, the name is found where it stands and nowhere else."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from finops import erasures
from finops.models import Erasure
from ingest.attribution import fingerprint
from ingest.facts import Attribution
from tests import usage
from tests.test_erasures import dump, sums

pytestmark = pytest.mark.django_db
# What regular expressions, LIKE, SQL, JSON and Python's formatting take for something else.
ODD = st.text(st.sampled_from("aZ9é߀😀 .*+?^$|\\()[]{}%_-'\"/@:,\n\t"), min_size=1, max_size=12)


def replaced(function: str, name: str, held: str) -> str:
    """`held` without the name, by one of the patterns of erasing_schema.sql."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT without_name(%s, {function}(ARRAY[%s]), '#'),"
            f" without_name(%s::jsonb, {function}(ARRAY[%s]), '#')::text",
            [held, name, json.dumps({held: [held, 1]}), name],
        )
        text, in_json = cursor.fetchone()
    assert json.loads(in_json) == {text: [text, 1]}
    return str(text)


@given(ODD)
@example("\\")
@example("(?i)")
@example("***=a")
@example("%s")
@example("%(name)s")
@example('"')
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_any_name_is_found_anywhere_whatever_its_case(name: str) -> None:
    assert replaced("name_pattern", name, f"~{name}~") == "~#~"
    assert replaced("name_pattern", name, "~~") == ("~~" if name != "~" else "##")
    for escaped in (json.dumps(name), json.dumps(name, ensure_ascii=False)):
        assert replaced("name_pattern", name, escaped[1:-1]) == "#"
        if '"' not in name:  # else the quotes around it may be the name too
            assert replaced("name_pattern", name, escaped) == '"#"'
    if name.upper().lower() == name.lower():
        assert "#" in replaced("name_pattern", name, name.upper() if name.isascii() else name)
    assert replaced("name_as_word_pattern", name, f"<{name}>") == "<#>"


@pytest.mark.parametrize(
    ("name", "held", "left"),
    [
        ("ann", "Ann's ann, (ANN) ann/1 for ann.", "#'s #, (#) #/1 for #."),
        ("ann", "joanna ann-marie ann_s x.ann ann.x ann@example.org y@ann", None),
        ("a@b.org", "a@b.org-7 a@b.org_7 <A@B.ORG>. a@b.org", "#-7 #_7 <#>. #"),
        ("a@b.org", "aa@b.org a@b.organic a@b.org.uk x-a@b.org", None),
        ("é", "É é1", "# é1"),
    ],
)
def test_a_word_is_not_a_part_of_another_name(name: str, held: str, left: str | None) -> None:
    assert replaced("name_as_word_pattern", name, held) == (left or held)


@given(ODD)
@example("a")
@example("1")
@example("%")
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=4, deadline=None
)
def test_a_user_of_any_name_is_erased_and_the_one_whose_name_holds_it_is_not(name: str) -> None:
    at, now = timezone.now() - timedelta(hours=1), timezone.now()
    other = f"x{name}y"
    with transaction.atomic():
        usage.record(
            [
                usage.event(
                    at,
                    user=name,
                    session=f"s{name}",
                    feature=f"of{name}",
                    tags={f"t{name}": name},
                    stages_ms={f"s{name}": 1},
                ),
                usage.event(at, user=other, session=other, feature=other),
            ],
            now=now,
        )
        before = sums()
        erasures.begin(name, "ada", now)
        [erasure] = erasures.proceed(now + erasures.SETTLED + timedelta(seconds=5))
        assert sums() == before
        assert erasure.sums_after["events"]["requests"] == "1"
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT end_user.name, session, feature, usage.tags::text, stages_ms::text"
                " FROM usage_event AS usage JOIN end_user ON end_user.id = user_id"
                " JOIN attribution ON attribution.id = attribution_id ORDER BY user_id <> %s",
                [erasure.user_id],
            )
            own, others = cursor.fetchall()
        label = erasure.label
        assert own[0] == label
        assert name.lower() not in "".join(own).lower().replace(label, "") or len(name) < 3
        assert others[0] == other
        transaction.set_rollback(True)
    Erasure.objects.all().delete()


def test_of_two_attributions_that_become_equal_both_stay() -> None:
    at = timezone.now() - timedelta(hours=1)
    usage.record(
        [
            usage.event(at, user="zoe@example.org", feature="of ZOE@example.org"),
            usage.event(at, user="zoe@example.org", feature="of zoe@example.org"),
        ],
        now=timezone.now(),
    )
    before = sums()
    erasures.begin("zoe@example.org", "ada", timezone.now())
    [erasure] = erasures.proceed(timezone.now() + erasures.SETTLED)
    assert sums() == before
    assert erasure.changed["attribution"] == 2
    assert "zoe" not in dump()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT fingerprint, provider, model, operation, service, feature, team, environment,"
            " region, latency_tier, service_tier, status, cache, fleet, variant FROM attribution"
        )
        rows = cursor.fetchall()
    assert {row[5] for row in rows} == {f"of {erasure.label}"}
    wanted = fingerprint(Attribution(*rows[0][1:], ()))
    assert [row[0] for row in rows].count(wanted) == 1
