"""A served world, and runs of the program against it that are killed, failed and repeated."""

import compileall
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import IO, Any

from archiver.clock import DemoClock
from archiver_ayrshare.demo.world import World
from support.served_world import serve
from support.torture import oracle

TESTS = Path(__file__).parents[2]

_CONFIG = """
[archive]
directory = "disk/archive"

[ayrshare]
api_key = "file:{keys}/api-key"
base_url = "{base_url}"

[media]
connections = {connections}

[network]
allow = ["127.0.0.0/8"]
"""

_NO_QUOTA = 10**9  # the program slows down where one is nearly used up

NIGHT = timedelta(days=2)
"""What lies between two nights."""

ARCHIVE = Path("disk", "archive")
"""Where the archive of a place is."""

SERIAL = ("serial", "witness")
"""The patches by which a run can be counted; see `patches`."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended. `code` is negative for a signal; `maxrss` is in KiB."""

    code: int
    stdout: str
    stderr: str
    maxrss: int


@dataclass(frozen=True, slots=True)
class Scene:
    """A world to back up. `accounts` says how many posts each platform has.

    `page_cap` is how many records an answer has at most; `connections` how many files are fetched
    at once. With `later`, runs begin with an archive of a first night, after which each account
    has got so many more posts, and its newest old one was edited.
    """

    accounts: dict[str, int]
    page_cap: int
    connections: int = 1
    later: int = 0


TINY = Scene({"threads": 2}, page_cap=1)
"""Two pages and a file: every kind of call that there is, in a blink."""

SECOND_NIGHT = Scene({"threads": 2}, page_cap=1, later=3)
"""An archive that is there, and three pages of news."""

SMALL = Scene({"instagram": 3, "threads": 4}, page_cap=2)
"""A few pages and files, of two accounts."""

LARGE = Scene({"instagram": 62, "bluesky": 50}, page_cap=5, connections=4)
"""More than 20 pages and 200 files."""


class Zygote:
    """The process that forks our runs; see `zygote`."""

    def __init__(self) -> None:
        path = os.pathsep.join(filter(None, (str(TESTS), os.environ.get("PYTHONPATH"))))
        env = {
            **os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1",
            "XDG_STATE_HOME": "/dev/null",  # a thousand places are not to be remembered
        }  # fmt: skip
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("zygote.py"))],
            env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def ask(self, **job: Any) -> dict[str, Any]:
        """One job, answered."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        """End it."""
        self._process.communicate()


@dataclass(slots=True)
class Rig:
    """A world, its server's address, and where runs take place."""

    world: World
    base_url: str
    scene: Scene
    folder: Path
    zygote: Zygote
    base: Path | None = None
    reference: oracle.Dump = field(default_factory=dict)
    known_copies: dict[tuple[str, str, str], list[str]] = field(default_factory=dict)
    _number: int = 0
    _known: dict[str, list[str]] = field(default_factory=dict)

    def place(self, base: Path | None = None) -> Path:
        """A new folder with a config, a `disk/` for the archive and `notes/` of a run.

        With `base`, the archive is there already, as a copy; the scene may have one, too.
        """
        base = base or self.base
        self._number += 1
        place = self.folder / f"p{self._number}"
        (place / "notes").mkdir(parents=True)
        if base is None:
            (place / "disk").mkdir()
        else:
            shutil.copytree(base, place / "disk")
        for platform in self.scene.accounts:
            self.world.account(platform)
        text = _CONFIG.format(
            keys=self.folder, base_url=self.base_url, connections=self.scene.connections
        )
        text += "".join(
            f'\n[[accounts]]\nname = "my-{name}"\nplatform = "{name}"\n'
            for name in self.scene.accounts
        )
        (place / "archive.toml").write_text(text)
        return place

    @contextmanager
    def temporary_place(self, base: Path | None = None) -> Iterator[Path]:
        """A place that is gone afterwards."""
        place = self.place(base)
        try:
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def run(
        self, place: Path, *args: str, patches: Sequence[str] = (), strace: Sequence[str] = (),
        log: Path | None = None,
    ) -> Ended:  # fmt: skip
        """Run a command there to its end; with options for strace, under strace."""
        notes = place / "notes"
        pid = self.zygote.ask(
            do="start", args=list(args), cwd=str(place), notes=str(notes), patches=list(patches)
        )["pid"]
        tracer = _attach(pid, strace, log) if strace else None
        self.zygote.ask(do="go", pid=pid)
        ended = self.zygote.ask(do="wait", pid=pid)
        if tracer is not None:
            tracer.communicate()
        stdout, stderr = (notes / "stdout").read_text(), (notes / "stderr").read_text()
        return Ended(ended["code"], stdout, stderr, ended["maxrss"])

    def clean_run(self, place: Path) -> list[str]:
        """Run a backup without faults; what is wrong with its outcome, if anything."""
        for path in (place / "notes").iterdir():
            path.unlink()
        ended = self.run(place, "backup")
        if ended.code != 0:
            return [f"the next run ended with {ended.code}: {ended.stderr}"]
        found = self.compared(place)
        return found + [f"left behind: {path.name}" for path in place.glob("disk/archive/tmp/*")]

    def compared(self, place: Path) -> list[str]:
        """What is untrue in the archive, and where it is not what a run without faults makes."""
        archive = place / ARCHIVE
        try:
            difference = oracle.difference(oracle.dump(archive), self.reference)
        except sqlite3.DatabaseError as error:
            return [f"the database cannot be read: {error}"]
        return oracle.lies(archive) + ([f"not as without faults: {difference}"] * bool(difference))

    def good_run(self, keep: Path) -> Path:
        """Run a backup without faults, and keep what is then on its disk; returns `keep`."""
        with self.temporary_place() as place:
            ended = self.run(place, "backup")
            assert ended.code == 0, ended.stderr
            return (place / "disk").rename(keep)

    def verified(self, place: Path) -> list[str]:
        """What the program's own verify says of it now, where that is bad news."""
        ended = self.run(place, "verify")
        said = " ".join(ended.stderr.split())
        nothing_yet = ended.code == 6 and ("no archive" in said or "never finished" in said)
        if ended.code == 0 or nothing_yet:
            return []
        return [f"verify ended with {ended.code}: {ended.stdout}{ended.stderr}"]

    def after_fault(self, place: Path, promised: dict[str, int]) -> list[str]:
        """Everything that must hold once a run was broken off: findings, none if all is well.

        What was found for a state is remembered: many faults leave the same.
        """
        state, held = oracle.state(place / ARCHIVE)
        lost = oracle.losses(held, promised)
        if state not in self._known:
            self._known[state] = self.verified(place) + oracle.lies(place / ARCHIVE)
            self._known[state] += self.clean_run(place)
        return lost + self._known[state]


