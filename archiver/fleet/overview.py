"""How a fleet is: its tenants, jobs, workers and limits, for people and for Prometheus."""

import html
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from archiver.fleet.shared_buckets import level_of
from archiver.human import size_text

_ALIVE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class TenantState:
    """How a tenant is. Sizes are in bytes; `reasons` counts the failing accounts by error code.

    `is_silent`: one of its accounts was not read for longer than the settings allow.
    """

    name: str
    accounts: int
    good: int
    failing: int
    reasons: dict[str, int]
    oldest_good_at: datetime | None
    oldest_age: float
    is_paused: bool
    is_running: bool
    is_silent: bool
    version: int
    database_size: int
    media_size: int
    sent: int

    @property
    def condition(self) -> str:
        """The one word for it: paused, silent or running; empty for none of these."""
        if self.is_paused:
            return "paused"
        return "silent" if self.is_silent else "running" if self.is_running else ""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why accounts fail: an error code, how many have it, and the newest message of these."""

    code: str
    accounts: int
    tenants: int
    message: str


@dataclass(frozen=True, slots=True)
class LimitState:
    """A shared limit of a source: how many requests were made and refused, and may be made now."""

    name: str
    most: int | None
    left: float | None
    asked: int
    refused: int
    is_paused: bool


@dataclass(frozen=True, slots=True)
class FleetState:
    """All of a fleet at a moment. `oldest_job` is how long a job waits, in seconds."""

    at: datetime
    tenants: list[TenantState]
    limits: list[LimitState]
    jobs: dict[str, int]
    oldest_job: float
    workers: int
    causes: list[Cause] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """As plain data; times are ISO 8601 in UTC."""
        found = asdict(self)
        found["at"] = self.at.isoformat()
        for tenant in found["tenants"]:
            at = tenant["oldest_good_at"]
            tenant["oldest_good_at"] = at and at.astimezone(UTC).isoformat()
        return found


def fleet_state(connection: Any, silent_after: timedelta) -> FleetState:
    """How the fleet is now."""
    jobs = {row.status: row.number for row in connection.execute(
        "SELECT status::text, count(*) AS number FROM procrastinate_jobs"
        " WHERE task_name = 'back_up_tenant' GROUP BY status"
    )}  # fmt: skip
    one = connection.execute(
        "SELECT now() AS at, (SELECT count(*) FROM procrastinate_workers"
        " WHERE last_heartbeat > now() - make_interval(secs => %s)) AS workers,"
        " (SELECT coalesce(extract(epoch FROM now() - min((args->>'asked_at')::timestamptz)), 0)"
        " FROM procrastinate_jobs WHERE status = 'todo' AND task_name = 'back_up_tenant')"
        " AS oldest_job",
        (_ALIVE_SECONDS,),
    ).fetchone()
    return FleetState(
        one.at, list(_tenants(connection, silent_after)), list(_limits(connection)), jobs,
        float(one.oldest_job), one.workers, list(_causes(connection)),
    )  # fmt: skip


def _causes(connection: Any) -> Iterator[Cause]:
    """Why accounts fail, the most frequent reason first."""
    for row in connection.execute(
        "SELECT error_code, count(*) AS accounts, count(DISTINCT tenant_id) AS tenants,"
        " (array_agg(message ORDER BY tried_at DESC NULLS LAST))[1] AS message"
        " FROM fleet.accounts WHERE error_code IS NOT NULL GROUP BY error_code"
        " ORDER BY accounts DESC, error_code"
    ):
        yield Cause(row.error_code, row.accounts, row.tenants, row.message or "")


def _tenants(connection: Any, silent_after: timedelta) -> Iterator[TenantState]:
    reasons: dict[int, dict[str, int]] = {}
    for row in connection.execute(
        "SELECT tenant_id, error_code, count(*) AS number FROM fleet.accounts"
        " WHERE error_code IS NOT NULL GROUP BY tenant_id, error_code ORDER BY error_code"
    ):
        reasons.setdefault(row.tenant_id, {})[row.error_code] = row.number
    for row in connection.execute(
        "SELECT t.*, count(a.id) AS accounts, count(a.good_at) AS good,"
        " min(a.good_at) AS oldest_good_at, count(a.error_code) AS failing,"
        " coalesce(extract(epoch FROM now() - min(coalesce(a.good_at, a.added_at))), 0) AS age,"
        " EXISTS (SELECT 1 FROM procrastinate_jobs j WHERE j.lock = t.name AND j.status = 'doing')"
        " AS is_running"
        " FROM fleet.tenants t LEFT JOIN fleet.accounts a ON a.tenant_id = t.id"
        " GROUP BY t.id ORDER BY t.name"
    ):
        is_paused = row.paused_at is not None
        yield TenantState(
            row.name, row.accounts, row.good, row.failing, reasons.get(row.id, {}),
            row.oldest_good_at, float(row.age), is_paused, row.is_running,
            not is_paused and row.age > silent_after.total_seconds(), row.version, row.size,
            row.media_size, row.sent,
        )  # fmt: skip


def _limits(connection: Any) -> Iterator[LimitState]:
    for row in connection.execute(
        "SELECT *, coalesce(paused_until > now(), false) AS is_paused,"
        " extract(epoch FROM now() - at) AS idle FROM fleet.limits ORDER BY key"
    ):
        left = None
        if row.most and row.tokens is not None:
            left = max(0.0, level_of(row.tokens, float(row.idle), row.most, row.seconds))
        yield LimitState(row.key, row.most, left, row.asked, row.refused, row.is_paused)


def status_line(state: FleetState) -> tuple[int, str]:
    """For monitoring: 0 well, 1 warning, 2 critical; and one line that says why."""
    silent = [tenant.name for tenant in state.tenants if tenant.is_silent]
    failing = sum(tenant.failing for tenant in state.tenants)
    if not state.workers:
        return 2, "CRITICAL: no worker gives a sign of life"
    if silent:
        named = ", ".join(silent[:5]) + (" and others" if len(silent) > 5 else "")
        return 2, f"CRITICAL: {len(silent)} of {len(state.tenants)} tenants are silent: {named}"
    if failing:
        return 1, f"WARNING: {failing} accounts fail"
    return 0, f"OK: {len(state.tenants)} tenants, {state.workers} workers"


def metrics(state: FleetState) -> str:
    """The state in the text format of Prometheus."""
    tenants, limits = state.tenants, state.limits
    groups: list[tuple[str, str, list[tuple[dict[str, str], float]]]] = [
        ("workers", "gauge", [({}, state.workers)]),
        ("jobs", "gauge", [({"status": name}, n) for name, n in sorted(state.jobs.items())]),
        ("oldest_job_seconds", "gauge", [({}, state.oldest_job)]),
        ("accounts", "gauge", [({"tenant": t.name}, t.accounts) for t in tenants]),
        ("accounts_failing", "gauge", [({"tenant": t.name, "reason": reason}, number)
                                       for t in tenants for reason, number in t.reasons.items()]),
        ("oldest_good_run_seconds", "gauge", [({"tenant": t.name}, t.oldest_age) for t in tenants]),
        ("silent", "gauge", [({"tenant": t.name}, t.is_silent) for t in tenants]),
        ("database_bytes", "gauge", [({"tenant": t.name}, t.database_size) for t in tenants]),
        ("media_bytes", "gauge", [({"tenant": t.name}, t.media_size) for t in tenants]),
        ("sent_bytes_total", "counter", [({"tenant": t.name}, t.sent) for t in tenants]),
        ("requests_total", "counter", [({"limit": each.name}, each.asked) for each in limits]),
        ("refused_total", "counter", [({"limit": each.name}, each.refused) for each in limits]),
        ("requests_left", "gauge", [({"limit": each.name}, each.left)
                                    for each in limits if each.left is not None]),
    ]  # fmt: skip
    return "".join(line for name, kind, values in groups for line in _metric(name, kind, values))


def _metric(name: str, kind: str, values: Iterable[tuple[dict[str, str], float]]) -> Iterator[str]:
    yield f"# TYPE archiver_fleet_{name} {kind}\n"
    for labels, value in values:
        said = ",".join(f'{key}="{_label(text)}"' for key, text in labels.items())
        yield f"archiver_fleet_{name}{'{' + said + '}' if said else ''} {float(value):g}\n"


def _label(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Fleet</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="60">
<style>
:root {{ color-scheme: light dark; font-family: system-ui, sans-serif; }}
main {{ max-width: 72rem; margin: 0 auto; padding: 1rem; overflow-x: auto; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ text-align: left; padding: .4rem .6rem; border-bottom: 1px solid #8886; }}
td.number, th.number {{ text-align: right; font-variant-numeric: tabular-nums; }}
strong.wrong {{ color: light-dark(#a40000, #ff8a80); }}
</style></head><body><main>
<h1>Fleet</h1>
<p>{line}</p>
<p>{jobs}</p>
<h2>Tenants</h2>
{tenants}
{causes}<h2>Limits of sources</h2>
{limits}
<p>As of {at} UTC. <a href="/metrics">Metrics</a>, <a href="/status.json">JSON</a></p>
</main></body></html>
"""


