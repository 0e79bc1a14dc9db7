"""Which care is due: what is wanted, and was not done for long enough."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from archiver.models import timestamp
from archiver.settings import CareSettings
from archiver.unattended.care_log import CareEntry, CareKind
from archiver.unattended.due_care import due_care

NOW = datetime(2026, 3, 2, 3, 17, tzinfo=UTC)
LONG = timedelta(hours=1)
TARGET = Path("/mnt/copy")
ALL = CareSettings(verify=LONG, copy_to=TARGET, thumbnails=LONG)


def entry(what: CareKind, hours_ago: float, outcome: str = "done") -> CareEntry:
    at = timestamp(NOW - timedelta(hours=hours_ago)) or ""
    target = str(TARGET) if what == "copy" else None
    return CareEntry(what, at, outcome, target=target)  # type: ignore[arg-type]  # one of them


def test_nothing_is_done_unless_the_config_wants_it() -> None:
    assert due_care(CareSettings(), [], NOW) == []
    assert due_care(ALL, [], NOW) == ["verify", "copy", "thumbnails"]


def test_each_part_has_its_rhythm() -> None:
    log = [entry("verify", 24), entry("copy", 24), entry("thumbnails", 20)]
    assert due_care(ALL, log, NOW) == ["verify"]
    log = [entry("verify", 1, "partial"), entry("copy", 24 * 7), entry("thumbnails", 24)]
    assert due_care(ALL, log, NOW) == ["copy", "thumbnails"]


def test_what_failed_is_tried_again_after_a_day_and_not_before() -> None:
    settings = CareSettings(copy_to=TARGET)
    assert due_care(settings, [entry("copy", 24 * 8), entry("copy", 2, "failed")], NOW) == []
    assert due_care(settings, [entry("copy", 24 * 8), entry("copy", 24, "failed")], NOW) == ["copy"]
    assert due_care(settings, [entry("copy", 24 * 3), entry("copy", 24, "failed")], NOW) == []


def test_a_copy_elsewhere_and_an_entry_of_a_wrong_clock_count_for_nothing() -> None:
    settings = CareSettings(copy_to=Path("/mnt/other"))
    assert due_care(settings, [entry("copy", 1)], NOW) == ["copy"]
    assert due_care(replace(ALL, copy_to=None, thumbnails=timedelta()),
                    [entry("verify", -9999)], NOW) == ["verify"]  # fmt: skip
