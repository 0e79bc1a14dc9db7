"""`archiver report`: what the archive has to show to an auditor."""

from dataclasses import asdict
from datetime import datetime
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archiver.cli.shell import Shell, pass_shell, subcommand
from archiver.cli.text import safe, styled, table, wrap
from archiver.cli.values import Date
from archiver.errors import UsageError

if TYPE_CHECKING:
    from archiver.audit.audit_report import AuditReport
    from archiver.audit.report_tables import ReportTable


@subcommand(
    "report",
    short_help="Show an auditor what was captured, and how completely.",
    example="archiver report --html report.html\n"
    "archiver report council-facebook --since 2026 --until 2027 --json",
)
@click.argument("accounts", metavar="[ACCOUNT]...", nargs=-1)
@click.option("--since", type=Date(), metavar="DATE", help="From when on, in UTC.")
@click.option("--until", type=Date(), metavar="DATE", help="Before when, in UTC.")
@click.option(
    "--html", "page", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
    help="Write it as one page of HTML, to read and to print.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@pass_shell
def command(
    shell: Shell, accounts: tuple[str, ...], since: datetime | None, until: datetime | None,
    page: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Show what was captured and how completely, when, by which run, from which source.

    That is: coverage per account and source with every gap and its reason, what was asked and what
    came, runs and who made them, failures, files that are not there and why, verifies and copies,
    the ledger and its newest checkpoint, reviews, exports, settings and versions. Reads only, and
    needs no key.
    """
    from archiver.actors import actor
    from archiver.archive.database import reader
    from archiver.audit.audit_report import END_OF_TIME, AuditPeriod, audit_report
    from archiver.environment import environment
    from archiver.models import current_time, timestamp

    settings = shell.config().archive
    period = AuditPeriod(
        timestamp(since) or "" if since else "",
        timestamp(until) or "" if until else END_OF_TIME, accounts,
    )  # fmt: skip
    with reader(settings.directory) as connection:
        report = audit_report(connection, period)
    made_at = current_time()
    head = {
        "archive": settings.directory.resolve().name, "made_at": made_at,
        "made_by": actor(settings.actor), "program": f"archiver {environment()['archiver']}",
    }  # fmt: skip
    if page is not None:
        _write_page(page, report, head)
    if as_json:
        from archiver.audit.report_tables import LIMITS

        shell.json(head | asdict(report) | {"cannot_show": list(LIMITS)})
    elif page is None:
        shell.out(_text(report, head))
        page_line = shell.command_line("report --html report.html")
        shell.say(f"\nAll columns, settings and versions: {page_line}")
    else:
        shell.report(f"The report is in {safe(page)}.")


def _write_page(path: Path, report: "AuditReport", head: dict[str, Any]) -> None:
    """Write the page. Raises UsageError where that cannot be done."""
    from archiver.audit.report_page import report_page

    text = report_page(report, head["archive"], head["made_at"], head["made_by"], head["program"])
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written", why=error.strerror) from error


def _text(report: "AuditReport", head: dict[str, Any]) -> str:
    from archiver.audit.report_tables import LIMITS, report_tables

    parts = [
        wrap(
            f"Report of the archive {safe(head['archive'])} ({safe(report.archive_id)}), "
            f"{report.period}; made {head['made_at'][:16].replace('T', ' ')} UTC by "
            f"{safe(head['made_by'])} with {head['program']}"
        )
    ]
    for each in report_tables(report):
        if each.long:
            continue
        lines = [styled(f"{each.title}:", bold=True)]
        if each.rows:
            lines += _rows(each)
        else:
            lines.append(wrap(each.empty))
        if each.note:
            lines.append(wrap(each.note))
        parts.append("\n".join(lines))
    limits = [wrap(sentence, first="- ", rest="  ") for sentence in LIMITS]
    parts.append("\n".join([styled("What this report cannot show:", bold=True), *limits]))
    return "\n\n".join(parts)


def _rows(each: "ReportTable") -> list[str]:
    """The lines of a table, each followed by that column of its row which stands below."""
    head = [title.upper() for title in each.head] if any(each.head) else []
    rows = [list(row) for row in each.rows]
    below = [""] * len(rows)
    if each.below is not None:
        below = [f"\n    {safe(row.pop(each.below))}" for row in rows]
        below.insert(0, f"\n    {head.pop(each.below)}")
    lines = table(rows, head, right=each.right, whole=each.whole, spare=each.spare).split("\n")
    return [f"{line}{more}" for line, more in zip_longest(lines, below, fillvalue="")]
