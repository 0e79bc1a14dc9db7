"""A report as one page of HTML that needs nothing else: no script, no font, no other file."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from html import escape
from importlib.resources import files

from archiver.audit.audit_report import AuditedAccount, AuditReport
from archiver.audit.report_tables import LIMITS, ReportTable, minute, report_tables
from archiver.human import counted, parse_time

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_BAD_OUTCOMES = frozenset({"failed", "damaged"})
_WARNING_OUTCOMES = frozenset({"partial", "interrupted"})
_STATES = frozenset({"done", "not signed", *_BAD_OUTCOMES, *_WARNING_OUTCOMES})


def report_page(report: AuditReport, name: str, made_at: str, made_by: str, program: str) -> str:
    """The page. `name` is that of the archive, `program` says what made it."""
    style = files("archiver.audit").joinpath("report.css").read_text("utf-8")
    title = f"{name}: archive report"
    chosen = ", ".join(account.name for account in report.accounts) or "no account"
    facts = (
        ("Archive", f"{name} ({report.archive_id})"), ("Period", report.period),
        ("Accounts", chosen), ("Made", f"{minute(made_at)} UTC by {made_by}"),
        ("With", program),
    )  # fmt: skip
    head = "".join(f"<div><dt>{escape(a)}</dt><dd>{escape(b)}</dd></div>" for a, b in facts)
    limits = "".join(f"<li>{escape(sentence)}</li>" for sentence in LIMITS)
    body = "\n".join(_table(table) for table in report_tables(report))
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>{escape(title)}</title>
<style>{style}</style></head>
<body>
<header><h1>Archive report</h1><dl>{head}</dl></header>
<main>
<ul class="figures">{"".join(_figures(report))}</ul>
<section class="charts"><h2>What is covered</h2>
<div class="lines">{"".join(map(_chart, report.accounts)) or "No account yet."}</div>
<p class="legend"><span class="covered"></span> scanned completely <span class="gap"></span> gap</p>
</section>
{body}
<section><h2>What this report cannot show</h2><ul class="limits">{limits}</ul></section>
</main>
</body></html>
"""


def _figures(report: AuditReport) -> Iterator[str]:
    """The numbers at the top."""
    accounts = report.accounts
    gaps = sum(len(account.gaps) for account in accounts)
    posts = sum(account.posts for account in accounts)
    verified = next((each for each in reversed(report.care) if each.what == "verify"), None)
    copied = next((each for each in reversed(report.care) if each.what == "copy"), None)
    yield _figure(f"{len(accounts):,}", "accounts" if len(accounts) != 1 else "account")
    yield _figure(f"{posts:,}", "posts" if posts != 1 else "post")
    yield _figure(f"{len(report.runs):,}", "runs" if len(report.runs) != 1 else "run")
    yield _figure(f"{gaps:,}", "gaps" if gaps != 1 else "gap", is_bad=gaps > 0)
    failures = len(report.failures)
    yield _figure(f"{failures:,}", "failures" if failures != 1 else "failure", is_bad=failures > 0)
    yield _figure(f"{report.withheld_total:,}", "omitted files")
    yield _figure(
        "never" if verified is None else verified.at[:10], "last verify",
        is_bad=verified is not None and verified.outcome in _BAD_OUTCOMES,
    )  # fmt: skip
    yield _figure("never" if copied is None else copied.at[:10], "last copy")
    newest = report.ledger.newest_at
    yield _figure("never" if newest is None else newest[:10], "last checkpoint")


def _figure(value: str, label: str, *, is_bad: bool = False) -> str:
    mark = ' class="bad"' if is_bad else ""
    return f"<li{mark}><strong>{escape(value)}</strong> <span>{escape(label)}</span></li>"


def _chart(account: AuditedAccount) -> str:
    """The time line of an account: what of it is covered, and where its gaps are."""
    bars = "".join(_bars(account))
    posts = counted(account.posts, "post")
    head = (
        f'<h3><span class="badge">{escape(account.platform)}</span> {escape(account.name)} '
        f"<small>{escape(posts)}</small></h3>"
    )
    if not bars:
        return f'<div class="account">{head}<p class="note">Nothing is covered yet.</p></div>'
    first, last = _span(account)
    return (
        f'<div class="account">{head}<div class="line" aria-hidden="true">{bars}</div>'
        f'<p class="ends"><span>{first:%Y-%m-%d}</span><span>{last:%Y-%m-%d}</span></p></div>'
    )


def _bars(account: AuditedAccount) -> Iterator[str]:
    times = _times(account)
    if not times:
        return
    first, last = _span(account)
    length = max((last - first).total_seconds(), 1)

    def place(kind: str, begin: datetime, end: datetime) -> str:
        left = 100 * (begin - first).total_seconds() / length
        width = max(100 * (end - begin).total_seconds() / length, 0.4)
        left = min(max(left, 0), 100 - width)
        return f'<span class="{kind}" style="left:{left:.2f}%;width:{width:.2f}%"></span>'

    for each in account.ranges:
        begin, end = parse_time(each.oldest), parse_time(each.newest)
        if each.stream == "posts" and begin and end:
            yield place("covered", begin, end)
    for gap in account.gaps:
        end = parse_time(gap.until)
        if gap.stream == "posts" and end:
            yield place("gap", parse_time(gap.since) or first, end)


def _times(account: AuditedAccount) -> list[datetime]:
    """The ends of the ranges of posts, and of its posts."""
    ends = [(each.oldest, each.newest) for each in account.ranges if each.stream == "posts"]
    found = (parse_time(moment) for pair in ends for moment in pair)
    return [moment for moment in found if moment is not None]


def _span(account: AuditedAccount) -> tuple[datetime, datetime]:
    """From when to when the time line is; where older posts may exist, it begins a bit earlier."""
    times = _times(account)
    first, last = min(times), max(times)
    has_open_gap = any(gap.since is None and gap.stream == "posts" for gap in account.gaps)
    if has_open_gap:
        earliest = datetime(1970, 1, 1, tzinfo=UTC)
        first = max(earliest, first - (last - first) / 12)
    return first, last


def _table(table: ReportTable) -> str:
    note = f'<p class="note">{escape(table.note)}</p>' if table.note else ""
    title = escape(table.title)
    if not table.rows:
        return f"<section><h2>{title}</h2><p>{escape(table.empty)}</p>{note}</section>"
    heads = (
        "" if not any(table.head) else f"<thead><tr>{_cells(table, table.head, 'th')}</tr></thead>"
    )
    rows = "".join(f"<tr>{_cells(table, row, 'td')}</tr>" for row in table.rows)
    return (
        f'<section><h2>{title}</h2><div class="scroll" tabindex="0" role="region" '
        f'aria-label="{title}"><table>{heads}<tbody>{rows}</tbody></table></div>{note}</section>'
    )


def _cells(table: ReportTable, row: Iterable[str], tag: str) -> str:
    cells = []
    for number, text in enumerate(row):
        marks = [
            *(["right"] if number in table.right else []),
            *(["zero"] if number in table.right and text == "0" else []),
            *([text.replace(" ", "-")] if text in _STATES and tag == "td" else []),
        ]
        attribute = f' class="{" ".join(marks)}"' if marks else ""
        scope = ' scope="col"' if tag == "th" else ' dir="auto"'
        cells.append(f"<{tag}{attribute}{scope}>{escape(text)}</{tag}>")
    return "".join(cells)
