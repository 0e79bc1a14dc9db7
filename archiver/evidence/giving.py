"""What follows a run: its checkpoint is given away and stamped, and its time stamps given away."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from archiver.archive.database import reader
from archiver.clock import Clock
from archiver.config import Config
from archiver.errors import ArchiverError
from archiver.evidence.checkpoint_copies import deliver
from archiver.evidence.signed_heads import signed_heads
from archiver.evidence.stamping import stamp_newest
from archiver.net.proxy import Route


@dataclass(slots=True)
class Given:
    """How many time stamps the archive got, and sentences on what failed.

    All that failed is tried again after the next run.
    """

    stamps: int = 0
    problems: list[str] = field(default_factory=list)


def give_away(config: Config, route: Route, clock: Clock, *, with_stamps: bool = True) -> Given:
    """Give the newest checkpoint to its copies, have it stamped, and give them the time stamps.

    The checkpoint is given first: authorities may take their time.
    """
    given = Given()
    failed = _deliver(config, given)
    if with_stamps:
        given.problems += _stamp(config, route, clock, given)
    if given.stamps:
        _deliver(config, given, without=failed)
    return given


def _deliver(config: Config, given: Given, without: Collection[str] = ()) -> list[str]:
    """Give the copies what they lack, but for some; returns those that could not be given all."""
    targets: list[str] = [each for each in config.evidence.checkpoint_copies if each not in without]
    if not targets:
        return []
    try:
        with reader(config.archive.directory) as connection:
            deliveries = deliver(connection, targets, signed_heads(config))
    except ArchiverError as error:
        given.problems.append(f"Checkpoints were not given to their copies: {error}")
        return targets
    failed = [delivery for delivery in deliveries if delivery.error is not None]
    given.problems += [
        f"A checkpoint was not given to {each.target}: {each.error}" for each in failed
    ]
    return [delivery.target for delivery in failed]


def _stamp(config: Config, route: Route, clock: Clock, given: Given) -> Iterator[str]:
    """Ask the time stamp authorities; sentences on what did not come."""
    try:
        for stamping in stamp_newest(config, route, clock):
            if stamping.error is None:
                given.stamps += 1
            else:
                yield f"The checkpoint was not stamped by {stamping.authority}: {stamping.error}"
    except ArchiverError as error:
        yield f"The checkpoint was not stamped: {error}"
