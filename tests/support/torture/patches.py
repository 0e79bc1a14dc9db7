"""What is changed in the program under test, by name, in a child that runs it.

`serial` and `witness` make a run observable: one thread, so that the tracer's counters (which are
per thread) count the calls of the whole run; and a note for every commit that was acknowledged.
All others are mutants: the durability rules of the program, broken one at a time. A test of
durability that does not catch them is blind.
"""

import json
import os
import sqlite3
from collections.abc import Callable
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any

Patch = Callable[[str], None]

ACKS = "acks"
"""The file of notes: a JSON object a line, counts of what was committed by then."""

COUNTED = ("posts", "revisions", "media", "events")
"""Tables that only ever grow, so that a count says which rows were acknowledged."""

MUTANTS: dict[str, Patch] = {}
"""Name of each mutant, in the order of the table."""

SECOND_NIGHT = {"cursor before rows"}
"""Those that only show where there was an archive before: without, all is looked at anyway."""

_HELPERS: dict[str, Patch] = {}


def apply(name: str, notes: str) -> None:
    """Change the program in this process. `notes` is a folder outside of the archive."""
    (_HELPERS.get(name) or MUTANTS[name])(notes)


def _module(name: str) -> Any:
    """A module to change; what we do to it is no type checker's business."""
    return import_module(name)


def _helper(patch: Patch) -> Patch:
    _HELPERS[patch.__name__.strip("_").replace("_", " ")] = patch
    return patch


def _mutant(patch: Patch) -> Patch:
    MUTANTS[patch.__name__.strip("_").replace("_", " ")] = patch
    return patch


@_helper
def _serial(notes: str) -> None:
    """One thread: what the program hands to others is done at once."""
    import anyio

    store = _module("archiver.media.folder_store")

    async def at_once(function: Callable[..., Any], *args: Any, **_: Any) -> Any:
        await anyio.lowlevel.checkpoint()
        return function(*args)

    def one_by_one(sync: Any, paths: Any) -> None:
        for path in paths:
            sync(path)

    _module("anyio.to_thread").run_sync = at_once
    store._in_threads = one_by_one
    # what other programs write meanwhile must not decide which calls a run makes
    _module("archiver.media.file_system_sync").waiting_bytes = lambda: None


@_helper
def _at_once(notes: str) -> None:
    """Even a single file is synced by a sync of the whole file system."""
    whole = _module("archiver.media.file_system_sync")
    whole._LEAST_FILES = 1
    whole.waiting_bytes = lambda: 0
    whole._is_supported = lambda _: True


