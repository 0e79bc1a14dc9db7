"""Nights full of random faults, and one archive that lived through them beside one that did not.

The world is the same for both. However the nights went, after the last clean ones the two must
say the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st

from archiver_ayrshare.demo.specs import photo, video
from support.transfer import behaviours as b
from support.transfer.faultserver import Behaviour
from support.transfer.worlds import Behind, behind, settled
from transfer.test_api_faults import CASES

PLATFORMS = ("threads", "instagram", "twitter")
API_FAULTS: dict[str, Behaviour] = {
    name: behaviour
    for name, (behaviour, _) in CASES.items()
    if name not in {"bomb", "endless", "endless chunks", "silence", "silence in the body",
                    "interim answers for ever", *b.NO_BYTES}
}  # fmt: skip
MEDIA_FAULTS: dict[str, Behaviour] = {
    "short": b.short_with_length, "no length": b.short_without_length, "more": b.more_than_length,
    "gzip": b.gzipped, "gzip cut": b.gzip_cut, "html": b.in_place(b.HTML), "empty": b.in_place(b""),
    "chunks": b.chunks_broken_off, "reset": b.reset_at_once, "half": b.reset_after(0.5),
    "none": b.no_answer, "401": b.status(401), "403": b.status(403), "429": b.status(429),
    "500": b.status(500), "503": b.status(503, retry_after="1"), "lost": b.redirect("{self}"),
    "inside": b.redirect("http://10.0.0.1/"), "part": b.part_unasked,
    "garbage": b.raw(b"\0\r\n\r\n"),
    "headers": b.large_header,
}  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """One fault of one night: where, which, and for how many requests (None: all night)."""

    part: str
    name: str
    times: int | None

    @property
    def behaviour(self) -> Behaviour:
        return (API_FAULTS if self.part.startswith("/api/") else MEDIA_FAULTS)[self.name]


_API_PARTS = ["/api/", "/api/user", *(f"/api/history/{platform}" for platform in PLATFORMS)]
_times = st.sampled_from([1, 2, 5, None])
faults = st.one_of(
    st.builds(Fault, st.sampled_from(_API_PARTS), st.sampled_from(sorted(API_FAULTS)), _times),
    st.builds(Fault, st.sampled_from([".jpg", ".mp4", "."]), st.sampled_from(sorted(MEDIA_FAULTS)),
              _times),
)  # fmt: skip
schedules = st.lists(st.lists(faults, min_size=1, max_size=3), min_size=1, max_size=3)
Schedule = Sequence[Sequence[Fault]]


def live_through(folder: Path, schedule: Schedule) -> str:
    """Where the two archives differ in the end; empty where they do not."""
    with behind(folder, *PLATFORMS) as world:
        for night, troubles in enumerate(schedule):
            _publish(world, night)
            assert world.backup_reference().exit_code == 0
            for fault in troubles:
                world.faults.rule(fault.part, fault.behaviour, times=fault.times)
            assert world.backup().exit_code in {0, 3, 4, 5}
            world.check_sound()
            world.faults.clear()
            world.world.next_night()
        for _ in range(2):
            assert world.backup_reference(full=True, now=True).exit_code == 0
            assert world.backup(full=True, now=True).exit_code == 0
            world.world.next_night()
        world.check_sound()
        return world.difference()


def _publish(world: Behind, night: int) -> None:
    for platform in PLATFORMS:
        account = world.world.account(platform)
        account.publish(f"Good morning {night}", media=[photo(), photo()])
        account.publish(f"A film, {night}", media=[video()])


__all__ = ["Fault", "Schedule", "live_through", "schedules", "settled"]
