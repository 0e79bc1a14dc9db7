"""`verify --repair`: restores what hashes prove.

A damaged file is moved to `quarantine/`, and the next backup downloads it again; its row keeps
the hash, so that only the same bytes recover it. Indexes, triggers and views are rebuilt;
foreign triggers on our tables are removed. Rows come back from a copy of the archive, if one is
given and the archive's checksums prove it right.
"""

import re
import sqlite3
from collections.abc import Collection, Iterable
from contextlib import ExitStack, suppress
from dataclasses import astuple, dataclass
from pathlib import Path

from archiver.archive.database import ROW_HASHED, transaction, writer
from archiver.archive.intact import accept_invalid_text, is_intact
from archiver.archive.ledger import LEDGER_TABLES
from archiver.archive.losses import mark_lost, mark_recovered
from archiver.archive.storage_totals import rebuild_totals
from archiver.errors import StorageError
from archiver.evidence.backup_copy import BackupCopy, open_backup_copy, refuse_unrelated_copy
from archiver.evidence.files import MediaRow, check_file, rows_of
from archiver.evidence.findings import BEYOND_REPAIR, Finding, Verified
from archiver.evidence.restore import restore_row, restore_table
from archiver.evidence.rows import read_row
from archiver.evidence.schema import check_schema, repair_schema
from archiver.media.folder_store import FolderStore
from archiver.media.store import StagedStore

_FILE_DAMAGE = {"missing_file", "changed_file"}
_NEEDS_MORE = {"changed_row", "rows", "reference", "ledger"} | BEYOND_REPAIR
_RECOMPUTED = "storage_totals"
"""The table that can be computed from the others."""
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII).fullmatch
_INDEX_MESSAGES = ("missing from index", "wrong # of entries in index", "non-unique entry in index")


@dataclass(slots=True)
class Repaired:
    """How much was repaired.

    `queued`: renditions to be downloaded again. `rows`: restored rows. `indexes`: rebuilt indexes.
    `schema`: indexes, triggers and views that were rebuilt or removed. `files`: files restored
    from a copy. `tables`: tables whose missing rows were restored from a copy. `versions`: those
    of a tenant's database that were put into the store of its fleet whole, in place of one that is
    damaged there.
    """

    queued: int = 0
    rows: int = 0
    indexes: int = 0
    schema: int = 0
    files: int = 0
    tables: int = 0
    versions: int = 0

    def __bool__(self) -> bool:
        return any(astuple(self))


def repair(
    directory: Path, found: Verified, now: str, copy: Path | None = None,
    store: StagedStore | None = None,
) -> Repaired:  # fmt: skip
    """Repair the findings as far as possible, with a copy also from that.

    `store` has the files, if they are not in the folder.

    A database with damaged pages is not written to. Where the schema cannot be repaired, nothing
    else is. Raises ArchiveLocked; UsageError for a copy of another archive; DamageFound for a copy
    that cannot be opened; StorageError, also where the whole media folder is missing.
    """
    _refuse_without_media(directory, found, store)
    repaired = Repaired()
    kinds = {finding.what for finding in found.findings}
    is_wanted = found.damage or (copy is not None and "known_lost" in kinds)
    if not is_wanted or not _may_be_written(found.findings):
        return repaired
    with ExitStack() as stack:
        backup_copy = stack.enter_context(open_backup_copy(copy, directory)) if copy else None
        connection = stack.enter_context(writer(directory, create=False, any_trigger=True))
        accept_invalid_text(connection)
        if copy and backup_copy:
            refuse_unrelated_copy(connection, backup_copy, copy)
        repaired.schema = repair_schema(connection)
        if any(finding.is_damage for finding in check_schema(connection)):
            return repaired
        _repair_indexes(connection, found, repaired)
        store = store or FolderStore(directory)
        if backup_copy:
            store.prepare()
            # the ledger first: the next entry is chained to its newest one, as that is then
            for tables in (LEDGER_TABLES, frozenset(ROW_HASHED) - LEDGER_TABLES):
                _restore_tables(connection, backup_copy, directory, found, repaired, tables)
                _restore_rows(connection, backup_copy, found, now, repaired, tables)
        _rebuild_search_index(connection, found, repaired)
        with transaction(connection):
            repaired.rows += rebuild_totals(connection)
        _repair_files(connection, backup_copy, store, found, now, repaired)
    return repaired


def _may_be_written(findings: Iterable[Finding]) -> bool:
    return all(
        any(words in finding.detail for words in _INDEX_MESSAGES)
        for finding in findings
        if finding.what == "database"
    )


