"""The command line: a group that knows its commands by name and imports one when it is run."""

import sys
from importlib import import_module
from typing import Any, NoReturn

import click
from click.shell_completion import CompletionItem

from archiver.cli import failures
from archiver.cli.shell import Shell, common_options
from archiver.cli.streams import may_colour, prepare_streams
from archiver.garbage import collect_less

COMMANDS = {
    "init": ("archiver.cli.init", "Write a commented archive.toml."),
    "demo": ("archiver.cli.demo", "Back up a few sample accounts, to see how it works."),
    "backup": ("archiver.cli.backup", "Back up all new posts and media."),
    "import": ("archiver.cli.import_exports", 'Import official exports: "download your data".'),
    "status": ("archiver.cli.status", "Show what is in the archive, and what is missing."),
    "du": ("archiver.cli.du", "Show how much space the archive takes."),
    "schedule": ("archiver.cli.schedule", "Have the system run the backup by itself."),
    "accounts": ("archiver.cli.accounts", "List the accounts; find those a key has linked."),
    "login": ("archiver.cli.login", "Log in to an account whose source needs it."),
    "verify": ("archiver.cli.verify", "Check all files and rows against their hashes."),
    "key": ("archiver.cli.key", "Show or change the key that signs checkpoints."),
    "copy": ("archiver.cli.copy", "Make or update a second copy of the archive."),
    "history": ("archiver.cli.history", "Show how a post changed, and its metrics."),
    "changes": ("archiver.cli.changes", "List what was edited, removed or omitted."),
    "report": ("archiver.cli.report", "Show an auditor what was captured, and how completely."),
    "review": ("archiver.cli.review", "Mark posts as reviewed, with a note."),
    "export": ("archiver.cli.export", "Write posts and media in a form that others open."),
    "hold": ("archiver.cli.hold", "Place legal holds, list and release them."),
    "erase": ("archiver.cli.erase", "Erase posts for good, with a certificate."),
    "retention": ("archiver.cli.retention", "List what is due by rules, or dispose of it."),
    "separate": ("archiver.cli.separate", "Separate two posts that were matched by a rule."),
    "browse": ("archiver.cli.browse", "Look at the archive in a browser."),
    "serve": ("archiver.cli.serve", "Answer the history API from the archive."),
    "fleet": ("archiver.cli.fleet", "Back up many archives with many workers."),
    "plugins": ("archiver.cli.plugins", "List plugins, platforms and where they come from."),
}
"""Name, module and short help of each command: enough for `--help` and completion."""

EXIT_CODES = {
    0: "done; nothing new and omitted media included",
    1: "a bug",
    2: "wrong usage or configuration",
    3: "partial: something could not be fetched; the archive is consistent",
    4: "no account could be fetched: the source is down",
    5: "no account could be fetched: credentials, plan, or not linked",
    6: "the archive cannot be written: full, read-only, or in use",
    7: "verify found damage",
    130: "interrupted; what was saved is kept",
}
"""What each exit code means; the error classes carry the numbers."""


class _Group(click.Group):
    """Commands from the table, and every failure reported in the same way."""

    def main(self, *args: Any, **extra: Any) -> NoReturn:
        """Run the command line and leave with its exit code."""
        collect_less()
        prepare_streams()
        shell = extra.setdefault("obj", Shell())
        if not may_colour():
            extra.setdefault("color", False)
        extra |= {"prog_name": "archiver", "standalone_mode": False}
        given = args[0] if args else extra.get("args")
        # known before anything is parsed, since that may fail
        shell.wants_json = "--json" in (sys.argv[1:] if given is None else given)
        run = super().main
        sys.exit(failures.guarded(lambda: run(*args, **extra), shell.error_format))

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """The commands, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now."""
        if cmd_name not in COMMANDS:
            return None
        command = import_module(COMMANDS[cmd_name][0]).command
        assert isinstance(command, click.Command)  # noqa: S101 — for the type checker
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or suggest the nearest."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            import difflib

            close = difflib.get_close_matches(name, COMMANDS, n=1)
            hint = f' Did you mean "{close[0]}"?' if close else ""
            ctx.fail(f'There is no command "{name}".{hint}')
        return super().resolve_command(ctx, args)

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def format_epilog(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the exit codes."""
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), text) for code, text in EXIT_CODES.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete command names, without importing them."""
        names = [name for name in COMMANDS if name.startswith(incomplete)]
        options = click.Command.shell_complete(self, ctx, incomplete)
        return [CompletionItem(name, help=COMMANDS[name][1]) for name in names] + options


def _print_version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from archiver.version import version

        click.echo(f"archiver {version()}")
        ctx.exit()


@click.group(cls=_Group, params=common_options(), invoke_without_command=True)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version.",
)
@click.pass_context
def main(ctx: click.Context) -> None:
    """Back up social media accounts into one SQLite file and a folder of media.

    Begin with `archiver init`, or look at `archiver demo`. Without a command, it says what to do
    next.
    """
    if ctx.invoked_subcommand is None:
        from archiver.cli.next_steps import print_next_steps

        print_next_steps(ctx.ensure_object(Shell))
