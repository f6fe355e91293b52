"""What the FinOps Foundation's focus-validator finds in a month's file.

    python bench/focus_validator.py --url http://127.0.0.1:8000 --token TOKEN 2026-09 2026-10
    python bench/focus_validator.py allocation-2026-10.focus.csv

It needs Python 3.12, which Farthing does not: an environment of its own is made under --directory,
with the newest focus-validator. The validator ends with 0 whatever it finds, so that its report is
read here: this fails at anything but InvoiceId, of which it wants both a value and none. Its rules
on commitments want a CommitmentDiscountStatus in every row, commitment or not: they are left out,
and tests/focus_rules.py has them. The tests need nothing of this.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.request import Request, urlopen

# pyarrow from 21 on is not built for the NumPy that it pins.
PACKAGES = ("focus-validator", "pyarrow<21")
CONTRADICTION = re.compile(r"InvoiceId-C-00[45]")
CRITERIA = (
    *("ACCOUNT_NAMING_SUPPORTED", "NEGOTIATED_PRICING_SUPPORTED", "PUBLIC_PRICE_LIST_SUPPORTED"),
    *("USAGE_MEASUREMENT_SUPPORTED", "UNIT_PRICING_SUPPORTED", "SUB_ACCOUNT_SUPPORTED"),
    *("TAGGING_SUPPORTED", "MULTIPLE_PRICING_CATEGORIES_SUPPORTED"),
    *("MULTIPLE_BILLING_ACCOUNT_TYPES_SUPPORTED", "MULTIPLE_SUB_ACCOUNT_TYPES_SUPPORTED"),
    *("PRICING_BILLING_CURRENCY_DIFFERENCES_SUPPORTED", "REGION_SUPPORTED"),
    "RESOURCE_TYPE_ASSIGNMENT_SUPPORTED",
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="+", help="months like 2026-10, with --url; or files")
    parser.add_argument("--url")
    parser.add_argument("--token")
    parser.add_argument("--python", default="python3.12")
    parser.add_argument(
        "--directory", type=Path, default=Path(tempfile.gettempdir()) / "focus-validator"
    )
    given = parser.parse_args()
    program = installed(given.python, given.directory)
    found = 0
    for what in given.what:
        path = fetched(given, what) if given.url else Path(what).resolve()
        total, failures = validate(program, given.directory, path)
        others = [each for each in failures if not CONTRADICTION.search(each)]
        found += len(others)
        print(f"{path.name}: {total}; beside InvoiceId {len(others)}")
        print("".join(f"  {each}\n" for each in others), end="")
    return bool(found)


def installed(python: str, directory: Path) -> Path:
    """The validator's program. It reads currency_codes.csv below its own package, from where it is
    started: the package is linked there."""
    home = directory / "environment"
    if not (home / "bin" / "focus-validator").exists():
        subprocess.run([python, "-m", "venv", str(home)], check=True)
        subprocess.run([home / "bin" / "pip", "install", "--quiet", *PACKAGES], check=True)
    [package] = home.glob("lib/python3*/site-packages/focus_validator")
    link = directory / "focus_validator"
    if not link.exists():
        link.symlink_to(package)
    return home / "bin" / "focus-validator"


def fetched(given: argparse.Namespace, month: str) -> Path:
    address = f"{given.url}/api/v1/allocations/{month}.focus.csv"
    request = Request(address, headers={"Authorization": f"Bearer {given.token}"})
    path: Path = given.directory / f"{month}.focus.csv"
    with urlopen(request) as answer, path.open("wb") as file:
        while piece := answer.read(1 << 20):
            file.write(piece)
    return path


def validate(program: Path, directory: Path, path: Path) -> tuple[str, list[str]]:
    """The line of totals, and what fails."""
    done = subprocess.run(
        [
            *(program, "--data-file", path, "--validate-version", "1.2", "--block-download"),
            *("--focus-dataset", "CostAndUsage", "--show-violations"),
            *("--applicability-criteria", ",".join(CRITERIA)),
        ],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )
    totals = re.search(r"^Total: .*$", done.stdout, re.MULTILINE)
    if totals is None:
        raise SystemExit(f"focus-validator gave no result: {done.stdout[-2000:]}{done.stderr}")
    failures = re.findall(r"^- (\S+: violations=.*)$", done.stdout, re.MULTILINE)
    return totals[0], failures


if __name__ == "__main__":
    sys.exit(main())
