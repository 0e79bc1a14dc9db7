"""Erasing posts in two steps: planned, with an undo, and then carried out for good.

The rows go in one transaction, together with what the ledger held of them. Then files, thumbnails
and free pages are removed; whatever is interrupted there is done again by the next call.
"""

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NoReturn

from archiver.archive.blanking import blanked_json
from archiver.archive.checkpoints import add_checkpoint
from archiver.archive.holds import matters_of_posts
from archiver.archive.row_objects import objects
from archiver.archive.rows import insert, update_row
from archiver.archive.transactions import transaction
from archiver.errors import UsageError
from archiver.human import counted
from archiver.retention.certificate import (
    MakeSeal,
    Unsigned,
    begin_certificate,
    finish_certificate,
    sums_of_metrics,
)
from archiver.retention.cleaning import clean
from archiver.retention.erased_rows import erase_posts

ErasureKind = Literal["erasure", "disposal"]
RemoveFiles = Callable[[sqlite3.Connection], None]
"""Removes files that no row names from a store beside the folder; it may be called again."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """One erasure, as the table has it; `posts` are row ids as JSON."""

    id: int
    state: str
    kind: str
    basis: str
    requested_at: str
    requested_by: str
    decided_at: str | None
    decided_by: str | None
    reason: str | None
    posts: str | None
    count: int
    keeps_metrics: int
    certificate: str | None

    @property
    def post_ids(self) -> list[int]:
        """The posts that are to be erased; none once they are."""
        return list(json.loads(self.posts or "[]"))


def erasures(connection: sqlite3.Connection) -> list[Erasure]:
    """All erasures, in the order in which they were planned."""
    columns = ", ".join(Erasure.__dataclass_fields__)
    return list(objects(connection.execute(f"SELECT {columns} FROM erasures ORDER BY id"), Erasure))


def erasure_of(connection: sqlite3.Connection, erasure_id: int) -> Erasure:
    """The erasure of a number. Raises UsageError where there is none."""
    for found in erasures(connection):
        if found.id == erasure_id:
            return found
    raise UsageError(
        f"There is no erasure {erasure_id}", hint="archiver erase --list lists those that there are"
    )


def erasures_in(connection: sqlite3.Connection) -> int:
    """A number that grows when rows are erased, and again when their free pages are gone too.

    So of two copies of an archive with the same number, one has nothing that the other erased.
    """
    query = "SELECT 1 FROM sqlite_master WHERE name = 'erasures'"
    if connection.execute(query).fetchone() is None:
        return 0  # a database from before anything could be erased
    begun, done = connection.execute(
        "SELECT count(*) FILTER (WHERE state IN ('running', 'done')),"
        " count(*) FILTER (WHERE state = 'done') FROM erasures"
    ).fetchone()
    return int(begun + done)


def plan_erasure(
    connection: sqlite3.Connection, post_ids: Sequence[int], basis: str, who: str, now: str, *,
    kind: ErasureKind = "erasure", keeps_metrics: bool = False,
) -> Erasure:  # fmt: skip
    """Plan to erase posts; nothing is erased yet.

    Raises UsageError where there is no post, or one is held: that is on record then.
    """
    if not post_ids:
        raise UsageError("No post matches", kept="Nothing was erased")
    if not basis.strip():
        raise UsageError("An erasure needs a basis, such as the article of a law")
    held = _held(connection, post_ids)
    columns = {"decided_at": now, "decided_by": who, "reason": held} if held else {}
    with transaction(connection):
        erasure_id = insert(
            connection, "erasures", state="refused" if held else "planned", kind=kind,
            basis=basis.strip(), requested_at=now, requested_by=who,
            posts=json.dumps(list(post_ids)), count=len(post_ids),
            keeps_metrics=int(keeps_metrics), **columns,
        )  # fmt: skip
    if held:
        _refuse(held)
    return erasure_of(connection, erasure_id)


def withdraw_erasure(connection: sqlite3.Connection, erasure_id: int, who: str, now: str) -> None:
    """Undo the plan of an erasure. Raises UsageError where it is carried out, or is no plan."""
    found = erasure_of(connection, erasure_id)
    if found.state != "planned":
        raise UsageError(
            f"Erasure {erasure_id} cannot be undone: it is {found.state}",
            why="Only what is planned can be undone",
        )
    with transaction(connection):
        update_row(
            connection, "erasures", erasure_id, state="withdrawn", decided_at=now, decided_by=who
        )


def carry_out(
    connection: sqlite3.Connection, directory: Path, erasure_id: int, who: str, now: str,
    make_seal: MakeSeal = Unsigned, remove_files: RemoveFiles | None = None,
) -> Erasure:  # fmt: skip
    """Carry out a planned erasure, or go on with one that was interrupted; under the lock.

    What `make_seal` makes signs the certificate, and the checkpoints before and after it.
    `remove_files` is for media that do not lie in the folder.
    Raises UsageError for a plan that was withdrawn or refused, and where a post is held now: that
    is on record then. StorageError, sqlite3.Error where files or free pages could not be removed;
    then it has to be called again.
    """
    found = erasure_of(connection, erasure_id)
    if found.state not in {"planned", "running"}:
        raise UsageError(
            f"Erasure {erasure_id} is {found.state}", hint="Plan another one with archiver erase"
        )
    if found.state == "planned":
        _erase_rows(connection, found, who, now)
    if remove_files is not None:
        remove_files(connection)
    clean(connection, directory)
    seal = make_seal()
    with transaction(connection):
        after = add_checkpoint(connection, now, sign=seal.checkpoint)
        text = finish_certificate(
            connection, erasure_of(connection, erasure_id).certificate, after, now, seal
        )
        update_row(connection, "erasures", erasure_id, state="done", certificate=text)
    add_checkpoint(connection, now, sign=seal.checkpoint)
    return erasure_of(connection, erasure_id)


def _erase_rows(connection: sqlite3.Connection, found: Erasure, who: str, now: str) -> None:
    """Erase the rows, in one transaction with the check of holds: a hold always wins."""
    post_ids = found.post_ids
    with transaction(connection):
        held = _held(connection, post_ids)
        if held:
            update_row(
                connection, "erasures", found.id, state="refused", decided_at=now, decided_by=who,
                reason=held,
            )  # fmt: skip
        else:
            sums = sums_of_metrics(connection, post_ids) if found.keeps_metrics else None
            certificate = begin_certificate(connection, found.id, who, now)
            erased = erase_posts(connection, post_ids, found.id, now)
            update_row(
                connection, "erasures", found.id, state="running", decided_at=now, decided_by=who,
                posts=None, blanked=blanked_json(erased.blanked),
                certificate=certificate.with_erased(erased, sums),
            )  # fmt: skip
    if held:
        _refuse(held)


def _held(connection: sqlite3.Connection, post_ids: Sequence[int]) -> str | None:
    """Which of the posts are held, in words; None where all are free."""
    found = matters_of_posts(connection, post_ids)
    if not found:
        return None
    matters = dict.fromkeys(matter for each in found.values() for matter in each)
    return f"{counted(len(found), 'post')} under legal hold for {', '.join(matters)}"


def _refuse(held: str) -> NoReturn:
    raise UsageError(
        f"Nothing was erased: {held}",
        why="What is held is neither erased nor disposed of; the attempt is on record",
        hint="archiver hold list shows the holds",
    )
