"""A changed media setting reaches files that were skipped before, in batches, reading no record."""

from pathlib import Path
from typing import Any

import pytest

from archiver.archive import media_settings
from archiver.backup.account_reader import AccountReader
from archiver.report import NoProgress
from archiver_ayrshare.demo.specs import video
from support.nights import Nights, nights

STATES = "SELECT state, setting, count(*) FROM renditions GROUP BY 1, 2 ORDER BY 1, 2"


def of_videos(world: Nights, count: int) -> None:
    for number in range(count):
        world.account("twitter").publish(f"Look {number}", media=[video()])


def read_nothing(*_: Any) -> Any:
    raise AssertionError("a record was read")


@pytest.mark.parametrize("batch", [1, 2, 500])
def test_skipped_files_are_selected_again_batch_by_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(media_settings, "BATCH", batch)
    with nights(tmp_path, "twitter") as world:
        of_videos(world, 3)
        world.settings["media"] = 'videos = "none"'
        world.backup()
        skipped = world.column(
            "SELECT count(*) FROM renditions WHERE setting = 'none'"
        )[0]  # fmt: skip
        assert skipped >= 3
        world.settings["media"] = 'videos = "best"'
        world.next_night(0.001)
        with monkeypatch.context() as patch:
            patch.setattr(AccountReader, "read", read_nothing)
            world.backup(now=False, media=False)
        states = world.query(STATES)
        assert not [row for row in states if row[1] == "none"]
        assert sum(row[2] for row in states if row[0] == "pending") == 3, states


def test_what_was_applied_before_a_run_was_stopped_stays_and_the_next_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media_settings, "BATCH", 2)
    apply = media_settings.apply_batch
    calls = 0

    def stop_at_the_second(*given: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise KeyboardInterrupt
        return apply(*given)

    with nights(tmp_path, "twitter") as world:
        of_videos(world, 4)
        world.settings["media"] = 'videos = "none"'
        world.backup()
        world.settings["media"] = ""
        with monkeypatch.context() as patch:
            patch.setattr("archiver.backup.setting_changes.apply_batch", stop_at_the_second)
            with pytest.raises(KeyboardInterrupt):
                world.backup()
        left = "SELECT count(*) FROM renditions WHERE setting = 'none'"
        before = world.column(left)[0]
        assert before > 0
        assert world.column("SELECT count(*) FROM renditions WHERE state = 'pending'")[0] > 0
        world.next_night()
        world.backup()
        assert world.column(left) == [0]


def test_its_progress_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notes: list[str] = []
    monkeypatch.setattr(NoProgress, "note", lambda _self, text: notes.append(text))
    monkeypatch.setattr("archiver.backup.setting_changes._REPORT_EVERY", 2)
    monkeypatch.setattr(media_settings, "BATCH", 2)
    with nights(tmp_path, "twitter") as world:
        of_videos(world, 4)
        world.settings["media"] = 'videos = "none"'
        world.backup()
        world.settings["media"] = ""
        world.next_night()
        world.backup()
    assert any("skipped files checked" in note for note in notes)
    assert any("skipped files updated" in note for note in notes)
