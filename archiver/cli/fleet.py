"""`archiver fleet`: many archives, backed up by many workers."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import click

from archiver.cli.shell import Shell, disable_core_dumps, pass_shell, program, subcommand
from archiver.cli.text import safe, styled, table, wrap
from archiver.cli.values import WholeNumber
from archiver.errors import OutputError, UsageError
from archiver.human import counted, size_text

if TYPE_CHECKING:
    from archiver.fleet.overview import FleetState
    from archiver.fleet.settings import FleetSettings

_DEFAULT = "fleet.toml"
_DEMO = "fleet-demo"
Action = Literal["demo", "init", "add", "worker", "run", "status", "web", "pause", "resume",
                 "export", "delete"]  # fmt: skip


@subcommand(
    "fleet",
    short_help="Back up many archives with many workers.",
    example="archiver fleet demo\narchiver fleet init\narchiver fleet add accounts.csv\n"
    "archiver fleet worker\narchiver fleet run acme\narchiver fleet status\n"
    "archiver fleet web\narchiver fleet export acme DIR",
)
@click.argument("action", metavar="ACTION", type=click.Choice(get_args(Action)))
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--fleet", "file", default=_DEFAULT, metavar="FILE", show_default=True,
    type=click.Path(path_type=Path), help="The settings of the fleet.",
)  # fmt: skip
@click.option(
    "--source", metavar="NAME",
    help="add: take the profiles that this source lists, in place of a list.",
)  # fmt: skip
@click.option("--until-idle", is_flag=True, help="worker: end when there is nothing left to do.")
@click.option("--dry-run", is_flag=True, help="add: say what would be added, and add nothing.")
@click.option("--json", "as_json", is_flag=True, help="add, status: print one JSON object.")
@click.option("--check", is_flag=True, help="status: one line, and the exit code of a monitor.")
@click.option(
    "--port",
    type=WholeNumber(0, 65535),
    default=8586,
    show_default=True,
    help="web: the port; 0 takes any free one.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="web: the address to listen on.",
)
@click.option("--yes", is_flag=True, help="delete: delete for good, without a question.")
@pass_shell
def command(
    shell: Shell, action: Action, names: tuple[str, ...], file: Path, source: str | None,
    dry_run: bool, until_idle: bool, as_json: bool, check: bool, port: int, host: str, yes: bool,
) -> int | None:  # fmt: skip
    """Back up the accounts of many tenants, each into an archive of its own.

    PostgreSQL says what is due, and any number of workers on any number of machines take it.
    "demo [DIR]" shows all of it on this machine. "init" writes fleet.toml, and makes the tables
    once the database is named there; "add FILE" reads tenants and accounts from CSV, and "add
    --source NAME" makes a tenant of each profile that a source lists; "worker" backs
    up what is due until it is stopped; "run [TENANT]" queues all accounts now; "status" shows each
    tenant, and "web" the same in a browser, with metrics for Prometheus; "pause TENANT" and "resume
    TENANT" stop one and let it go on; "export TENANT DIR" writes its archive as a folder; "delete
    TENANT" deletes it with all versions and media. To erase posts of one: archiver erase --tenant.
    """
    from archiver.fleet.extra import require_extra

    require_extra()
    actions: dict[Action, Callable[[], int | None]] = {
        "demo": lambda: _demo(shell, names),
        "init": lambda: _init(shell, file),
        "add": lambda: _add(shell, file, names, source, dry_run=dry_run, as_json=as_json),
        "worker": lambda: _work(shell, file, until_idle=until_idle),
        "run": lambda: _run(shell, file, names),
        "status": lambda: _status(shell, file, as_json=as_json, check=check),
        "web": lambda: _web(shell, file, host, port),
        "pause": lambda: _pause(shell, file, names, paused=True),
        "resume": lambda: _pause(shell, file, names, paused=False),
        "export": lambda: _export(shell, file, names),
        "delete": lambda: _delete(shell, file, names, is_sure=yes),
    }
    return actions[action]()


def _demo(shell: Shell, names: tuple[str, ...]) -> int | None:
    from archiver.clock import DemoClock
    from archiver.fleet.demo import TENANTS, run_demo, write_demo
    from archiver.webserver import listen_on_loopback, origin_of, running

    folder = Path(names[0] if names else _DEMO)
    days = 2
    clock = DemoClock(datetime.now(UTC), running=True)
    world = shell.plugins().demo().begin(clock.now)
    sockets = listen_on_loopback()

    def begin_day(day: int) -> None:
        world.begin_day(day)
        shell.report(f"Day {day} of {days}: two workers back up {len(TENANTS)} tenants …")

    with running(world.app, sockets, quiet=True):
        accounts = write_demo(folder, world.serve_at([origin_of(sock) for sock in sockets]))
        shell.report("A fleet on this machine, with a PostgreSQL of its own; about a minute")
        state = run_demo(folder, accounts, days, begin_day=begin_day)
    _report_demo(shell, folder, state)
    failing = sum(tenant.failing for tenant in state.tenants)
    if failing:
        raise OutputError(f"{counted(failing, 'account')} of the demo failed")
    return None


def _report_demo(shell: Shell, folder: Path, state: "FleetState") -> None:
    """What was made, and what to do with it; only at a terminal's width, and not with -q."""
    from archiver.fleet.demo import TENANTS, count_archived

    posts, files = count_archived(folder)
    accounts = sum(tenant.accounts for tenant in state.tenants)
    done = ", ".join(
        (counted(len(state.tenants), "tenant"), counted(accounts, "account"),
         counted(posts, "post"), counted(files, "file"))
    )  # fmt: skip
    shell.report("\n" + styled(f"The demo is done: {done}", bold=True))
    shell.report(_state_text(state))
    text = (
        "Each tenant has an archive of its own. The workers, PostgreSQL and the made-up accounts "
    )
    shell.report("\n" + wrap(text + "are gone, the archives stay."))
    shell.report(styled("\nLook at one", bold=True))
    first = safe(folder / TENANTS[0])
    for command in ("browse", "verify"):
        shell.report(f"  {program()} {command} {first}")
    shell.report(styled("\nNext", bold=True))
    shell.report(f"  {program()} fleet init  begins one of your own")
    shell.report(f"  rm -r {safe(folder)}  removes the demo")


