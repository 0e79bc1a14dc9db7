"""What `archiver verify` says of damage, and what to do about it."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from archiver.cli.text import safe, screen_width, styled, table, width_of, wrap

if TYPE_CHECKING:
    from archiver.evidence.findings import Finding, Verified
    from archiver.evidence.repair import Repaired


def listed(damage: "Sequence[Finding]", most: int) -> str:
    """The first findings as a table; where that would cut their words, one below the other.

    First of all comes what no repair puts right: of an archive that was rolled back, many rows are
    not as the ledger says too.
    """
    from archiver.evidence.findings import BEYOND_REPAIR

    damage = sorted(damage, key=lambda each: each.what not in BEYOND_REPAIR)[:most]
    rows = [(each.what, safe(each.subject), safe(each.detail)) for each in damage]
    widths = [max(map(width_of, column)) for column in zip(*rows, strict=True)]
    if sum(widths) + 4 <= screen_width():
        return table(rows, ["DAMAGE", "WHERE", "WHAT"])
    return "\n".join(_paragraph(*row) for row in rows)


def _paragraph(what: str, where: str, detail: str) -> str:
    text = wrap(f"{where}: {detail}", first=f"{what}  ", rest="    ")
    return styled(what, bold=True) + text.removeprefix(what)


def hint_for(result: "Verified", repaired: "Repaired", *, asked: bool, copy: Path | None) -> str:
    """The hint, by what is damaged and what was repaired."""
    from archiver.evidence.findings import BEYOND_REPAIR
    from archiver.evidence.repair import can_repair
    from archiver.evidence.restored import PUT_BACK

    if not asked and can_repair(result):
        return "Run archiver verify --repair, with --from and the folder of a copy if there is one"
    kinds = {finding.what for finding in result.damage}
    if kinds & BEYOND_REPAIR:
        lawful = "If you put an older copy back yourself, run archiver verify --accept-restore. "
        return (lawful if kinds & PUT_BACK else "") + (
            "Keep this folder and all copies as they are until you know what happened: no repair "
            "puts this right"
        )
    steps = []
    if repaired.queued:
        steps.append("Run archiver backup: it fetches the queued files again.")
    if not _is_repaired(result, repaired):
        steps.append(
            "Take archive.db from a copy that archiver verify finds intact."
            if copy or not result.database_is_intact
            else "Run archiver verify --repair --from the folder of a copy."
        )
    return " ".join(steps) or "Run archiver verify again: everything should be intact now"


def _is_repaired(result: "Verified", repaired: "Repaired") -> bool:
    """Whether everything but files is repaired, by the numbers."""
    count = Counter(finding.what for finding in result.damage)
    return (
        repaired.schema >= count["schema"]
        and repaired.rows >= len(result.bad_rows)
        and repaired.tables >= count["rows"]
        and repaired.indexes >= min(1, count["database"])
        and not count["ledger"]
        and (repaired.rows + repaired.tables > 0 or not count["reference"])
    )
