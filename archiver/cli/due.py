"""What `status` says of posts that are due by the rules of retention."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from archiver.cli.shell import Shell
from archiver.cli.text import table

if TYPE_CHECKING:
    import sqlite3

    from archiver.retention.rules import DueCount
    from archiver.settings import RetentionRule


def counts_of_due(
    connection: "sqlite3.Connection", rules: "Sequence[RetentionRule]", now: datetime
) -> "Sequence[DueCount]":
    """How many posts are due by each rule; nothing is counted where there is no rule."""
    if not rules:
        return ()
    from archiver.retention.rules import due_counts

    return list(due_counts(connection, rules, now))


def due_lines(shell: Shell, counts: "Sequence[DueCount]") -> str:
    """The rules by which posts are due that are not held; empty where there are none."""
    rows = [
        (each.rule.name, f"{each.free:,}", f"{each.held:,}" if each.held else "", each.rule.action)
        for each in counts if each.free
    ]  # fmt: skip
    if not rows:
        return ""
    found = table(rows, ["RULE", "DUE", "HELD", "THEN"], right=[1, 2], spare=[2])
    more = shell.command_line("retention --posts")
    return f"Posts that are due by retention rules:\n{found}\nEach of them: {more}"


def due_json(counts: "Sequence[DueCount]") -> list[dict[str, Any]]:
    """The same for programs, with all rules."""
    return [
        {"rule": each.rule.name, "action": each.rule.action, "due": each.free, "held": each.held}
        for each in counts
    ]