def _init(shell: Shell, file: Path) -> int | None:
    """Write the files that are missing; make the tables where the database is known."""
    import asyncio

    from archiver.errors import SecretError
    from archiver.fleet.jobs import open_queue
    from archiver.fleet.settings import SAMPLE, TENANT_SAMPLE, load_fleet

    for path, text in ((file, SAMPLE), (file.parent / "tenant.toml", TENANT_SAMPLE)):
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(text, "utf-8")
            shell.report(f"Wrote {path}")
    try:
        load_fleet(file).database.reveal()
    except SecretError as error:
        shell.report(f"The tables are not made yet: {safe(error.what)}. Then run this again")
        return None

    async def prepare() -> None:
        queue = open_queue(file)
        async with queue.app.open_async():
            await queue.prepare()

    asyncio.run(prepare())
    shell.report("The tables are there")
    return None


def _add(
    shell: Shell, file: Path, names: tuple[str, ...], source: str | None, *, dry_run: bool,
    as_json: bool,
) -> None:  # fmt: skip
    from archiver.cli.fleet_add import FleetAdder

    if names and source:
        raise UsageError("fleet add takes a list or --source", hint="Add one after the other")
    adder = FleetAdder(shell, _settings(file), dry_run, as_json)
    if source:
        adder.add_profiles(source)
    else:
        adder.add_lists(names)


def _work(shell: Shell, file: Path, *, until_idle: bool) -> int | None:
    import asyncio
    import logging

    from archiver.fleet.database import FleetDatabaseDown, check_tables
    from archiver.fleet.jobs import open_queue, work
    from archiver.fleet.logs import log_to_stderr

    disable_core_dumps()
    with suppress(FleetDatabaseDown):  # a worker waits for it
        check_tables(_settings(file).database.reveal())
    log_to_stderr(logging.ERROR if shell.quiet else logging.INFO)
    asyncio.run(work(open_queue(file), until_idle=until_idle))
    return None


def _run(shell: Shell, file: Path, names: tuple[str, ...]) -> int | None:
    import asyncio

    from archiver.fleet.database import connected, take_due
    from archiver.fleet.jobs import ASKED, open_queue

    with connected(_settings(file).database.reveal()) as connection:
        due = take_due(connection, names, now=True)

    async def enqueue() -> int:
        queue = open_queue(file)
        async with queue.app.open_async():
            return await queue.enqueue(due, priority=ASKED)

    shell.report(f"Queued {counted(asyncio.run(enqueue()), 'job')}")
    return None