def _attach(pid: int, options: Sequence[str], log: Path | None) -> "subprocess.Popen[str]":
    """Start strace on a process that waits; returns when it is attached."""
    out = str(log) if log else os.devnull
    tracer = subprocess.Popen(
        ["strace", "-f", "-p", str(pid), "-o", out, *options], stderr=subprocess.PIPE, text=True
    )
    stderr: IO[str] | None = tracer.stderr
    assert stderr is not None
    said = stderr.readline()
    if "attached" not in said:
        tracer.kill()
        raise RuntimeError(f"strace could not attach itself: {said}{stderr.read()}")
    return tracer


@contextmanager
def rig(scene: Scene, folder: Path | None = None) -> Iterator[Rig]:
    """A world as the scene says, served; runs take place in memory where the system has a place."""
    _compile_modules()
    clock = DemoClock(datetime.now(UTC) - NIGHT)
    world = World(clock.now, cache=None)
    world.rate_limit_max = _NO_QUOTA
    for platform, count in scene.accounts.items():
        account = world.account(platform)
        account.populate(count)
        account.page_cap = scene.page_cap
    with serve(world) as server, _folder(folder) as where:
        key = where / "api-key"
        key.write_text(world.api_key)
        key.chmod(0o600)
        zygote = Zygote()
        try:
            made = Rig(world, server.base_url, scene, where, zygote)
            if scene.later:
                made.base = made.good_run(where / "base")
            clock.advance(seconds=NIGHT.total_seconds())
            if scene.later:
                _go_on(world, scene.later)
            made.reference = oracle.dump(made.good_run(where / "whole") / ARCHIVE.name)
            yield made
        finally:
            zygote.close()


@cache
def _compile_modules() -> None:
    """Compile all modules that runs load: where one is not, a run opens one file more.

    Runs do not compile them, but other tests may at any time; then the calls of a run that is
    killed were counted otherwise than those of the run that was recorded.
    """
    for folder in (TESTS.parent / "archiver", TESTS.parent / "plugins", TESTS / "support"):
        compileall.compile_dir(folder, quiet=2)


def _go_on(world: World, count: int) -> None:
    """What happens after the first night."""
    for account in world.accounts():
        account.posts()[0].edit(text="Edited since")
        account.populate(count, every=timedelta(hours=1), media=False)


@contextmanager
def _folder(folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        yield folder
        return
    memory = Path("/dev/shm")
    where = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="torture-", dir=where) as name, suppress(OSError):
        yield Path(name)
