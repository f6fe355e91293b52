"""The shape of the code: who may import whom, who may speak SQL, how long things may grow."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# What knows neither Django nor a database; a name stands for its submodules too.
PURE = {
    *("finops.budget_charts", "finops.forecasts", "finops.histograms", "finops.intake_chart"),
    *("finops.allocation", "finops.exchange"),
    *("finops.exports.journal", "finops.exports.sheets"),
    *("finops.csv_lines", "finops.unit_economics"),
    "finops.books.adjusting",
    "finops.focus",
    "finops.reconciliation",
    "finops.scheduled_exports.occasions",
    *("finops.user_charts", "finops.user_sums"),
    *("finops.compared_periods", "finops.variance_bridge", "finops.waterfall"),
    "finops.forecast_charts",
    *(
        "finops.cells",
        "finops.charts",
        "finops.formats",
        "finops.labels",
        "finops.periods",
        "finops.pricing",
    ),
    *("finops.query", "finops.event_files", "finops.ingest_client", "finops.detection"),
    *(
        "ingest.buffers",
        "ingest.batches",
        "ingest.client",
        "ingest.corrections",
        "ingest.costs",
        "ingest.doors",
        "ingest.events",
        "ingest.examples",
        "ingest.facts",
        "ingest.limits",
        "ingest.problems",
        "ingest.rating",
        "ingest.response_ids",
    ),
    *("ingest.enforcement.decisions", "ingest.enforcement.estimates"),
    *("ingest.enforcement.questions", "ingest.enforcement.terms", "ingest.enforcement.owners"),
    *("ingest.rejections", "ingest.usage"),
    *("finops.root_cause.cubes", "finops.root_cause.evidence", "finops.root_cause.findings"),
    *("finops.root_cause.leaves", "finops.root_cause.localization", "finops.root_cause.measures"),
    *("finops.root_cause.telling", "finops.root_cause.wording"),
}
EDGES = {
    *("finops.api", "finops.demo", "finops.management", "finops.pages", "finops.tasks"),
    *("finops.templatetags", "finops.urls", "finops.wsgi"),
}
# Edges are imported by nobody, save where the framework leaves no other way in.
EDGES_MAY_IMPORT = {
    ("finops.urls", "finops.api"),
    ("finops.urls", "finops.pages"),
    ("finops.management", "finops.demo"),
    ("finops.management", "finops.wsgi"),
}
DATA = {
    *("finops.day_histograms", "finops.erasures", "finops.intake", "finops.name_hashing"),
    *("finops.costs", "finops.health", "finops.ledger", "finops.postgres", "finops.rate_cards"),
    *("finops.accounts", "finops.price_holds", "finops.price_listing", "finops.requests"),
    *("finops.rating_jobs", "finops.rating_previews", "finops.rating_spans"),
    *("finops.operations", "finops.timed_reads"),
    *("finops.bills.storing", "finops.bills.usage"),
    *("finops.exchange_rates", "finops.reporting_currency"),
    "finops.business_metrics.storing",
    *("finops.batches", "finops.rebuilds", "finops.rerating", "finops.rollup_checks"),
    *("finops.rollups", "finops.migrations", "finops.user_spans"),
    *("finops.alerts.retention", "finops.anomalies.minutes"),
    *("finops.locks", "finops.teams", "finops.organisation", "finops.enforcement"),
    *(
        "finops.books.charges",
        "finops.books.usage",
        "finops.books.waiting",
        "finops.ownership.mapping",
    ),
    *(
        "ingest.aliases",
        "ingest.attribution",
        "ingest.commits",
        "ingest.configuration",
        "ingest.keys",
    ),
    *("ingest.enforcement.books", "ingest.enforcement.tallies", "ingest.enforcement.centers"),
    *("ingest.notebook", "ingest.overflows", "ingest.partitions", "ingest.saturation"),
    *("ingest.rows", "ingest.settlements", "ingest.writer"),
}
NO_NAMES = {"base", "common", "core", "helpers", "managers", "selectors", "services", "utils"}
LONGEST_FILE, LONGEST_FUNCTION = 300, 60

FILES = sorted(
    path
    for package in ("finops", "ingest")
    for path in (ROOT / package).rglob("*.py")
    if path.parent.name != "migrations"
)


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def within(module: str, names: set[str]) -> str | None:
    """The one of `names` that `module` is or lies in."""
    return next((name for name in names if f"{module}.".startswith(f"{name}.")), None)


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def imports(path: Path) -> Iterator[str]:
    """Every module and imported name that running `path` imports, dotted."""
    for node in tree(path).body:
        if is_type_checking(node):
            continue
        for part in ast.walk(node):
            if isinstance(part, ast.Import):
                yield from (alias.name for alias in part.names)
            elif isinstance(part, ast.ImportFrom) and part.module:
                yield part.module
                yield from (f"{part.module}.{alias.name}" for alias in part.names)


def offences(wrong: dict[Path, list[str]]) -> str:
    return "\n".join(
        f"{path.relative_to(ROOT)}: {', '.join(what)}" for path, what in wrong.items() if what
    )


def test_ingest_imports_neither_finops_nor_django() -> None:
    wrong = {
        path: [name for name in imports(path) if within(name, {"finops", "django"})]
        for path in FILES
        if within(module_name(path), {"ingest"})
    }
    assert not offences(wrong), offences(wrong)


def test_pure_modules_import_only_pure_modules() -> None:
    impure = {"django", "psycopg", "rest_framework", "celery"}
    wrong = {}
    for path in FILES:
        module = module_name(path)
        if within(module, PURE):
            wrong[path] = [
                name
                for name in imports(path)
                if within(name, impure)
                or (within(name, {"finops", "ingest"}) and not pure_or_package(name))
            ]
    assert not offences(wrong), offences(wrong)


def pure_or_package(name: str) -> bool:
    return bool(within(name, PURE)) or name in {"finops", "ingest"}


def test_edges_are_imported_by_nobody() -> None:
    wrong = {}
    for path in FILES:
        source = within(module_name(path), EDGES)
        wrong[path] = [
            name
            for name in imports(path)
            if (target := within(name, EDGES))
            and target != source
            and (source, target) not in EDGES_MAY_IMPORT
        ]
    assert not offences(wrong), offences(wrong)


def test_only_data_modules_touch_a_cursor() -> None:
    spoken = {"cursor", "execute", "executemany", "copy_expert"}
    wrong = {}
    for path in FILES:
        if not within(module_name(path), DATA):
            wrong[path] = [
                f"line {node.lineno} calls .{node.func.attr}()"
                for node in ast.walk(tree(path))
                if isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in spoken
            ]
    assert not offences(wrong), offences(wrong)


def test_nothing_is_imported_inside_a_function() -> None:
    wrong = {}
    for path in FILES:
        functions = [n for n in ast.walk(tree(path)) if isinstance(n, FUNCTIONS)]
        wrong[path] = [
            f"{function.name}, line {node.lineno}"
            for function in functions
            for node in ast.walk(function)
            if isinstance(node, ast.Import | ast.ImportFrom)
            # Django's one place for it.
            and (path.name, function.name) != ("apps.py", "ready")
        ]
    assert not offences(wrong), offences(wrong)


FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def test_there_are_no_signals() -> None:
    banned = {"django.dispatch", "django.db.models.signals", "django.core.signals"}
    wrong = {path: [name for name in imports(path) if within(name, banned)] for path in FILES}
    assert not offences(wrong), offences(wrong)


def test_modules_are_named_after_nouns_of_the_field() -> None:
    wrong = [path for path in FILES if {path.stem, path.parent.name} & NO_NAMES]
    assert not wrong


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_stay_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST_FILE
    for node in ast.walk(tree(path)):
        if isinstance(node, FUNCTIONS):
            assert (node.end_lineno or 0) - node.lineno + 1 <= LONGEST_FUNCTION, node.name
