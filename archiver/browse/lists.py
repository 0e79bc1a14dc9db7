"""Two pages: the missing files with their reasons, and the runs with the coverage."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from datasette.utils.asgi import NotFound

from archiver.browse.archives import Archive
from archiver.browse.cards import cards
from archiver.browse.filters import Cursor
from archiver.browse.frame import COUNTING_MS, archive_of, ask, page
from archiver.browse.home import collect, count_in_state
from archiver.browse.states import in_state

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

_ROWS = 50
_RUNS = 50


@dataclass(frozen=True)
class MissingFiles:
    """One page of missing files."""

    counts: dict[str, str]  # by state; 10,000+ where there are more
    state: str
    rows: list[Mapping[str, Any]]
    older: Cursor | None


async def missing(datasette: Any, request: Any) -> Any:
    """Every missing file, by state, with its reason."""
    archive = await archive_of(datasette, request)
    asked = request.args.get("state") or ""
    cursor = Cursor.parse(request.args.get("before"))

    def question(connection: sqlite3.Connection) -> MissingFiles:
        counts = {state: count for state in STATES if (count := count_in_state(connection, state))}
        state = asked if asked in STATES else next(iter(counts), "omitted")
        rows, older = _missing_rows(connection, archive, state, cursor)
        return MissingFiles(counts, state, rows, older)

    found = await ask(datasette, archive, question)
    context = {"missing": found, "states": STATES, "is_first": cursor is None}
    return await page(datasette, request, archive, "missing", context)


def _missing_rows(
    connection: sqlite3.Connection, archive: Archive, state: str, cursor: Cursor | None
) -> tuple[list[Mapping[str, Any]], Cursor | None]:
    """Newest posts first where an index has that order, else in the order of the rows."""
    by_time = state in {"pending", "failed"}
    where, values = "", list[object]()
    if cursor and by_time:
        where = "AND published_at <= ? AND (published_at < ? OR id > ?)"
        values = [cursor.created_at, cursor.created_at, cursor.id]
    elif cursor:
        where, values = "AND id < ?", [cursor.id]
    order = "published_at DESC, id" if by_time else "id DESC"
    found = connection.execute(
        f"SELECT id, published_at FROM renditions WHERE {in_state(state)} {where} "
        f"ORDER BY {order} LIMIT {_ROWS + 1}",
        values,
    ).fetchall()
    chosen = found[:_ROWS]
    rows = [_missing_row(connection, archive, row["id"]) for row in chosen]
    last = chosen[-1] if len(found) > _ROWS else None
    return rows, Cursor(last["published_at"] or "", last["id"]) if last else None


def _missing_row(
    connection: sqlite3.Connection, archive: Archive, rendition: int
) -> Mapping[str, Any]:
    row = connection.execute(
        """SELECT renditions.*, attachments.post_id, attachments.kind AS attachment_kind,
                  attachments.position
             FROM renditions JOIN attachments ON attachments.id = attachment_id
            WHERE renditions.id = ?""",
        (rendition,),
    ).fetchone()
    (card,) = cards(connection, [row["post_id"]])
    item = next(
        (one for one in (*card.items, *card.detached) if one.id == row["attachment_id"]), None
    )
    shown = dict(row)
    if not archive.has("renditions", "url"):
        shown["url"] = None
    return {"file": shown, "card": card, "item": item}


async def runs(datasette: Any, request: Any) -> Any:
    """What each run added or changed, gaps, and the coverage of every account."""
    archive = await archive_of(datasette, request)
    if not archive.has("coverage"):  # a published copy
        raise NotFound("A published copy has no runs")
    before = Cursor.parse(request.args.get("before"))
    now = datetime.now(UTC)

    def question(connection: sqlite3.Connection) -> dict[str, Any]:
        shown = _run_rows(connection, archive, before)
        gaps = []
        if archive.has("gaps"):
            gaps = [dict(row) for row in connection.execute("SELECT * FROM gaps LIMIT 500")]
        return {
            "runs": shown[:_RUNS],
            "older": Cursor("", shown[_RUNS - 1]["id"]) if len(shown) > _RUNS else None,
            "home": collect(connection, archive, now, most_years=30),
            "gaps": gaps,
        }

    context = await ask(datasette, archive, question, COUNTING_MS)
    return await page(datasette, request, archive, "runs", context | {"now": now})


_COUNTS = (
    ("new", "new"), ("edited", "edited"), ("removed", "removed"), ("stored", "media"),
    ("omitted", "omitted"), ("failed", "failed"),
)  # fmt: skip


def _counts(row: Mapping[str, Any]) -> str:
    """What a run added or changed in one account, in words; empty for nothing."""
    return ", ".join(f"{row[name]:,} {label}" for name, label in _COUNTS if row[name])


def _run_rows(
    connection: sqlite3.Connection, archive: Archive, before: Cursor | None
) -> list[dict[str, Any]]:
    if not archive.has("runs", "outcome"):
        return []
    rows = connection.execute(
        f"SELECT * FROM runs WHERE id < ? ORDER BY id DESC LIMIT {_RUNS + 1}",
        (before.id if before else 2**62,),
    ).fetchall()
    found = [dict(row) for row in rows]
    for run in found[:_RUNS]:
        accounts = connection.execute(
            "SELECT * FROM run_accounts WHERE run_id = ? ORDER BY name", (run["id"],)
        )
        run["accounts"] = [dict(row) for row in accounts]
        run["changes"] = [(row["name"], text) for row in run["accounts"] if (text := _counts(row))]
        run["problems"] = [
            row for row in run["accounts"] if row["outcome"] not in {"done", "fresh", "running"}
        ]
    return found