def _repair_indexes(connection: sqlite3.Connection, found: Verified, repaired: Repaired) -> None:
    if not found.database_is_intact:
        with transaction(connection):
            connection.execute("REINDEX")
        repaired.indexes += 1


def _restore_tables(
    connection: sqlite3.Connection, copy: BackupCopy, directory: Path, found: Verified,
    repaired: Repaired, tables: Collection[str],
) -> None:  # fmt: skip
    """Before single rows: restoring one adds an event, which must not take the id of a lost row."""
    incomplete = {finding.subject for finding in found.findings if finding.what == "rows"}
    for table in ROW_HASHED:  # in an order in which rows come before what belongs to them
        if table in incomplete and table in tables:
            damaged = [bad.key for bad in found.bad_rows if bad.table == table]
            repaired.tables += restore_table(connection, copy, table, directory, damaged)


def _restore_rows(
    connection: sqlite3.Connection, copy: BackupCopy, found: Verified, now: str,
    repaired: Repaired, tables: Collection[str],
) -> None:  # fmt: skip
    for bad in found.bad_rows:
        if bad.table in tables:
            repaired.rows += restore_row(connection, bad, now, copy)


def _rebuild_search_index(
    connection: sqlite3.Connection, found: Verified, repaired: Repaired
) -> None:
    """Rebuild the search index where a trigger was missing, or rows were restored without it."""
    is_stale = repaired.schema or repaired.tables or repaired.rows
    if is_stale or any(finding.what == "search_index" for finding in found.findings):
        with suppress(sqlite3.DatabaseError), transaction(connection):  # the finding stays
            connection.execute("INSERT INTO posts_fts (posts_fts) VALUES ('rebuild')")
            repaired.indexes += 1


def _repair_files(
    connection: sqlite3.Connection, copy: BackupCopy | None, store: StagedStore, found: Verified,
    now: str, repaired: Repaired,
) -> None:  # fmt: skip
    for row in _suspect_files(connection, found):
        finding = check_file(store, row)
        if finding is None or finding.what not in _FILE_DAMAGE | {"known_lost"}:
            continue
        if copy and copy.restore_file(store, row):
            repaired.files += 1
            if row.lost_at is not None:
                with transaction(connection):
                    mark_recovered(connection, row.sha256, None, now)
        elif finding.what != "known_lost":
            if finding.what == "changed_file":
                store.quarantine(row.path)
            with transaction(connection):
                repaired.queued += mark_lost(connection, row.sha256, now)


def _suspect_files(connection: sqlite3.Connection, found: Verified) -> list[MediaRow]:
    """The files to check again: perhaps only their row was damaged, and is restored now.

    Those whose row is still damaged are left out: nothing says which file it means.
    """
    names = {
        Path(f.subject).stem for f in found.findings if f.what in _FILE_DAMAGE | {"known_lost"}
    }
    names |= {str(bad.key[0]) for bad in found.bad_rows if bad.table == "media"}
    return [
        row
        for row in rows_of(connection, (bytes.fromhex(n) for n in sorted(names) if _SHA256(n)))
        if (whole := read_row(connection, "media", (row.sha256,))) and is_intact("media", whole)
    ]


def can_repair(found: Verified) -> bool:
    """Whether `repair` can repair anything without a copy."""
    damage = found.damage
    if (
        found.is_extract
        or not _may_be_written(damage)
        or any(
            finding.what == "schema" and finding.subject.startswith("table ") for finding in damage
        )
    ):
        return False
    return any(
        finding.what not in _NEEDS_MORE or finding.subject.startswith(_RECOMPUTED)
        for finding in damage
    )


def _refuse_without_media(directory: Path, found: Verified, store: StagedStore | None) -> None:
    """Raise StorageError where there is no media at all, as without its disk or in a wrong bucket.

    Whoever knows that it is gone puts something there, of whatever name.
    """
    if not any(finding.what == "missing_file" for finding in found.findings):
        return
    media = directory / "media"
    if store is None or isinstance(store, FolderStore):
        is_there = media.is_dir() and any(media.iterdir())
        what, why = f"{media} is missing or empty", "Is its disk mounted, or was the folder moved?"
        gone = f"make {media / '00'}"
    else:
        is_there = any(True for _ in store.list())
        what, why = (
            "The object store has no media",
            "Are its address and its prefix the right ones?",
        )
        gone = "put an object media/00 there"
    if not is_there:
        raise StorageError(
            f"{what}: no file can be read",
            why=why,
            kept="Nothing was changed",
            hint=f"Put it in place and run this again. If it is gone for good, {gone} first; then "
            "all files are queued",
            code="no_media",
        )
