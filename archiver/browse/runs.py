"""The page of the runs and of the care for the archive, with gaps and every account's coverage."""

import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from datasette.utils.asgi import NotFound

from archiver.browse.archives import Archive
from archiver.browse.filters import Cursor
from archiver.browse.frame import COUNTING_MS, archive_of, ask, page
from archiver.browse.home import collect

_RUNS = 50
_CARE = 20


async def runs(datasette: Any, request: Any) -> Any:
    """What each run added or changed, the newest care, gaps, and the coverage of every account."""
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
            "home": collect(connection, archive, now),
            "gaps": gaps,
            "care": _care_rows(connection, archive),
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


def _care_rows(connection: sqlite3.Connection, archive: Archive) -> list[dict[str, Any]]:
    """The newest verifies, copies and makings of thumbnails."""
    if not archive.has("care", "error_code"):
        return []
    query = f"SELECT * FROM care ORDER BY id DESC LIMIT {_CARE}"
    return [dict(row) for row in connection.execute(query)]
