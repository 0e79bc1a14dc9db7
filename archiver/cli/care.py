"""Looking after the archive after a backup: what is due of `[care]`, and one summary of it."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from archiver.cli.failures import layout
from archiver.cli.shell import Shell
from archiver.cli.text import safe, wrap
from archiver.errors import ArchiveLocked, ArchiverError, DamageFound
from archiver.human import counted, size_text

if TYPE_CHECKING:
    from archiver.config import Config
    from archiver.unattended.care import CareResult

_PARTIAL = 3


def take_care(shell: Shell, config: "Config") -> "list[CareResult]":
    """Do what is due; nothing where another program writes to the archive."""
    from archiver.unattended.due_care import care_due_in

    now = datetime.now(UTC)
    parts = care_due_in(config, now)
    if not parts:
        return []
    from archiver.evidence.proofs import provers_among
    from archiver.models import time_text
    from archiver.unattended.care import Care, CareResult
    from archiver.unattended.care_log import CareEntry

    shell.say(f"Looking after the archive: {', '.join(parts)}")
    try:
        return list(Care(config, provers_among(shell.plugins().platforms)).take(parts))
    except ArchiveLocked:
        return []
    except ArchiverError as error:  # the archive cannot be opened for writing any more
        entry = CareEntry(parts[0], time_text(now), "failed", error_code=error.code)
        return [CareResult(entry, error=error, is_logged=False)]


def care_exit_code(results: "Sequence[CareResult]", run_code: int = 0) -> int:
    """The exit code of a run with this care after it: damage counts more than all else."""
    errors = [result.error for result in results if result.error is not None]
    if any(isinstance(error, DamageFound) for error in errors):
        return DamageFound.exit_code
    return run_code or (_PARTIAL if errors else 0)


def care_summary(results: "Sequence[CareResult]") -> str:
    """What was done in one paragraph, and what of it failed."""
    done = [text for result in results if (text := _text(result))]
    parts = [wrap(f"Care: {'; '.join(done)}.", rest="    ")] if done else []
    parts += [
        layout(result.error, f"{result.entry.what} of the archive")
        for result in results
        if result.error is not None
    ]
    return "\n".join(parts)


def care_json(results: "Sequence[CareResult]") -> list[dict[str, Any]]:
    """The same for programs."""
    return [asdict(result.entry) | {"left": result.left} for result in results]


def _text(result: "CareResult") -> str:
    return "" if result.entry.outcome == "failed" else ", ".join(_words(result))


def _words(result: "CareResult") -> Iterator[str]:
    entry = result.entry
    files = f"{counted(entry.files, 'file')} ({size_text(entry.bytes)})"
    if entry.what == "verify":
        yield f"{files} verified"
        yield f"{entry.damaged:,} damaged" if entry.damaged else "all intact"
    elif entry.what == "copy":
        yield f"{files} copied to {safe(entry.target or '')}"
    else:
        yield f"{counted(entry.files, 'thumbnail')} made"
    if result.left:
        yield f"{result.left:,} left for the next time"