@_helper
def _witness(notes: str) -> None:
    """Note what is in the archive whenever a commit has returned."""
    descriptor = os.open(Path(notes, ACKS), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    counts = ", ".join(f"(SELECT count(*) FROM {table})" for table in COUNTED)

    def committed(connection: sqlite3.Connection) -> None:
        try:
            row = sqlite3.Connection.execute(connection, f"SELECT {counts}").fetchone()
        except sqlite3.OperationalError:
            return  # there are no tables yet
        line = json.dumps(dict(zip(COUNTED, row, strict=True))) + "\n"
        os.writev(descriptor, [line.encode()])

    _on_statement(after={"COMMIT": committed})


def _on_statement(
    before: dict[str, str] | None = None,
    after: dict[str, Callable[[sqlite3.Connection], None]] | None = None,
) -> None:
    """Let connections say another statement than asked for, or do something behind one."""
    connect = sqlite3.connect

    def connecting(*args: Any, **options: Any) -> sqlite3.Connection:
        base: Any = options.pop("factory", sqlite3.Connection)

        class Connection(base):  # type: ignore[misc]  # a class by platform  # whatever was patched before
            def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
                cursor: sqlite3.Cursor = super().execute((before or {}).get(sql, sql), *parameters)
                if after and sql in after:
                    after[sql](self)
                return cursor

        return connect(*args, factory=Connection, **options)

    sqlite3.connect = connecting  # type: ignore[assignment]  # for this process alone


def _nothing(*_: Any, **__: Any) -> None:
    pass


# -- mutants


@_mutant
def _no_fsync(notes: str) -> None:
    """Files are moved into place without being synced."""
    store = _module("archiver.media.folder_store")
    store.sync_file = _nothing


@_mutant
def _no_sync_at_once_of_bytes(notes: str) -> None:
    """Where the whole file system is synced, only names are."""
    _skip_sync_at_once(lambda number: number % 2 == 0)


@_mutant
def _no_sync_at_once_of_names(notes: str) -> None:
    """Where the whole file system is synced, only bytes are."""
    _skip_sync_at_once(lambda number: number % 2 == 1)


def _skip_sync_at_once(is_skipped: Callable[[int], bool]) -> None:
    _at_once("")
    whole = _module("archiver.media.file_system_sync")
    sync, numbers = whole._syncfs, count()

    def sometimes(descriptor: int) -> None:
        if not is_skipped(next(numbers)):
            sync(descriptor)

    whole._syncfs = sometimes


@_mutant
def _no_folder_fsync(notes: str) -> None:
    """Names of files are not synced."""
    store = _module("archiver.media.folder_store")
    store.sync_directory = _nothing


@_mutant
def _no_parent_fsync(notes: str) -> None:
    """Names of new folders are not synced."""
    disk = _module("archiver.media.disk")
    disk.sync_directory = _nothing


@_mutant
def _no_archive_fsync(notes: str) -> None:
    """The name of the archive folder itself is not synced."""
    lock = _module("archiver.archive.lock")
    lock.sync_directory = _nothing


@_mutant
def _row_before_file(notes: str) -> None:
    """Rows say stored before the files are."""
    queue, store = _module("archiver.archive.queue"), _module("archiver.media.folder_store")
    put, save = store.FolderStore.put, queue.save
    waiting: list[tuple[Any, Any]] = []

    def put_later(self: Any, downloads: Any) -> list[str]:
        waiting.append((self, downloads))
        return []

    def save_first(*args: Any) -> list[str]:
        states: list[str] = save(*args)
        while waiting:
            put(*waiting.pop())
        return states

    store.FolderStore.put = put_later
    queue.save = save_first


@_mutant
def _cursor_before_rows(notes: str) -> None:
    """The position moves in a transaction of its own, before the page that it covers is saved."""
    from archiver.archive.posts import PostWriter

    saver = _module("archiver.backup.page_saver")
    write = saver.PageSaver._write

    def cursor_first(self: Any, connection: Any, tracker: Any, page: Any, *parsed: Any) -> None:
        posts = parsed[0].shown
        with saver.transaction(connection):
            known = PostWriter(
                connection, self.account_id or 0, "", 0, parsed[1], ""
            ).known([post.platform_id for post in posts])  # fmt: skip
            decision = tracker.advance(page, posts, set(known))
            saver.save_decision(
                connection, self.account_id, parsed[1].source, decision, self.run.run_id
            )
        tracker.advance = lambda *_: _module("archiver.archive.coverage").Decision()
        write(self, connection, tracker, page, *parsed)
        del tracker.advance

    saver.PageSaver._write = cursor_first


@_mutant
def _a_page_in_pieces(notes: str) -> None:
    """Posts are committed before what hangs on them."""
    from archiver.archive.rows import Rows

    write = Rows.write

    def in_pieces(self: Any) -> None:
        self.ORDER = ("posts",)
        write(self)
        self._connection.execute("COMMIT")
        self._connection.execute("BEGIN IMMEDIATE")
        del self.ORDER
        write(self)

    Rows.write = in_pieces  # type: ignore[method-assign]  # on purpose


@_mutant
def _synchronous_normal(notes: str) -> None:
    """SQLite syncs its log only now and then."""
    _on_statement(before={"PRAGMA synchronous = FULL": "PRAGMA synchronous = NORMAL"})


@_mutant
def _synchronous_off(notes: str) -> None:
    """SQLite syncs nothing."""
    _on_statement(before={"PRAGMA synchronous = FULL": "PRAGMA synchronous = OFF"})


@_mutant
def _no_journal(notes: str) -> None:
    """SQLite writes in place, and remembers in memory only what was there."""
    _on_statement(before={"PRAGMA journal_mode = WAL": "PRAGMA journal_mode = MEMORY"})


@_mutant
def _rename_before_sync(notes: str) -> None:
    """A file has its final name before its bytes are on the disk."""
    store = _module("archiver.media.folder_store")
    in_threads = store._in_threads

    def put(self: Any, downloads: Any) -> Any:
        paths = {download.path for download in downloads}

        def but_these(sync: Any, todo: Any) -> None:
            in_threads(sync, [path for path in todo if path not in paths])

        store._in_threads = but_these
        damaged = real(self, downloads)
        names = [store.stored_path(each.sha256, each.extension) for each in downloads]
        in_threads(store.sync_file, [self.directory / name for name in names])
        return damaged

    real = store.FolderStore._put
    store.FolderStore._put = put


@_mutant
def _written_in_place(notes: str) -> None:
    """A file is copied into its final place instead of moved."""
    store = _module("archiver.media.folder_store")

    class Copied(type(Path())):  # type: ignore[misc]  # a class by platform
        def replace(self, target: Path) -> Path:
            data = self.read_bytes()
            with open(target, "wb", buffering=0) as file:  # noqa: PTH123 — two writes on purpose
                file.write(data[: len(data) // 2])
                file.write(data[len(data) // 2 :])
            self.unlink()
            return target

    put = store.FolderStore._put

    def copying(self: Any, downloads: Any) -> Any:
        from msgspec.structs import replace

        return put(self, [replace(each, path=Copied(each.path)) for each in downloads])

    store.FolderStore._put = copying


@_mutant
def _failed_sync_is_tried_again(notes: str) -> None:
    """A sync that failed is called again and then believed."""
    disk = _module("archiver.media.disk")
    sync = disk.sync

    def again(descriptor: int) -> None:
        try:
            sync(descriptor)
        except OSError:
            sync(descriptor)

    disk.sync = again
