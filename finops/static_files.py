"""Browser files as they are served: named by their content and compressed, made once a release.

gzip at its usual level makes Plotly's 4.8 MB 1.5 MB in a third of a second; brotli would save
another eighth of it, but takes 15 s for that at each new release.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from django.contrib.staticfiles.management.commands import collectstatic
from django.core.management import call_command
from whitenoise.storage import CompressedManifestStaticFilesStorage

# What packages carry and no page asks for.
UNUSED = (
    *("readme", "rest_framework", "redoc", "datasets", "templates", "widgetbundle.js"),
    *("ext", "htmax-*", "htmx-4*", "htmx-2.js", "django-htmx.js"),
)
# Another program may be in the middle of serving an older release; the last one before this is kept
# however old it is, because it is served for as long as nobody starts a newer one.
KEPT_SECONDS = 24 * 3600


def collect(to: Path) -> bool:
    """Fill the directory `to`, whose name is the release, unless it is there; whether it was not.

    It appears complete or not at all.
    """
    if to.exists():
        return False
    making = to.with_name(f"{to.name}.making")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    command = collectstatic.Command()
    command.storage = CompressedManifestStaticFilesStorage(location=str(making))
    call_command(
        command, interactive=False, verbosity=0, ignore_patterns=list(UNUSED), skip_checks=True
    )
    making.rename(to)
    forget_others(to)
    return True


def forget_others(current: Path) -> None:
    others = {other: other.stat().st_mtime for other in current.parent.iterdir()}
    del others[current]
    for other in sorted(others, key=others.__getitem__)[:-1]:
        if time.time() - others[other] > KEPT_SECONDS:
            shutil.rmtree(other, ignore_errors=True)
