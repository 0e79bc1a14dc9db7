"""The tables of a report, in the order in which people read them: the same on paper and screen."""

import json
from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from archiver.archive.actions import Action
from archiver.audit.audit_report import MOST_LISTED, AuditedAccount, AuditReport
from archiver.human import counted

LIMITS = (
    "It shows what this program received from each source, and when by this machine's clock. It "
    "does not show what any reader saw, nor that a source told the truth or had everything.",
    "Edits between two runs are not seen. Stories are seen only while the platform shows them. "
    "Direct messages, and comments of others, are not read.",
    "A source may give files smaller or otherwise than they were uploaded. A service between the "
    "network and this program is part of the chain.",
)
"""What a report cannot show, said in each of them."""


_LEFT_OUT = {
    "numbers": "Numbers: likes, views and the like, in records too; responses of the sources",
    "people": "Names and addresses of other people, in records too, but for those in texts; "
    "responses of the sources",
}
"""What a report says of each part that `[archive] leave_out` can name."""


@dataclass(frozen=True, slots=True)
class ReportTable:
    """A table of texts. `right` numbers its columns of numbers; `empty` is said of one of no rows.

    `note` stands below it. On a narrow screen, columns in `whole` are not cut, those in `spare` are
    left out first, that numbered `below` stands in a line of its own, and a table that is `long` is
    left out.
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[int, ...] = ()
    empty: str = "None."
    note: str = ""
    whole: tuple[int, ...] = ()
    spare: tuple[int, ...] = ()
    below: int | None = None
    long: bool = False


def report_tables(report: AuditReport) -> Iterator[ReportTable]:
    """Every table of a report."""
    accounts = report.accounts
    yield ReportTable(
        "Accounts",
        ("Account", "Platform", "Posts", "First", "Last", "Edits", "Removed", "Reviewed"),
        tuple(map(_account, accounts)), (2, 5, 6, 7), whole=(3, 4), spare=(1,),
        note="Posts by when they were published, all else by when it happened.",
    )  # fmt: skip
    yield ReportTable(
        "Coverage", ("Account", "Source", "Stream", "From", "To", "Older"),
        tuple(_ranges(accounts)), empty="Nothing was scanned completely yet.", whole=(3, 4),
        note="Older: none, where the source has nothing older but what it pins above all else.",
    )  # fmt: skip
    yield ReportTable(
        "Gaps", ("Account", "Source", "Stream", "From", "To", "Why"), tuple(_gaps(accounts)),
        empty="None: the history of every account is complete over what is covered.", whole=(3, 4),
    )  # fmt: skip
    yield ReportTable(
        "Asked and got",
        ("Account", "Source", "Runs", "Full", "Complete", "Not good", "Records", "New", "Files"),
        tuple(_asked(accounts)), tuple(range(2, 9)), empty="No run in this period.",
        note="Of the runs: full are those that asked for everything, complete those that got all "
        "that they asked for, not good those that failed, lacked something or were stopped.",
    )  # fmt: skip
    yield _runs(report)
    yield ReportTable(
        "Failures", ("Run", "At", "Account", "Source", "Outcome", "Why"),
        tuple(
            (str(each.run_id), minute(each.at), each.name, each.source, each.outcome,
             each.message or each.error_code or "")
            for each in report.failures
        ),
        (0,), empty="None: every run could read every account that it asked for.",
    )  # fmt: skip
    yield ReportTable(
        "Files that are not in the archive", ("Account", "Files", "State", "Why"),
        tuple(
            (account.name, f"{each.count:,}", each.state.replace("_", " "), each.reason or "")
            for account in accounts for each in account.absent
        ),
        (1,), empty="None: every file that was wanted is there.",
    )  # fmt: skip
    yield _withheld(report)
    yield _left_out(report)
    yield from _evidence(report)
    yield from _actions(report)


def _account(account: AuditedAccount) -> tuple[str, ...]:
    events = account.events
    return (
        account.name, account.platform, f"{account.posts:,}", _day(account.first),
        _day(account.last), f"{events.get('edited', 0):,}", f"{events.get('removed', 0):,}",
        f"{account.reviewed:,}",
    )  # fmt: skip


def _ranges(accounts: Iterable[AuditedAccount]) -> Iterator[tuple[str, ...]]:
    for account in accounts:
        for each in account.ranges:
            reached = "none" if each.reached_start else ""
            yield (
                account.name, each.source, each.stream, minute(each.oldest), minute(each.newest),
                reached,
            )  # fmt: skip


def _gaps(accounts: Iterable[AuditedAccount]) -> Iterator[tuple[str, ...]]:
    for account in accounts:
        for gap in account.gaps:
            yield (
                account.name, gap.source, gap.stream, minute(gap.since) or "the beginning",
                minute(gap.until), gap.reason or "not scanned yet",
            )  # fmt: skip


def _asked(accounts: Iterable[AuditedAccount]) -> Iterator[tuple[str, ...]]:
    for account in accounts:
        for each in account.asked:
            numbers = (
                each.runs, each.full, each.complete, each.failed_runs, each.got, each.new,
                each.stored,
            )  # fmt: skip
            yield (account.name, each.source, *(f"{number:,}" for number in numbers))


def _runs(report: AuditReport) -> ReportTable:
    rows = tuple(
        (
            str(run.id), minute(run.started_at), run.outcome, run.actor or "not on record",
            run.version, f"{run.got:,}", f"{run.new:,}", f"{run.edited:,}", f"{run.removed:,}",
            f"{run.stored:,}", f"{run.omitted:,}", f"{run.failed:,}",
        )
        for run in report.runs
    )  # fmt: skip
    head = (
        "Run", "Started", "Outcome", "By", "Version", "Records", "New", "Edited", "Removed",
        "Files", "Omitted", "Failed",
    )  # fmt: skip
    return ReportTable("Runs", head, rows, (0, *range(5, 12)), whole=(1,), spare=(4, 5, 9))


def _withheld(report: AuditReport) -> ReportTable:
    rows = tuple(
        (each.account, _day(each.created_at), str(each.post_id), each.reason or "", each.url or "")
        for each in report.withheld
    )
    more = report.withheld_total - len(rows)
    note = f"The first {MOST_LISTED:,}; {more:,} more are omitted." if more > 0 else ""
    head = ("Account", "Published", "Post", "Why", "Address")
    return ReportTable("Omitted by the platforms", head, rows, (2,), note=note)


def _left_out(report: AuditReport) -> ReportTable:
    """What is not kept because the settings say so."""
    said = report.settings
    rows = [
        (_LEFT_OUT[name], f"[archive] leave_out, {name}")
        for name in said.get("archive.leave_out", ()) if name in _LEFT_OUT
    ] + [
        (f"Files of the kind {kind}", "[media] leave_out")
        for kind in said.get("media.leave_out", ())
    ]  # fmt: skip
    return ReportTable(
        "Left out on purpose", ("What", "By the setting"), tuple(rows),
        empty="Nothing.",
        note="By the settings of the newest run; what was kept before they were set is still there."
        if rows else "",
    )  # fmt: skip


def _evidence(report: AuditReport) -> Iterator[ReportTable]:
    never = report.files_never_verified
    unread = f", {never:,} of them never read back" if never else ", all read back at least once"
    yield ReportTable(
        "Verification and copies", ("At", "What", "Outcome", "Files", "Damaged", "By", "Folder"),
        tuple(
            (minute(each.at), each.what, each.outcome, f"{each.files:,}", f"{each.damaged:,}",
             each.actor or "not on record", each.target or "")
            for each in report.care
        ),
        (3, 4), empty="None in this period.",
        note=f"The archive has {counted(report.files, 'file')}{unread}.",
    )  # fmt: skip
    ledger = report.ledger
    rows = [
        ("Entries in the ledger", f"{ledger.entries:,}"),
        ("Checkpoints", f"{ledger.checkpoints:,}"),
        ("Newest checkpoint", minute(ledger.newest_at) or "none"),
        ("Entries that it covers", "none" if ledger.size is None else f"{ledger.size:,}"),
        ("Its root hash", as_in_notes(ledger.root) if ledger.root else "none"),
        ("Its signatures", f"{ledger.signatures:,}" if ledger.signatures else "not signed"),
        ("Times that the clock has gone back", f"{ledger.clock_gone_back:,}"),
    ]
    yield ReportTable(
        "Ledger", ("", ""), tuple(rows), whole=(0, 1),
        note="The root hash is as in the text of checkpoints (base64): compare it with one that "
        "was kept elsewhere. archiver verify holds all rows and files against the ledger.",
    )  # fmt: skip

    yield ReportTable(
        "Time stamps", ("Stamped", "Received", "Entries", "Authority"),
        tuple(
            (each.stamped_at[:19].replace("T", " "), each.received_at[:19].replace("T", " "),
             f"{each.size:,}", each.authority)
            for each in report.time_stamps
        ),
        (2,), empty="None in this period: all times are those of this machine's clock.",
        note="Stamped by the clock of the authority, received by the clock of this machine. "
        "archiver verify checks the tokens.",
    )  # fmt: skip
    yield ReportTable(
        "Signing keys and restores", ("At", "What", "By"),
        tuple((minute(each.at), each.what, each.actor) for each in report.seal_changes),
        empty="None in this period.",
    )  # fmt: skip


def _actions(report: AuditReport) -> Iterator[ReportTable]:
    yield ReportTable(
        "Legal holds", ("Hold", "Matter", "Posts", "Since", "By", "Why", "Released"),
        tuple(
            (str(each.id), each.matter, each.scope, minute(each.placed_at), each.placed_by,
             each.reason, minute(each.released_at))
            for each in report.holds
        ),
        (0,),
    )  # fmt: skip
    yield ReportTable(
        "Reviews", ("At", "Post", "By", "Note"),
        tuple(
            (minute(each.at), str(each.post_id), each.actor, each.note or "")
            for each in report.reviews
        ),
        (1,),
    )  # fmt: skip
    yield ReportTable(
        "Exports", ("At", "By", "Format", "Of", "Posts", "Files", "SHA-256 of the manifest"),
        tuple(map(_export, report.exports)), (4, 5), whole=(0,), below=6,
    )  # fmt: skip
    yield ReportTable(
        "Changes of the configuration", ("At", "By", "Setting", "Before", "Since"),
        tuple(
            (minute(each.at), each.actor, each.name, _value(each.before), _value(each.since))
            for each in report.setting_changes
        ),
        empty="None in this period.",
    )  # fmt: skip
    yield ReportTable(
        "Settings of the newest run", ("Setting", "Value"),
        tuple((name, _value(value)) for name, value in report.settings.items()),
        empty="None are on record: no run of this version was made yet.",
        note="Defaults are among them; secrets are left out.", long=True,
    )  # fmt: skip
    yield ReportTable(
        "Versions", ("", "Component", "Version"), tuple(_versions(report)),
        note="Of the first runs everything, of later ones what had changed.", long=True,
    )  # fmt: skip


def as_in_notes(root: str) -> str:
    """A root hash, given in hex, as the text of a checkpoint has it."""
    return b64encode(bytes.fromhex(root)).decode()


def _export(action: Action) -> tuple[str, ...]:
    said = action.details
    return (
        minute(action.at), action.actor, str(said.get("format", "")),
        str(said.get("selection", "")), f"{said.get('posts', 0):,}", f"{said.get('files', 0):,}",
        str(said.get("manifest_sha256", "")),
    )  # fmt: skip


def _versions(report: AuditReport) -> Iterator[tuple[str, ...]]:
    """What each environment of the runs had, and of later ones only what was different."""
    before: dict[str, str] = {}
    for number, versions in report.environments.items():
        now = {name: str(value) for name, value in versions.items() if name != "packages"}
        now |= versions.get("packages", {})
        for name in sorted(before.keys() | now.keys()):
            if before.get(name) != now.get(name):
                yield (f"{number}", name, now.get(name, "not installed any more"))
        before = now


def _value(value: Any) -> str:
    if value is None:
        return "not set"
    return value if isinstance(value, str) else json.dumps(value)


def minute(moment: str | None) -> str:
    """A time to the minute, in UTC."""
    return (moment or "")[:16].replace("T", " ")


def _day(moment: str | None) -> str:
    return (moment or "")[:10]
