"""Which release of the browser files this is: ours by content, other people's by version."""

from __future__ import annotations

import hashlib
from importlib import metadata
from importlib.util import find_spec
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


def folder_of(package: str) -> Path:
    """Where a package lies, without importing it: every process reads the settings, and Plotly
    takes 7 MB. Raises ModuleNotFoundError."""
    found = find_spec(package)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(f"{package} is not installed.")
    return Path(found.origin).parent
