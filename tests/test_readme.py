"""What the README says is so: variables, files, and examples that run."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def section(title: str) -> str:
    return README.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def test_the_environment_table_names_every_variable_that_settings_read() -> None:
    settings = "".join(
        (ROOT / "finops" / name).read_text() for name in ("settings.py", "environment.py")
    )
    read = set(re.findall(r'(?:env|envint|envbool|secret|environ\.get)\(\s*"([A-Z_]+)"', settings))
    read |= set(re.findall(r'environ\["([A-Z_]+)"\]', settings))
    rows = [line.split("|")[1] for line in section("Environment").splitlines() if "| `" in line]
    documented = {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}
    assert documented == read


def test_the_map_names_modules_that_exist() -> None:
    for line in section("Map of the code").splitlines():
        if not line.startswith("| `"):
            continue
        _, where, what, _ = line.split("|")
        folder = ROOT / where.split("`")[1]
        assert folder.is_dir(), where
        if folder.name in {"finops", "ingest"}:
            for name in re.findall(r"`([\w/]+)`", what):
                assert (folder / name).is_dir() or (folder / f"{name}.py").is_file(), name


def test_every_make_target_is_described() -> None:
    targets = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.M)
    assert targets
    assert set(targets[1].split()) == set(re.findall(r"^    make (\w+)", README, re.M))


def test_every_file_it_shows_or_names_is_there() -> None:
    named = re.findall(r"!\[[^]]*\]\(([^)]+)\)", README)
    named += re.findall(r"`((?:bench|deploy|finops|ingest|tests)/[\w/.]+\.py)`", README)
    assert not [name for name in named if not (ROOT / name).exists()]


def test_what_the_threat_model_points_to_is_there() -> None:
    named = re.findall(r"`([\w/.]+\.(?:py|conf)|finops/\w+/)`", (ROOT / "SECURITY.md").read_text())
    assert len(named) > 20
    assert not [
        name for name in named if not any((ROOT / at / name).exists() for at in ("", "tests"))
    ]


def test_the_event_schema_is_that_of_the_door() -> None:
    events = (ROOT / "ingest" / "events.py").read_text()
    fields = "".join(
        events.split(f"class {name}(", 1)[1].split("\nclass ", 1)[0]
        for name in ("Event", "Correction")
    )
    declared = set(re.findall(r"^    (\w+): ", fields, re.M))
    declared.add("corrects")  # of a settlement, which is an event else
    rows = [line.split("|")[1] for line in section("Send events").splitlines() if "| `" in line]
    documented = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    documented |= set(re.findall(r"`(cache_\w+_tokens)`", section("Send events")))
    assert documented == {name for name in declared if not name.startswith("_")}
