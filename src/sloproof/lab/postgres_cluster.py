"""Makes a PostgreSQL data directory that lives as long as the lab, never as root."""

import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from sloproof.errors import PartFailed

_ACCOUNTS = ("postgres", "nobody")
_PATIENCE = 60.0
_UNNEEDED = shutil.ignore_patterns("include", "pkgconfig", "*.a")
_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    # A lab's data need not outlive the machine.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "60",
    "max_wal_size": "256MB",
    "log_checkpoints": "off",
    "jit": "off",
}


@dataclass(frozen=True, kw_only=True)
class PostgresCluster:
    """Where one PostgreSQL lives.

    Args:
        binary: the `postgres` program; `initdb` lies beside it.
        folder: the data directory; must not exist yet.
        user: account that it belongs to; empty for the caller's own.
    """

    binary: Path
    folder: Path
    user: str = ""

    def command(self, port: int) -> tuple[str, ...]:
        """What serves the data on a loopback port."""
        settings = {**_SETTINGS, "port": str(port), "hba_file": str(_access_file(self.folder))}
        return (str(self.binary), "-D", str(self.folder), *_options(settings))


def serving_account() -> str:
    """The account that PostgreSQL runs as: empty for the caller's own, unless that is root.

    Raises:
        PartFailed: the caller is root and the machine has no account to use instead.
    """
    if os.geteuid() != 0:
        return ""
    for name in _ACCOUNTS:
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise PartFailed(
        "PostgreSQL does not run as root, and this machine has neither the account `postgres` nor `nobody`",
        hint="run as another user, or add one: `useradd --system postgres`",
    )


def reachable(binary: Path, user: str, runtime: Path) -> Path:
    """The binary, copied into the runtime folder when the account could not reach it where it is.

    A wheel inside root's home is such a case: PostgreSQL runs as another user, who may not enter there.
    """
    binary = binary.resolve()
    if not user or all(stat.S_IMODE(parent.stat().st_mode) & stat.S_IXOTH for parent in binary.parents):
        return binary
    installed = binary.parent.parent
    libraries = _wheel_libraries(installed)
    top = libraries.parent if libraries else installed.parent
    copy = runtime / "postgres-program"
    for folder in (installed, libraries):
        if folder:
            shutil.copytree(folder, copy / folder.relative_to(top), symlinks=True, ignore=_UNNEEDED)
    _open_to_all(copy)
    return copy / binary.relative_to(top)


def _wheel_libraries(installed: Path) -> Path | None:
    """The folder beside a wheel's package that its programs load shared libraries from, by a relative path."""
    beside = (folder.with_name(f"{folder.name}.libs") for folder in (installed, installed.parent) if folder.name)
    return next((folder for folder in beside if folder.is_dir()), None)


def initialise(cluster: PostgresCluster, database: str, password: str) -> None:
    """Make the data directory with one database, owned by a role of the same name.

    Args:
        cluster: where.
        database: name of the database and of the role; a plain identifier.
        password: of that role, in characters that need no quoting; nobody else can log in.

    Raises:
        PartFailed: PostgreSQL's own tools failed; their last lines are in the message.
    """
    if not (database.isidentifier() and password.isalnum()):
        raise ValueError("the database must be an identifier and the password alphanumeric")
    cluster.folder.mkdir(mode=0o700)
    _access_file(cluster.folder).write_text(f"host {database} {database} 127.0.0.1/32 scram-sha-256\n")
    _access_file(cluster.folder).chmod(0o644)
    if cluster.user:
        shutil.chown(cluster.folder, cluster.user, pwd.getpwnam(cluster.user).pw_gid)
    initdb = cluster.binary.with_name("initdb")
    _run(cluster, [str(initdb), "-D", str(cluster.folder), *_INITDB], "")
    # Single-user mode: the role exists before anybody can connect, and its password is on no command line.
    statements = f"create role {database} login password '{password}';\ncreate database {database} owner {database};\n"
    _run(
        cluster, [str(cluster.binary), "--single", "-D", str(cluster.folder), "-c", "fsync=off", "postgres"], statements
    )


_INITDB = (
    "--username=postgres", "--auth=reject", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions",
)  # fmt: skip


class _Account(NamedTuple):
    uid: int | None
    gid: int | None
    groups: list[int] | None


def _run(cluster: PostgresCluster, command: Sequence[str], text: str) -> None:
    account = _account_of(cluster.user)
    try:
        done = subprocess.run(
            command,
            input=text,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            cwd=cluster.folder,
            env={"PATH": os.defpath, "LC_ALL": "C"},
            check=False,
            user=account.uid,
            group=account.gid,
            extra_groups=account.groups,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PartFailed(f"`{Path(command[0]).name}` did not finish: {error}") from error
    if done.returncode or "ERROR:" in done.stderr or "FATAL:" in done.stderr:
        last = "\n".join((done.stderr or done.stdout).strip().splitlines()[-5:])
        raise PartFailed(
            f"`{Path(command[0]).name}` ended with {done.returncode}:\n{last}", hint="see PostgreSQL's own message"
        )


def _account_of(user: str) -> _Account:
    if not user:
        return _Account(None, None, None)
    entry = pwd.getpwnam(user)
    return _Account(entry.pw_uid, entry.pw_gid, [])


def _access_file(folder: Path) -> Path:
    return folder.with_name("pg_hba.conf")


def _options(settings: Mapping[str, str]) -> list[str]:
    return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]


def _open_to_all(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(
                stat.S_IMODE(path.stat().st_mode) | (0o055 if path.is_dir() or os.access(path, os.X_OK) else 0o044)
            )
