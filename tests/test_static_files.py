"""Browser files travel compressed and are kept by browsers until their content changes."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import time
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest
from django.conf import LazySettings
from django.test import Client
from pytest_django import Settings

from bench.system import System
from finops import static_files
from finops.static_version import static_version

OURS = Path(__file__).parent.parent / "static"
FOREVER = "max-age=315360000, public, immutable"


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("static") / "release"
    assert static_files.collect(directory)
    return directory


@pytest.fixture
def served(collected: Path, settings: Settings | LazySettings) -> None:
    """As a server that `manage.py prepare` has prepared."""
    settings.STATIC_ROOT, settings.WHITENOISE_USE_FINDERS = collected, False
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }


def files_of(page: str) -> list[str]:
    return re.findall(r'(?:src|href|data-plotly)="(/static/[^"]+)"', page)


@pytest.mark.usefixtures("served")
@pytest.mark.django_db
def test_what_pages_ask_for_is_compressed_and_never_asked_for_again(signed_in: Client) -> None:
    addresses = files_of(signed_in.get("/explore").text)
    assert any("plotly" in address for address in addresses)
    for address in addresses:
        assert re.search(r"\.[0-9a-f]{12}\.", address), address
        response = signed_in.get(address, headers={"Accept-Encoding": "gzip"})
        assert response.headers["Cache-Control"] == FOREVER
        assert response.headers["Content-Encoding"] == "gzip"
        plain = signed_in.get(address)
        assert "Content-Encoding" not in plain.headers
        assert gzip.decompress(response.getvalue()) == plain.getvalue()


@pytest.mark.usefixtures("served")
@pytest.mark.django_db
def test_the_browsable_document_finds_its_files(client: Client) -> None:
    addresses = files_of(client.get("/api/docs/").text)
    assert addresses
    assert {client.get(address).status_code for address in addresses} == {200}


def test_files_are_made_once_a_release(collected: Path) -> None:
    at = collected.stat().st_mtime_ns
    assert not static_files.collect(collected)
    assert collected.stat().st_mtime_ns == at


def test_a_changed_file_is_another_release(tmp_path: Path) -> None:
    ours = tmp_path / "static"
    shutil.copytree(OURS, ours)
    before = static_version(ours)
    assert before == static_version(OURS)
    with (ours / "css" / "base.css").open("a") as file:
        file.write("\n")
    assert static_version(ours) != before


def test_what_was_half_made_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "release.making").mkdir()
    (tmp_path / "release.making" / "half.css").touch()
    assert static_files.collect(tmp_path / "release")
    assert (tmp_path / "release" / "staticfiles.json").exists()
    assert not (tmp_path / "release" / "half.css").exists()
    assert not (tmp_path / "release.making").exists()


def test_the_release_before_this_is_kept_while_it_may_be_served(tmp_path: Path) -> None:
    for name, days in (("oldest", 9), ("former", 8), ("now", 0)):
        (tmp_path / name).mkdir()
        at = time.time() - days * 24 * 3600
        os.utime(tmp_path / name, (at, at))
    static_files.forget_others(tmp_path / "now")
    assert {each.name for each in tmp_path.iterdir()} == {"former", "now"}


def test_an_installation_sends_a_third_of_plotly(farthing: System) -> None:
    (manifest,) = Path(farthing.environment["FARTHING_DATA_DIR"]).glob("static/*/staticfiles.json")
    name = json.loads(manifest.read_text())["paths"]["plotly/plotly.min.js"]
    address = urljoin(farthing.url, f"/static/{name}")
    with httpx.stream("GET", address, headers={"Accept-Encoding": "gzip"}) as response:
        content = b"".join(response.iter_raw())
    assert response.headers["Content-Encoding"] == "gzip"
    assert response.headers["Cache-Control"] == FOREVER
    assert len(content) == int(response.headers["Content-Length"]) < 1_600_000
    assert len(gzip.decompress(content)) > 4_000_000