def _status(shell: Shell, file: Path, *, as_json: bool, check: bool) -> int | None:
    from archiver.fleet.database import connected
    from archiver.fleet.overview import fleet_state, status_line

    settings = _settings(file)
    with connected(settings.database.reveal()) as connection:
        state = fleet_state(connection, settings.silent_after)
    if as_json:
        shell.json(state.as_json())
        return None
    if check:
        code, line = status_line(state)
        shell.out(safe(line))
        return code
    shell.out(_state_text(state))
    return None


def _state_text(state: "FleetState") -> str:
    """A line for each tenant, and below why accounts fail."""
    head = ("tenant", "accounts", "failing", "why", "oldest good run", "database", "media", "state")
    cells = [
        (row.name, row.accounts, row.failing, ", ".join(row.reasons),
         row.oldest_good_at and f"{row.oldest_good_at.astimezone(UTC):%Y-%m-%d %H:%M}",
         size_text(row.database_size), size_text(row.media_size), row.condition)
        for row in state.tenants
    ]  # fmt: skip
    text = table(cells, head, right=(1, 2, 5, 6)) if cells else "There are no tenants yet"
    for cause in state.causes:
        about = f"{cause.code}: {counted(cause.accounts, 'account')}"
        text += "\n\n" + wrap(f"{about}. {safe(cause.message)}", "", " " * 2)
    return text


def _web(shell: Shell, file: Path, host: str, port: int) -> int | None:
    from archiver.fleet.web import fleet_app
    from archiver.webserver import listen, origin_of, running, wait_until_interrupted

    settings = _settings(file)
    app = fleet_app(settings.database.reveal(), settings.silent_after)
    sock = listen(host, port)
    if host not in {"127.0.0.1", "::1", "localhost"}:
        shell.warn(f"Whoever can reach {host} can read the names and the state of all tenants")
    with running(app, [sock]) as thread:
        shell.out(f"{origin_of(sock)} shows the fleet, {origin_of(sock)}/metrics is for Prometheus")
        shell.say("Stop it with Ctrl-C.")
        wait_until_interrupted(thread)
    return None


def _export(shell: Shell, file: Path, names: tuple[str, ...]) -> int | None:
    from archiver.fleet.tenant_export import export_tenant

    if len(names) != 2:
        raise UsageError("Name a tenant and a folder", hint="archiver fleet export acme DIR")
    tenant, target = names
    done = export_tenant(_settings(file), tenant, Path(target))
    shell.report(f"{target}: {counted(done.files, 'file')}, {size_text(done.size)}")
    if not done.damaged:
        return None
    what = f"{counted(done.damaged, 'file')} could not be read from the store"
    shell.report(f"{what}; archiver verify names what is missing", is_wrong=True)
    return 3


def _delete(shell: Shell, file: Path, names: tuple[str, ...], *, is_sure: bool) -> int | None:
    from archiver.fleet.database import connected
    from archiver.fleet.deletion import delete_tenant

    if len(names) != 1:
        raise UsageError("Name one tenant", hint="archiver fleet delete acme --yes")
    if not is_sure:
        raise UsageError(
            f"This deletes the archive of {names[0]}, all its versions and all its media, for good",
            kept="Nothing was deleted",
            hint=f"archiver fleet export {names[0]} DIR keeps it; then add --yes",
        )
    settings = _settings(file)
    with connected(settings.database.reveal()) as connection:
        deleted = delete_tenant(settings, connection, names[0])
    shell.report(f"Deleted {names[0]}: {counted(deleted, 'file')}")
    return None


def _pause(shell: Shell, file: Path, names: tuple[str, ...], *, paused: bool) -> int | None:
    from archiver.fleet.database import connected, set_paused

    if not names:
        raise UsageError("Name the tenants", hint="archiver fleet pause acme")
    with connected(_settings(file).database.reveal()) as connection:
        found = set_paused(connection, names, paused=paused)
    if found < len(set(names)):
        raise UsageError("Not all of these tenants are in the fleet", kept="The others are changed")
    shell.report(f"{'Paused' if paused else 'Resumed'} {counted(found, 'tenant')}")
    return None


def _settings(file: Path) -> "FleetSettings":
    from archiver.fleet.settings import load_fleet

    return load_fleet(file)
