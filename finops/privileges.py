"""Whom the embedded PostgreSQL runs as, and directories that only we may enter."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class NotOurs(Exception):
    """A directory cannot be used safely; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Account:
    """How to run a program: arguments to put before it and arguments for Popen."""

    uid: int
    gid: int
    prefix: tuple[str, ...] = ()
    popen: dict[str, Any] = field(default_factory=dict)

    def give(self, path: Path) -> None:
        """Hand a file of ours over to this account; nothing to do when it is our own."""
        if self.uid != os.geteuid():
            os.chown(path, self.uid, self.gid)


def private_directory(path: Path, owner: Account | None = None) -> None:
    """Make `path` with mode 0700, or accept one that is already its owner's alone.

    A name under /tmp can be taken by anybody first, so an existing directory has to be a real one
    (no link), owned by us or by `owner`, closed to everybody else. Raises NotOurs.
    """
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        pass
    except OSError as error:
        raise NotOurs(f"{path} cannot be made: {error.strerror}.") from None
    else:
        if owner:
            owner.give(path)
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode):
        raise NotOurs(f"{path} is no directory. Remove it, or set FARTHING_RUNTIME_DIR.")
    if status.st_uid != (owner.uid if owner else os.geteuid()):
        raise NotOurs(
            f"{path} belongs to {user_name(status.st_uid)}. Remove it, run as that user, or set "
            "FARTHING_RUNTIME_DIR to a directory of your own."
        )
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise NotOurs(f"{path} is open to other users. Run: chmod 700 {path}")


def user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def account_for(data: Path, program: Path) -> Account:
    """The account to run `program` as: ours, or for root, whom PostgreSQL refuses, another.

    Root's choice is the owner of `data`, so that an ordinary user's data stays theirs, else
    `nobody`. The way to the program and the data may lead through directories closed to that
    account (a clone below /root). They are left as they are; the process is instead given the one
    capability that lets it pass and read, or where a container withholds that one, the next.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    owner = data.stat() if data.exists() else None
    if owner and owner.st_uid != 0:
        uid, gid = owner.st_uid, owner.st_gid
    else:
        nobody = pwd.getpwnam("nobody")
        uid, gid = nobody.pw_uid, nobody.pw_gid
    accounts = [Account(uid, gid, popen={"user": uid, "group": gid, "extra_groups": []})]
    if setpriv := shutil.which("setpriv"):
        accounts[:0] = [
            Account(uid, gid, prefix=_with_capability(setpriv, uid, gid, capability))
            for capability in ("dac_read_search", "dac_override")
        ]
    for account in accounts:
        if _runs(account, program):
            return account
    raise NotOurs(
        f"PostgreSQL does not run as root, and {user_name(uid)} cannot reach {program}. Run "
        "Farthing as an ordinary user, or point DATABASE_URL at a PostgreSQL of your own."
    )


def _with_capability(setpriv: str, uid: int, gid: int, capability: str) -> tuple[str, ...]:
    only = f"-all,+{capability}"
    return (
        *(setpriv, f"--reuid={uid}", f"--regid={gid}", "--clear-groups", "--no-new-privs"),
        # Without this access(2), which initdb asks, denies what open(2) would grant.
        "--securebits=+no_setuid_fixup",
        *(f"--inh-caps={only}", f"--ambient-caps={only}", f"--bounding-set={only}", "--"),
    )


def _runs(account: Account, program: Path) -> bool:
    command = [*account.prefix, str(program), "--version"]
    try:
        return not subprocess.run(command, capture_output=True, cwd="/", **account.popen).returncode
    except OSError:
        return False
