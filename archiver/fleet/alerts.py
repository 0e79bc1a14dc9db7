"""Messages about tenants that are silent: one for each cause when it begins, one when it is over.

They go to the addresses of `[notify] on_failure` in the settings that all tenants share. What was
sent is in PostgreSQL, so that all workers together send it once.
"""

from typing import Any

from archiver.config import Config
from archiver.fleet.overview import FleetState, TenantState
from archiver.unattended.alerts import SentAlerts, message_of
from archiver.unattended.health import Concern, Severity
from archiver.unattended.night_report import Send
from archiver.unattended.sending import send

_NAMED = 5
_NEVER_TRIED = "not tried"
_LOCK = 4_026_112_901
"""The number by which only one worker at a time sends messages."""


def silence_concerns(state: FleetState) -> list[Concern]:
    """What the tenants are silent of, in one sentence for each cause."""
    silent: dict[str, list[TenantState]] = {}
    for tenant in state.tenants:
        if tenant.is_silent:
            for cause in tenant.reasons or (_NEVER_TRIED,):
                silent.setdefault(cause, []).append(tenant)
    return [
        Concern(f"silent:{cause}", Severity.CRITICAL, _sentence(cause, tenants))
        for cause, tenants in sorted(silent.items())
    ]


def _sentence(cause: str, tenants: list[TenantState]) -> str:
    names = ", ".join(tenant.name for tenant in tenants[:_NAMED])
    more = f" and {len(tenants) - _NAMED} others" if len(tenants) > _NAMED else ""
    are = "tenant is" if len(tenants) == 1 else "tenants are"
    return f"{len(tenants)} {are} silent ({cause}): {names}{more}"


def send_alerts(
    connection: Any, state: FleetState, config: Config, send_by: Send | None = None
) -> list[str]:
    """Send what is new or over; why a message did not reach somebody, a line each.

    What reached nobody is sent the next time. Raises ConfigError where Apprise is not installed.
    """
    addresses = config.notify.on_failure
    if not addresses:
        return []
    row = connection.execute("SELECT pg_try_advisory_lock(%s) AS is_free", (_LOCK,)).fetchone()
    if not row.is_free:
        return []
    try:
        concerns = silence_concerns(state)
        sent = _sent(connection)
        new, over = sent.new_among(concerns), sent.over_without(concerns)
        if not (new or over):
            return []
        title, text = message_of(new, list(over.values()), ())
        by = send_by or (lambda title, text: send(addresses, title, text, config.network))
        failures = by(title, text)
        if len(failures) < len(addresses):
            _keep(connection, concerns, over)
        return failures
    finally:
        connection.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))


def _sent(connection: Any) -> SentAlerts:
    rows = connection.execute("SELECT cause, state, text FROM fleet.alerts")
    return SentAlerts({row.cause: (row.state, row.text) for row in rows})


def _keep(connection: Any, concerns: list[Concern], over: dict[str, str]) -> None:
    with connection.transaction():
        connection.execute("DELETE FROM fleet.alerts WHERE cause = ANY(%s)", ([*over],))
        for concern in concerns:
            connection.execute(
                "INSERT INTO fleet.alerts (cause, state, text) VALUES (%s, %s, %s)"
                " ON CONFLICT (cause) DO UPDATE SET state = EXCLUDED.state, text = EXCLUDED.text",
                (concern.cause, concern.state, concern.text),
            )
