"""What changed in a world is on record, in order."""

from archiver.clock import START
from archiver_ayrshare.demo.event_log import WorldEvent, WorldEventKind, WorldEventLog


def event(post: str, what: WorldEventKind, platform: str = "threads") -> WorldEvent:
    return WorldEvent(START, platform, "", post, what)


def test_events_are_found_by_post_and_by_kind() -> None:
    log = WorldEventLog()
    for each in (event("1", "published"), event("2", "published"), event("1", "edited"),
                 event("1", "removed", "twitter")):  # fmt: skip
        log.note(each)
    assert [each.what for each in log.of("threads", "1")] == ["published", "edited"]
    assert log.of("threads", "3") == []
    assert [each.post_id for each in log.of_kinds("published", "removed")] == ["1", "2", "1"]
    assert len(log.events) == 4
