"""Which release of the browser files this is: ours by content, other people's by version."""

from __future__ import annotations

import hashlib
from importlib import metadata
from pathlib import Path

PACKAGES = ("django", "django-htmx", "drf-spectacular-sidecar", "plotly", "whitenoise")
OURS = ("css", "img", "js")


def static_version(ours: Path) -> str:
    """Changes whenever a file below `ours` or one of the packages does."""
    digest = hashlib.sha256()
    for name in PACKAGES:
        digest.update(f"{name} {metadata.version(name)}\n".encode())
    for directory in OURS:
        for path in sorted((ours / directory).rglob("*.*")):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{path.relative_to(ours)} {content}\n".encode())
    return digest.hexdigest()[:16]
