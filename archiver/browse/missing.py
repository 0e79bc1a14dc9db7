"""The page of the missing files: by state, account and reason, newest first."""

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from archiver.browse.archives import Archive
from archiver.browse.cards import Card, cards
from archiver.browse.filters import Cursor
from archiver.browse.frame import COUNTING_MS, archive_of, ask, page
from archiver.browse.states import in_state
from archiver.browse.stream import ranges
from archiver.reasons import REASON_CODES

STATES = {
    "omitted": ("omitted", "The platform withholds these, for copyright or because of a flag."),
    "not_offered": ("not offered", "The source names these files, but does not give them."),
    "gone": ("gone", "The addresses of these files answer 404 or 410."),
    "failed": ("failed", "These could not be fetched, and will be tried again."),
    "refused": (
        "refused",
        "These were not fetched for safety: private address, plain http, or too large.",
    ),
    "pending": ("waiting", "The next run fetches these."),
}
"""The states of a missing file: label and explanation."""

_ABSENT = frozenset({"omitted", "not_offered", "gone", "refused"})
"""The states of which an index has the reasons."""

_ROWS = 50
_MOST_MERGED = 200

Groups = Counter[tuple[int, str, str]]
"""How many files, by account id, state and reason code (empty where none is indexed)."""


@dataclass(frozen=True)
class Wanted:
    """Which missing files to show. Empty: all."""

    state: str
    account: str = ""
    reason: str = ""

    def query(self, **changed: object) -> str:
        """The query of a URL of this page, with other values of some parameters."""
        asked = {"state": self.state, "account": self.account, "reason": self.reason, **changed}
        return "?" + urlencode({name: value for name, value in asked.items() if value})


@dataclass(frozen=True)
class MissingFiles:
    """One page of missing files, and the choices of other ones with their numbers."""

    wanted: Wanted
    total: int
    states: dict[str, int]
    accounts: dict[str, int]
    reasons: dict[str, int]
    rows: list[Mapping[str, Any]]
    older: Cursor | None
    is_first: bool


async def missing(datasette: Any, request: Any) -> Any:
    """Every missing file, with its reason."""
    archive = await archive_of(datasette, request)

    def question(connection: sqlite3.Connection) -> MissingFiles:
        groups = archive.tally.kept(
            connection, "missing", lambda: count_missing(connection, archive)
        )
        names = {row[0]: row[1] for row in connection.execute("SELECT id, name FROM accounts")}
        return missing_page(connection, archive, groups, names, request.args)

    found = await ask(datasette, archive, question, COUNTING_MS)
    context = {"missing": found, "labels": STATES, "reasons": REASON_CODES}
    return await page(datasette, request, archive, "missing", context)


def missing_page(
    connection: sqlite3.Connection,
    archive: Archive,
    groups: Groups,
    names: Mapping[int, str],
    args: Any,
) -> MissingFiles:
    """The page that the parameters of a URL ask for; `names` are those of the accounts, by id."""
    states: Counter[str] = Counter()
    for (_, state, _), count in groups.items():
        states[state] += count
    asked = args.get("state") or ""
    state = asked if asked in STATES else next((one for one in STATES if states[one]), "omitted")
    wanted = Wanted(state, args.get("account") or "", args.get("reason") or "")
    accounts, reasons, chosen = _choices(groups, names, wanted)
    start = _start(connection, args)
    found = _ids(connection, archive, wanted, chosen, start)
    last = found[_ROWS - 1] if len(found) > _ROWS else None
    return MissingFiles(
        wanted=wanted,
        total=sum(groups[account, state, reason] for account, reason in chosen),
        states={one: states[one] for one in STATES if states[one]},
        accounts=dict(sorted(accounts.items())),
        reasons={reason: count for reason, count in reasons.most_common() if reason},
        rows=_rows(connection, archive, [row["id"] for row in found[:_ROWS]]),
        older=Cursor(last["published_at"] or "", last["id"]) if last else None,
        is_first=start is None,
    )


def _choices(
    groups: Groups, names: Mapping[int, str], wanted: Wanted
) -> tuple[Counter[str], Counter[str], list[tuple[int, str]]]:
    """Files of the state by account and by reason, and the chosen pairs of account and reason."""
    accounts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    chosen = []
    for (account, state, reason), count in groups.items():
        if state != wanted.state:
            continue
        name = names.get(account, "")
        if wanted.reason in {"", reason}:
            accounts[name] += count
        if wanted.account in {"", name}:
            reasons[reason] += count
            if wanted.reason in {"", reason}:
                chosen.append((account, reason))
    return accounts, reasons, chosen


def count_missing(connection: sqlite3.Connection, archive: Archive) -> Groups:
    """How many files are missing; reasons only of the states that have an index of them."""
    if not archive.has("renditions", "account_id"):  # a published copy
        names = ", ".join(f"'{state}'" for state in STATES)
        query = f"""
            SELECT posts.account_id, state, coalesce(reason_code, ''), count(*) FROM renditions
              JOIN attachments ON attachments.id = attachment_id
              JOIN posts ON posts.id = attachments.post_id
             WHERE state IN ({names}) GROUP BY 1, 2, 3"""
        return _counter(connection.execute(query))
    found: Groups = Counter()
    for (account,) in connection.execute("SELECT id FROM accounts").fetchall():
        for state in sorted(_ABSENT):  # each is a range of its index
            rows = connection.execute(
                f"SELECT ?, '{state}', coalesce(reason_code, ''), count(*) FROM renditions "
                f"WHERE account_id = ? AND {in_state(state)} GROUP BY reason_code",
                (account, account),
            )
            found += _counter(rows)
    for state in ("pending", "failed"):  # the queue may be long, and has no index of reasons
        rows = connection.execute(
            f"SELECT account_id, '{state}', '', count(*) FROM renditions "
            f"WHERE state = '{state}' GROUP BY account_id"
        )
        found += _counter(rows)
    return found


