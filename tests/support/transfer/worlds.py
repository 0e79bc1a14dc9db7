"""A served world behind a fault server, and two archives of it: one suffers, one does not."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from archiver.report import RunReport
from support.nights import Nights, nights
from support.torture import oracle
from support.transfer.faultserver import FaultServer, fault_server

_SIGNED = re.compile(r"(https?://[^\s\"?]+)\?[^\s\"\\]*")

_HOST = re.compile(r"127\.0\.0\.\d+:\d+")

_ASKED = re.compile(r'"(?:lastUpdated|nextUpdate)":"[^"]*"')


class Behind:
    """A world, the fault server before it, the archive under test and the reference archive."""

    def __init__(self, folder: Path, world: Nights, faults: FaultServer) -> None:
        self.world = world
        self.faults = faults
        self.tested = folder / "tested"
        self.reference = folder / "reference"
        for place in (self.tested, self.reference):
            place.mkdir()
        world.base_url = f"{faults.origin}/api"
        world.origins = [faults.origin]

    def backup(self, **asked: Any) -> RunReport:
        """A backup into the archive under test."""
        self.world.folder = self.tested
        return self.world.backup(**asked)

    def backup_reference(self, **asked: Any) -> RunReport:
        """A backup into the reference archive."""
        self.world.folder = self.reference
        report = self.world.backup(**asked)
        self.world.folder = self.tested
        return report

    def difference(self, reference: oracle.Dump | None = None) -> str:
        """Where the two archives differ in what they hold; empty where they do not.

        `reference` is that of another world in which the same was published.
        """
        return oracle.difference(settled(self.tested), reference or settled(self.reference))

    def check_sound(self) -> None:
        """What holds after every run: no wrong bytes, nothing left, every absence explained."""
        self.world.folder = self.tested
        assert oracle.lies(self.world.directory) == []
        tmp = self.world.directory / "tmp"
        assert not tmp.exists() or list(tmp.iterdir()) == []
        query = "SELECT count(*) FROM renditions WHERE state <> 'stored' AND reason IS NULL"
        assert self.world.column(f"{query} AND state <> 'pending'") == [0]


def settled(place: Path) -> oracle.Dump:
    """The logical dump without what tells of the way: ports, signatures, hours of asking."""
    found = oracle.dump(place / "archive")
    found["gaps"] = [row for row in found["gaps"] if row[1] != "stories"]
    found["covered"] = [row[1:] for row in found["covered"]]  # accounts by number
    first_sight = "by its id only"
    found["events"] = [
        tuple(v for v in row if v not in {None, first_sight}) for row in found["events"]
    ]
    return {
        name: sorted((tuple(map(_unsigned, row)) for row in rows), key=repr)
        for name, rows in found.items()
    }


def _unsigned(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return _HOST.sub("host", _ASKED.sub("", _SIGNED.sub(r"\1", value)))


@contextmanager
def behind(folder: Path, *platforms: str, **options: Any) -> Iterator[Behind]:
    """A world behind a fault server, with these platforms in its config."""
    with (
        nights(folder, *platforms, **options) as world,
        fault_server(world.base_url.removesuffix("/api"), world.loop_time) as faults,
    ):
        yield Behind(folder, world, faults)
