"""What `archiver verify` says of what it found, and what to do about it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archiver.cli.text import safe, screen_width, styled, table, width_of, wrap
from archiver.human import counted, size_text

if TYPE_CHECKING:
    from archiver.cli.shell import Shell
    from archiver.evidence.findings import Finding, Verified
    from archiver.evidence.repair import Repaired

_MAX_FINDINGS = 50
_FOR_FILES_WITHOUT_ROWS = (
    "Files in media have no row. After a run that was killed, the next backup uses them again. "
    "Where archive.db was moved without its archive.db-wal, and nothing was saved since, move that "
    "file too; else archiver backup --full finds what is missing."
)


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


def hint_for(
    result: "Verified", repaired: "Repaired", *, asked: bool, copy: Path | None, arguments: str = ""
) -> str:
    """The hint, by what is damaged and what was repaired.

    `arguments` are what a command needs to work in the same archive, if it is a tenant's.
    """
    from archiver.evidence.findings import BEYOND_REPAIR
    from archiver.evidence.repair import can_repair
    from archiver.evidence.restored import PUT_BACK

    if not asked and can_repair(result):
        return (
            f"Run archiver verify {arguments}--repair, with --from and the folder of a copy if "
            "there is one"
        )
    kinds = {finding.what for finding in result.damage}
    if kinds & BEYOND_REPAIR:
        lawful = (
            "If you put an older copy back yourself, run "
            f"archiver verify {arguments}--accept-restore. "
        )
        return (lawful if kinds & PUT_BACK else "") + (
            "Keep this folder and all copies as they are until you know what happened: no repair "
            "puts this right"
        )
    steps = []
    if repaired.queued:
        command = "archiver fleet run TENANT" if arguments else "archiver backup"
        steps.append(f"Run {command}: it fetches the queued files again.")
    if not _is_repaired(result, repaired):
        steps.append(
            "Take archive.db from a copy that archiver verify finds intact."
            if copy or not result.database_is_intact
            else f"Run archiver verify {arguments}--repair --from the folder of a copy."
        )
    again = f"archiver verify {arguments}".strip()
    return " ".join(steps) or f"Run {again} again: everything should be intact now"


def _is_repaired(result: "Verified", repaired: "Repaired") -> bool:
    """Whether everything but files is repaired, by the numbers."""
    count = Counter(finding.what for finding in result.damage)
    return (
        repaired.schema >= count["schema"]
        and repaired.rows >= len(result.bad_rows)
        and repaired.tables >= count["rows"]
        and repaired.indexes >= min(1, count["database"])
        and repaired.versions >= min(1, count["version"])
        and not count["ledger"]
        and (repaired.rows + repaired.tables > 0 or not count["reference"])
    )


def print_findings(shell: "Shell", result: "Verified", repaired: "Repaired") -> None:
    """Print what was found and repaired, and how much was read."""
    from archiver.evidence.files import NO_ROW

    damage = result.damage
    if damage:
        shell.report(listed(damage, _MAX_FINDINGS), is_wrong=True)
        if len(damage) > _MAX_FINDINGS:
            shell.report(f"… and {len(damage) - _MAX_FINDINGS} more: see --json", is_wrong=True)
    others = [finding for finding in result.findings if not finding.is_damage]
    for finding in others:
        if finding.what in {"extract", "unsteady", "unchecked"} or shell.verbose:
            shell.say(f"{finding.what}: {safe(finding.subject)} ({safe(finding.detail)})")
    if any(finding.detail == NO_ROW for finding in others):
        shell.say(wrap(_FOR_FILES_WITHOUT_ROWS))
    _print_repaired(shell, repaired)
    is_wrong = bool(damage or result.unreadable)
    parts = [styled(f"{len(damage):,} damaged", "red")] if damage else []
    parts += [] if is_wrong else [styled("all intact", "green")]
    for what, words in (
        ("unreadable", "could not be read"), ("leftover", "leftover"),
        ("known_lost", "known as lost"),
    ):  # fmt: skip
        if count := sum(finding.what == what for finding in others):
            parts.append(f"{count:,} {words}")
    if result.proved:
        parts.append(f"{counted(result.proved, 'signature')} valid")
    if result.left:
        parts.append(f"{counted(result.left, 'file')} left for a later verify")
    shell.report(
        f"{counted(result.files, 'file')} ({size_text(result.size)}) and "
        f"{counted(result.rows, 'row')} read: " + ", ".join(parts),
        is_wrong=is_wrong,
    )


def _print_repaired(shell: "Shell", repaired: "Repaired") -> None:
    schema = counted(repaired.schema, "part")
    if repaired:
        shell.report(
            f"Repaired: {counted(repaired.queued, 'file')} queued to be fetched again, "
            f"{counted(repaired.rows, 'row')} restored, "
            f"{counted(repaired.indexes, 'index', 'indexes')} rebuilt"
            + (f", {schema} of the schema repaired" if repaired.schema else "")
            + (", the database put into the store whole." if repaired.versions else "."),
            is_wrong=True,
        )
    if repaired.files or repaired.tables:
        shell.report(
            f"From the copy: restored {counted(repaired.files, 'file')}, "
            f"and the missing rows of {counted(repaired.tables, 'table')}.",
            is_wrong=True,
        )


def findings_as_json(result: "Verified", repaired: "Repaired") -> dict[str, Any]:
    """The same for programs."""
    return {
        "files": result.files,
        "bytes": result.size,
        "rows": result.rows,
        "left": result.left,
        "proved": result.proved,
        "queued": repaired.queued,
        "repaired": asdict(repaired),
        "damage": [asdict(finding) for finding in result.damage],
        "leftovers": [asdict(f) for f in result.findings if f.what == "leftover"],
        "notes": [asdict(f) for f in result.findings if not f.is_damage and f.what != "leftover"],
    }
