"""Asks whether a locked dependency has a known vulnerability: `make audit`.

Exit code 1 names those that have one. Where the database of vulnerabilities is not to be had it
says so and ends well: a build that is cut off from the Internet is no worse for it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-bench.lock")
# By itself, because it would bring more packages than Farthing has.
PIP_AUDIT = "pip-audit~=2.9"
NOT_AUDITED = "NOT AUDITED"


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="farthing-audit-") as made:
        venv.create(made, with_pip=True)
        python = str(Path(made) / "bin" / "python")
        quiet = ("--quiet", "--disable-pip-version-check")
        installed = subprocess.run([python, "-m", "pip", *quiet, "install", PIP_AUDIT])
        if installed.returncode:
            print(f"{NOT_AUDITED}: pip-audit cannot be installed here.")
            return 0
        return max(audit(python, lock) for lock in LOCKS)


def audit(python: str, lock: str) -> int:
    command = [python, "-m", "pip_audit", "--requirement", str(ROOT / lock), "--require-hashes"]
    command += ["--disable-pip", "--format", "json", "--progress-spinner", "off"]
    done = subprocess.run(command, capture_output=True, text=True)
    try:
        dependencies = json.loads(done.stdout)["dependencies"]
    except ValueError:
        reason = (done.stderr.strip() or "no reason given").splitlines()[-1]
        print(f"{lock}: {NOT_AUDITED}: {reason[:300]}")
        return 0
    code, text = verdict(dependencies)
    print(f"{lock}: {text}")
    return code


def verdict(dependencies: list[dict[str, Any]]) -> tuple[int, str]:
    """The exit code and what to say; what the database does not know counts as not audited."""
    found = [
        f"{each['name']} {each['version']}: {flaw['id']}, mended in "
        + (", ".join(flaw["fix_versions"]) or "no version yet")
        for each in dependencies
        for flaw in each.get("vulns", ())
    ]
    skipped = sum("skip_reason" in each for each in dependencies)
    if found:
        return 1, "\n  ".join(["known vulnerabilities:", *found])
    if skipped == len(dependencies):
        return 0, f"{NOT_AUDITED}: the database of vulnerabilities is not to be had here."
    rest = f" {NOT_AUDITED}: {skipped} that the database does not know." if skipped else ""
    return 0, f"no known vulnerability in {len(dependencies) - skipped} packages.{rest}"


if __name__ == "__main__":
    sys.exit(main())