def _counter(rows: sqlite3.Cursor) -> Groups:
    found: Groups = Counter()
    for account, state, reason, count in rows:
        found[account, state, reason] += count
    return found


def _start(connection: sqlite3.Connection, args: Any) -> Cursor | None:
    """Where the page begins: behind a cursor, or with the file that `file` names."""
    asked = args.get("file") or ""
    if re.fullmatch(r"[0-9]{1,18}", asked):
        row = connection.execute(
            "SELECT published_at FROM renditions WHERE id = ?", (int(asked),)
        ).fetchone()
        return Cursor(row[0] or "", int(asked) - 1) if row else None
    return Cursor.parse(args.get("before"))


def _ids(
    connection: sqlite3.Connection,
    archive: Archive,
    wanted: Wanted,
    groups: list[tuple[int, str]],
    start: Cursor | None,
) -> list[sqlite3.Row]:
    """Id and time of the files of a page, and of one more: the newest posts first."""
    found: list[sqlite3.Row] = []
    is_whole = not (wanted.account or wanted.reason)
    is_indexed = archive.has("renditions", "account_id") and len(groups) <= _MOST_MERGED
    for bounds, values in ranges(start, column="published_at"):
        if (left := _ROWS + 1 - len(found)) <= 0:
            break
        tail = f"ORDER BY published_at DESC, id LIMIT {left}"
        also = f" AND {bounds}" if bounds else ""
        if is_whole or not is_indexed:
            sql, parameters = _unmerged(wanted, groups, also, values, is_whole=is_whole)
        else:
            sql, parameters = _merged(wanted, groups, also, values, tail)
        if sql:
            found += connection.execute(f"{sql} {tail}", parameters)
    return found


def _unmerged(
    wanted: Wanted,
    groups: list[tuple[int, str]],
    bounds: str,
    values: list[object],
    *,
    is_whole: bool,
) -> tuple[str, list[object]]:
    """All files of a state in the order of its index, or those of them that are chosen."""
    sql = f"SELECT id, published_at FROM renditions WHERE {in_state(wanted.state)}{bounds}"
    if is_whole:
        return sql, values
    chosen = json.dumps([f"{account} {reason}" for account, reason in groups])
    return (
        f"""{sql} AND (SELECT account_id || ' ' || coalesce(reason_code, '') FROM attachments
              JOIN posts ON posts.id = post_id WHERE attachments.id = attachment_id)
            IN (SELECT value FROM json_each(?))""",
        [*values, chosen],
    )


def _merged(
    wanted: Wanted,
    groups: list[tuple[int, str]],
    bounds: str,
    values: list[object],
    tail: str,
) -> tuple[str, list[object]]:
    """The pages of every account and reason, merged: each is read from its index."""
    branches, parameters = [], list[object]()
    for account, reason in groups:
        condition, of_group = _of_group(wanted.state, account, reason)
        branches.append(
            f"SELECT * FROM (SELECT id, published_at FROM renditions "
            f"WHERE {condition}{bounds} {tail})"
        )
        parameters += [*of_group, *values]
    union = " UNION ALL ".join(branches)
    return (f"SELECT id, published_at FROM ({union})" if union else ""), parameters


def _of_group(state: str, account: int, reason: str) -> tuple[str, list[object]]:
    if state not in _ABSENT:  # its index is of that state alone
        return f"account_id = ? AND state = '{state}'", [account]
    if not reason:
        return f"account_id = ? AND {in_state(state)} AND reason_code IS NULL", [account]
    return f"account_id = ? AND {in_state(state)} AND reason_code = ?", [account, reason]


def _rows(
    connection: sqlite3.Connection, archive: Archive, renditions: list[int]
) -> list[Mapping[str, Any]]:
    """These renditions with their posts and attachments, in this order."""
    found = connection.execute(
        """SELECT renditions.*, attachments.post_id, attachments.kind AS attachment_kind,
                  attachments.position
             FROM renditions JOIN attachments ON attachments.id = attachment_id
            WHERE renditions.id IN (SELECT value FROM json_each(?))""",
        (json.dumps(renditions),),
    ).fetchall()
    files = {row["id"]: dict(row) for row in found}
    posts = {row["post_id"] for row in found}
    by_post = {card.id: card for card in cards(connection, sorted(posts))}
    return [
        _row(files[one], by_post[files[one]["post_id"]], archive)
        for one in renditions
        if one in files
    ]


def _row(file: dict[str, Any], card: Card, archive: Archive) -> Mapping[str, Any]:
    every = (*card.items, *card.detached)
    item = next((one for one in every if one.id == file["attachment_id"]), None)
    url = file["url"] if archive.has("renditions", "url") else None
    return {
        "file": {"tries": None, "next_try_at": None, **file, "url": url},
        "card": card,
        "item": item,
    }
