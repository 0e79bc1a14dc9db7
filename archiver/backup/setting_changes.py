"""Applying settings that have changed since the last run to waiting and skipped files.

This is done before the scans, in batches: a run that is stopped keeps what was applied, and the
next one continues.
"""

from collections.abc import Collection

from archiver.archive import queue
from archiver.archive.media_settings import apply_batch, outdated_settings
from archiver.backup.context import RunContext
from archiver.backup.options import BackupOptions
from archiver.backup.wanted_files import choose_by
from archiver.media.selection import left_out_setting
from archiver.settings import MediaSettings

_REPORT_EVERY = 20_000
"""Files between two progress notes."""


async def apply_setting_changes(
    run: RunContext, account_ids: Collection[int], media: MediaSettings, options: BackupOptions
) -> None:
    """Update the queue to the current settings, and for `--now`."""
    accounts = frozenset(account_ids)
    await _select_again(run, accounts, media)
    await run.database.call(queue.retry_too_large, accounts, media.max_size)
    if options.now:
        await run.database.call(queue.retry_now, accounts, run.now())


async def _select_again(run: RunContext, accounts: Collection[int], media: MediaSettings) -> None:
    """Select again among files that were skipped for a setting that has changed."""
    current = {
        "setting_videos": media.videos,
        "setting_thumbnails": str(media.thumbnails).lower(),
        "setting_leave_out": left_out_setting(media.leave_out),
    }
    select = choose_by(media)
    checked = changed = reported = 0
    for outdated in await run.database.call(outdated_settings, current):
        after = 0
        while batch := await run.database.call(apply_batch, accounts, outdated, after, select):
            after = batch.last_id
            checked += batch.rows
            changed += batch.changed
            if checked - reported >= _REPORT_EVERY:
                reported = checked
                run.progress.note(f"A media setting has changed: {checked:,} skipped files checked")
    if changed:
        run.progress.note(f"A media setting has changed: {changed:,} skipped files updated")
