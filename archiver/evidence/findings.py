"""The findings and the result of `verify`."""

from dataclasses import dataclass, field
from typing import Literal

from msgspec import Struct

What = Literal[
    "missing_file", "changed_file", "changed_row", "rows", "reference", "database", "schema",
    "search_index", "leftover", "unsteady", "known_lost", "unchecked", "extra",
    "extract", "unreadable", "proof", "ledger", "rolled_back", "rebuilt", "foreign_key",
    "broken_token", "foreign_authority", "misplaced_token",
    "broken_certificate", "version",
]  # fmt: skip
_NO_DAMAGE = frozenset({
    "leftover", "unsteady", "known_lost", "unchecked", "extra", "extract", "unreadable",
})  # fmt: skip

BEYOND_REPAIR = frozenset({
    "proof", "rolled_back", "rebuilt", "foreign_key", "broken_token", "foreign_authority",
    "misplaced_token",
})  # fmt: skip
"""What no repair puts right, also not from a copy: somebody has to find out what happened."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that differs from what was stored, or that is worth reporting.

    Damage: `missing_file`, `changed_file` (its bytes do not have the hash in its name),
    `changed_row` (its columns do not have its hash), `rows` (a table has lost or gained rows),
    `reference` (a row refers to another that is missing), `database` (SQLite's own check),
    `schema` (an index, trigger, view or table differs from what the program makes),
    `search_index`, `proof` (a record is not what its source signed), `ledger` (an entry, a
    checkpoint or a row is not as the ledger says), `rolled_back` (a checkpoint that was kept
    elsewhere counts more entries than the ledger), `rebuilt` (one is of other entries),
    `foreign_key` (a checkpoint is signed by a key that the archive does not have on record, or the
    key that signs here is not that on record), `broken_token` (a time stamp is not as its authority
    signed it), `foreign_authority` (one is of an authority that is not trusted), `misplaced_token`
    (one is of something else than its checkpoint), `broken_certificate` (the certificate of a
    deletion is not as it was signed), `version` (a part of a tenant's database is not in the store
    of its fleet as it was put there).

    No damage: `leftover` (a file that no row refers to), `unsteady` (wrong at the first reading and
    right at the second), `known_lost` (a file that an earlier verify found lost), `unchecked` (what
    could not be checked this time), `extra` (what others added to the database, or a time stamp
    that only a copy of checkpoints has), `extract` (what an extract cannot prove), `unreadable` (a
    file that the system did not let us read, and may be intact).

    `subject` names the file, the row or the table.
    """

    what: What
    subject: str
    detail: str

    @property
    def is_damage(self) -> bool:
        """Whether something that was stored is lost or altered."""
        return self.what not in _NO_DAMAGE


class BadRow(Struct, frozen=True):
    """A row that does not match its hash: its table, and its primary key."""

    table: str
    key: tuple[object, ...]

    def __str__(self) -> str:
        return f"{self.table} {' / '.join(map(str, self.key))}"


@dataclass(slots=True)
class Verified:
    """The result of `verify`. `size` is the bytes that were read.

    `left` counts the files that were not read, because only a part was asked for; `is_slice` says
    that only some of the rows were. `proved` counts the versions of posts that their source signed,
    by the evidence that is kept of it.
    """

    files: int = 0
    size: int = 0
    rows: int = 0
    left: int = 0
    proved: int = 0
    is_extract: bool = False
    is_slice: bool = False
    findings: list[Finding] = field(default_factory=list)
    bad_rows: list[BadRow] = field(default_factory=list)

    @property
    def damage(self) -> list[Finding]:
        """The findings that are damage."""
        return [finding for finding in self.findings if finding.is_damage]

    @property
    def is_partial(self) -> bool:
        """Whether something was not read, so that nothing is known of it."""
        return bool(self.left or self.is_slice or self.unreadable)

    @property
    def unreadable(self) -> list[Finding]:
        """The files that could not be read, so that nothing is known of their bytes."""
        return [finding for finding in self.findings if finding.what == "unreadable"]

    @property
    def database_is_intact(self) -> bool:
        """Whether SQLite's own check found no error, so that the database may be written to."""
        return not any(finding.what == "database" for finding in self.findings)

    @property
    def may_be_written(self) -> bool:
        """Whether the database may be written to: no extract, and with an intact schema."""
        return (
            not self.is_extract
            and self.database_is_intact
            and not any(f.what == "schema" for f in self.findings)
        )