def page(state: FleetState) -> str:
    """The state as a page for people; those that are not well come first."""
    order = sorted(state.tenants, key=lambda t: (not t.is_silent, not t.failing, t.name))
    tenants = [
        (t.name, t.accounts, t.failing, _reasons(t), _age(t), size_text(t.database_size),
         size_text(t.media_size), t.condition)
        for t in order
    ]  # fmt: skip
    limits = [
        (each.name, each.asked, each.refused, each.most or "", _left(each)) for each in state.limits
    ]
    code, line = status_line(state)
    words = ", ".join(f"{number} {name}" for name, number in sorted(state.jobs.items()))
    shown = html.escape(line)
    causes = [(each.code, each.accounts, each.tenants, each.message) for each in state.causes]
    head = ("why", "accounts", "tenants", "newest message")
    return _PAGE.format(
        line=f'<strong class="wrong">{shown}</strong>' if code else shown,
        jobs=f"Jobs: {html.escape(words) or 'none'}. The oldest waits {state.oldest_job:.0f} s.",
        tenants=_table(("tenant", "accounts", "failing", "why", "oldest good run", "database",
                        "media", "state"), tenants),
        causes=f"<h2>Why accounts fail</h2>\n{_table(head, causes)}\n" if causes else "",
        limits=_table(("limit", "requests", "refused", "most in a window", "left now"), limits),
        at=f"{state.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
    )  # fmt: skip


def _reasons(tenant: TenantState) -> str:
    return ", ".join(f"{reason} ({number})" for reason, number in tenant.reasons.items())


def _age(tenant: TenantState) -> str:
    if tenant.good < tenant.accounts:
        return f"{tenant.accounts - tenant.good} never read"
    return f"{tenant.oldest_age / 3600:.0f} h ago" if tenant.accounts else ""


def _left(limit: LimitState) -> str:
    if limit.is_paused:
        return "paused"
    return "" if limit.left is None else f"{limit.left:.0f}"


def _table(head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    lines = "".join(
        "<tr>" + "".join(
            f"<td{' class=number' if isinstance(cell, int) else ''}>{html.escape(str(cell))}</td>"
            for cell in row
        ) + "</tr>\n"
        for row in rows
    )  # fmt: skip
    names = "".join(f"<th scope=col>{html.escape(name)}</th>" for name in head)
    return f"<table><thead><tr>{names}</tr></thead><tbody>\n{lines}</tbody></table>"
