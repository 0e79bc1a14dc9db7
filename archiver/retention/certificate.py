"""The certificate of a deletion: what was erased, on whose word, and what could not be.

It has no content of what was erased, and no hash that could be compared with a guess.
"""

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from archiver.archive.checkpoints import Checkpoint, origin
from archiver.canonical import canonical_json
from archiver.retention.erased_rows import ErasedRows
from archiver.version import version

FORMAT = 1


class Seal(Protocol):
    """Signs what an erasure leaves."""

    def certificate(self, data: bytes, /) -> dict[str, str]:
        """The fields `signed_by` and `signature` of a certificate; or `not_signed`: why not."""

    def checkpoint(self, made: Checkpoint, /) -> str:
        """The note of a checkpoint, as `checkpoints.Sign`."""


MakeSeal = Callable[[], Seal]
"""Makes the seal once there is something to sign, and no sooner: it may make the first key."""


class Unsigned:
    """The seal where nothing is there to sign with."""

    def certificate(self, _: bytes, /) -> dict[str, str]:
        """See `Seal`."""
        return {"not_signed": "There was no key to sign it with"}

    def checkpoint(self, made: Checkpoint, /) -> str:
        """See `Seal`."""
        return made.text


CANNOT_BE_ERASED = (
    "What other posts say about the erased ones (answers, quotes, shares) stays in their records",
    "What people wrote on record: words and reasons of holds, notes of reviews, selections of "
    "exports, and the basis of erasures",
    "Copies and exports that were made outside archiver, and what a file system or a disk keeps of "
    "deleted files: snapshots, free blocks, worn-out cells",
)
_LABELS = (
    "The labels of accounts, by which the config names them, and the names of packages that were "
    "imported"
)
_PROOFS = (
    "Signed proofs of the source that hold other posts too: each has the key of its record, which "
    "says when it was made, and an unsalted hash of what was erased, which can be compared with a "
    "guess"
)


@dataclass(frozen=True, slots=True)
class DeletionRecord:
    """A certificate that is being made, as the rows are erased."""

    fields: dict[str, Any]

    def with_erased(self, erased: ErasedRows, sums: dict[str, float] | None) -> str:
        """The text, once the rows are erased."""
        commitments = [
            {"entry": part.entry, "ledger_row": part.ledger_row, "table": part.table,
             "items": list(part.items)}
            for part in erased.blanked
        ]  # fmt: skip
        found = self.fields | {
            "rows": {table: count for table, count in sorted(erased.counts.items()) if count},
            "files": {"deleted": erased.files, "bytes": erased.bytes,
                      "kept_since_others_use_them": erased.shared},
            "answers": {"rewritten": erased.rewritten, "emptied": erased.emptied,
                        "readdressed": erased.readdressed},
            "commitments": commitments,
        }  # fmt: skip
        if erased.profiles:
            found["profiles"] = erased.profiles
            found["not_erased"] = [*found["not_erased"], _LABELS]
        if sums is not None:
            found["sums_of_last_metrics"] = sums
        return _text(found)


def begin_certificate(
    connection: sqlite3.Connection, erasure_id: int, who: str, now: str
) -> DeletionRecord:
    """A certificate of what is about to be erased; in the transaction that erases it."""
    query = "SELECT kind, basis, requested_at, requested_by, count FROM erasures WHERE id = ?"
    kind, basis, requested_at, requested_by, count = connection.execute(
        query, (erasure_id,)
    ).fetchone()
    query = "SELECT size, root FROM checkpoints ORDER BY id DESC LIMIT 1"
    size, root = connection.execute(query).fetchone() or (0, "")
    (entries,) = connection.execute("SELECT count(*) FROM ledger").fetchone()
    return DeletionRecord(
        {
            "format": FORMAT, "archive": origin(connection), "id": erasure_id, "kind": kind,
            "basis": basis, "requested_at": requested_at, "requested_by": requested_by,
            "approved_at": now, "approved_by": who, "posts": count,
            "holds_checked": "no post was under legal hold", "ledger_entry": entries + 1,
            "checkpoint_before": {"size": size, "root": root},
            "not_erased": [*CANNOT_BE_ERASED, *_proofs(connection, erasure_id)],
            "program": f"archiver {version()}",
        }
    )  # fmt: skip


def finish_certificate(
    connection: sqlite3.Connection, text: str | None, after: Checkpoint | None, now: str, seal: Seal
) -> str:
    """The text, once files and free pages are removed too; `after` is the checkpoint since then.

    `seal` signs its canonical JSON.
    """
    if after is None:
        query = "SELECT size, root FROM checkpoints ORDER BY id DESC LIMIT 1"
        size, root = connection.execute(query).fetchone()
    else:
        size, root = after.size, after.root
    found = json.loads(text or "{}") | {
        "executed_at": now,
        "cleaned": "files, thumbnails, search index, free pages, write-ahead log, "
                   "copies of the database from before upgrades",
        "checkpoint_after": {"size": size, "root": root},
        "known_copies": known_copies(connection),
    }  # fmt: skip
    return _text(found | seal.certificate(canonical_json(found)))


def known_copies(connection: sqlite3.Connection) -> list[dict[str, str]]:
    """The folders that archiver has copied the archive to, when last, and what erases there."""
    query = """
        SELECT target, max(finished_at) FROM care
         WHERE what = 'copy' AND target IS NOT NULL AND outcome <> 'failed'
         GROUP BY target ORDER BY target
    """
    return [
        {"folder": target, "last_copied_at": at, "erased_by": f"archiver copy {target}"}
        for target, at in connection.execute(query)
    ]


def sums_of_metrics(connection: sqlite3.Connection, post_ids: Sequence[int]) -> dict[str, float]:
    """The newest values of all metrics of these posts, added up by name."""
    query = """
        SELECT name, sum(value) FROM (
            SELECT name, value, max(seen_at) FROM metrics
             WHERE post_id IN (SELECT value FROM json_each(?)) AND attachment_id = 0
             GROUP BY post_id, name)
         GROUP BY name ORDER BY name
    """
    return dict(connection.execute(query, (json.dumps(list(post_ids)),)).fetchall())


def _proofs(connection: sqlite3.Connection, erasure_id: int) -> list[str]:
    """What is said of signed proofs, where the accounts of the posts have any that are kept.

    Those of an account whose last posts go are erased.
    """
    query = """
        WITH chosen AS (
            SELECT value AS id FROM erasures, json_each(posts) WHERE erasures.id = ?)
        SELECT 1 FROM responses WHERE body IS NOT NULL AND headers LIKE '%vnd.ipld.car%'
           AND account_id IN (SELECT account_id FROM posts WHERE id IN (SELECT id FROM chosen))
           AND account_id IN (SELECT account_id FROM posts WHERE id NOT IN (SELECT id FROM chosen))
         LIMIT 1
    """
    return [_PROOFS] if connection.execute(query, (erasure_id,)).fetchone() else []


def _text(fields: dict[str, Any]) -> str:
    return canonical_json(fields).decode()
