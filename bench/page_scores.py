"""Lighthouse on Overview and Explore with a million events: performance and accessibility.

    python bench/page_scores.py [--events 1000000] [--lighthouse node_modules/.bin/lighthouse]

Needs a Chromium or Chrome and Lighthouse 12 (`npm install lighthouse@12` in any directory), which
is no part of this repository. Fills an installation of its own as `bench/run.py` does, asks each
page as a phone (CPU four times slower, slow 4G, simulated) and as a desktop, and prints the scores.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench import dataset, pages, system  # noqa: E402
from bench.loading import generate  # noqa: E402
from bench.system import System  # noqa: E402

PAGES = {"Overview": "/", "Explore": "/explore"}
DEVICES: dict[str, tuple[str, ...]] = {"phone": (), "desktop": ("--preset=desktop",)}
MEASURES = {
    "first-contentful-paint": "FCP",
    "largest-contentful-paint": "LCP",
    "speed-index": "speed index",
    "total-blocking-time": "blocking",
    "cumulative-layout-shift": "shift",
}
# Chromium refuses to sandbox itself when it runs as root.
CHROME = "--headless=new --no-sandbox --disable-background-networking --disable-component-update"


def score(lighthouse: str, address: str, session: str, *options: str) -> dict[str, Any]:
    """Lighthouse's report of one page."""
    command = [
        *(lighthouse, address, *options, "--quiet", "--output=json", "--output-path=stdout"),
        "--only-categories=performance,accessibility",
        f"--extra-headers={json.dumps({'Cookie': f'sessionid={session}'})}",
        f"--chrome-flags={CHROME}",
    ]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    report: dict[str, Any] = json.loads(done.stdout)
    if report["finalDisplayedUrl"] != address:
        raise SystemExit(f"{address} led to {report['finalDisplayedUrl']}.")
    return report


def described(report: dict[str, Any]) -> str:
    scores = {name: round(found["score"] * 100) for name, found in report["categories"].items()}
    parts = [f"performance {scores['performance']}, accessibility {scores['accessibility']}"]
    parts += [f"{word} {report['audits'][name]['displayValue']}" for name, word in MEASURES.items()]
    return "; ".join(parts)


def fill(farthing: System, events: int) -> int:
    pages.create_administrator(farthing)
    key = farthing.manage("create_ingest_key", "bench")
    bodies = farthing.directory / "month"
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    written = dataset.write_month(bodies, events, today)
    generate(farthing.url, key, bodies, "--connections", "8")
    system.wait_until_rolled_up(farthing)
    return written


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--lighthouse", default="lighthouse", help="the command")
    given = parser.parse_args()
    with system.running(Path(tempfile.gettempdir()) / "farthing-bench.log") as farthing:
        print(f"{fill(farthing, given.events):,} events")
        with pages.signed_in(farthing) as http:
            session = http.cookies["sessionid"]
            for device, options in DEVICES.items():
                for name, path in PAGES.items():
                    report = score(given.lighthouse, farthing.url + path, session, *options)
                    print(f"{name}, {device}: {described(report)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
