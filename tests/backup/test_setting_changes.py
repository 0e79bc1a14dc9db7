"""Changed settings reach the files that wait or were skipped, before anything is scanned."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archiver.archive import media_settings
from archiver.backup import setting_changes
from archiver.backup.context import RunContext
from archiver.backup.database_thread import DatabaseThread
from archiver.backup.options import BackupOptions
from archiver.backup.setting_changes import apply_setting_changes
from archiver.binding import Size
from archiver.clock import DemoClock
from archiver.models import Attachment, Rendition
from archiver.report import NoProgress
from archiver.settings import MediaSettings
from support.saver import POST, Saver, saving

pytestmark = pytest.mark.anyio
VIDEO = Attachment(
    "video", "v1",
    renditions=(
        Rendition("variant", "https://a.example/1.mp4", bitrate=1),
        Rendition("variant", "https://a.example/2.mp4", bitrate=2),
    ),
)  # fmt: skip


class Notes(NoProgress):
    """A Progress that keeps its notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture
def saver(tmp_path: Path) -> Iterator[Saver]:
    with saving(tmp_path) as saver:
        saver.save(replace(POST, attachments=(VIDEO,)))
        yield saver


async def apply(saver: Saver, *, now: bool = False, **media: Any) -> list[str]:
    """What was noted while these settings were applied."""
    notes = Notes()
    run = RunContext(DatabaseThread(saver.connection), 1, DemoClock(), notes)
    await apply_setting_changes(
        run, [saver.account_id], MediaSettings(**media), BackupOptions(now=now)
    )
    return notes.notes


def states(saver: Saver) -> list[tuple[str, str | None]]:
    return saver.rows("SELECT state, setting FROM renditions ORDER BY url")


async def test_without_a_change_nothing_is_written(saver: Saver) -> None:
    before = saver.connection.total_changes
    assert await apply(saver) == []
    assert saver.connection.total_changes == before
    assert states(saver) == [("skipped", "best"), ("pending", None)]


async def test_files_that_another_setting_skipped_are_selected_again(saver: Saver) -> None:
    (note,) = await apply(saver, videos="all")
    assert "1 skipped files updated" in note
    assert states(saver) == [("pending", None), ("pending", None)]


async def test_files_of_other_accounts_are_left_alone(saver: Saver) -> None:
    saver.account_id += 1
    assert await apply(saver, videos="all") == []
    assert states(saver) == [("skipped", "best"), ("pending", None)]


async def test_over_many_files_it_is_said_how_far_it_is(
    saver: Saver, monkeypatch: pytest.MonkeyPatch
) -> None:
    saver.save(*(replace(POST, platform_id=str(n), attachments=(VIDEO,)) for n in range(4)))
    monkeypatch.setattr(media_settings, "BATCH", 1)
    monkeypatch.setattr(setting_changes, "_REPORT_EVERY", 2)
    notes = await apply(saver, videos="all")
    assert [note for note in notes if note.endswith("checked")] == [
        "A media setting has changed: 2 skipped files checked",
        "A media setting has changed: 4 skipped files checked",
    ]


async def test_files_that_were_too_large_wait_again_once_they_are_not(saver: Saver) -> None:
    saver.connection.execute(
        "UPDATE renditions SET state = 'refused', reason_code = 'too_large', setting = '1000'"
    )
    await apply(saver, max_size=Size(1_000))
    assert {state for state, _ in states(saver)} == {"refused"}
    await apply(saver, max_size=Size(1_001))
    assert {state for state, _ in states(saver)} == {"pending"}


async def test_failed_files_are_due_now_if_the_user_says_so(saver: Saver) -> None:
    saver.connection.execute("UPDATE renditions SET state = 'failed', next_try_at = '2099-01-01'")
    await apply(saver)
    assert saver.rows("SELECT DISTINCT next_try_at FROM renditions") == [("2099-01-01",)]
    await apply(saver, now=True)
    assert saver.rows("SELECT DISTINCT next_try_at FROM renditions") != [("2099-01-01",)]
