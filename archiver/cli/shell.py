"""What all commands share: common options, config, plugins and output.

A command is a module of `archiver.cli` with a function `command`:

    @subcommand("status", short_help="What the archive holds.", example="archiver status --json")
    @pass_shell
    def command(shell: Shell) -> int | None:
        ...

It returns its exit code, or None for 0, and raises ArchiverError for what it cannot do. Modules
import what is heavy inside functions: `--help` and completion import all of them.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

import click

from archiver.cli import failures
from archiver.cli.streams import is_terminal
from archiver.cli.text import safe
from archiver.errors import UsageError
from archiver.stop_signals import stop_signals

if TYPE_CHECKING:
    from pathlib import Path

    from archiver.config import Config
    from archiver.plugins import Plugins
    from archiver.secrets import Secret


@dataclass
class Shell:
    """The common options, as given before or after the command, and what follows from them.

    `is_report` says that stdout got a report of what was done, whose loss is no failure.
    `wants_json` says that stdout is to get one JSON object, also where the command fails.
    """

    config_file: str | None = None
    quiet: bool = False
    verbose: int = 0
    no_progress: bool = False
    is_report: bool = field(default=False, init=False)
    wants_json: bool = field(default=False, init=False)
    _config: "Config | None" = field(default=None, repr=False)
    _plugins: "Plugins | None" = field(default=None, repr=False)

    @property
    def progress(self) -> bool:
        """Whether to show a progress bar: only on a terminal."""
        return is_terminal() and not (self.quiet or self.no_progress)

    def config(self) -> "Config":
        """The config, read once. Raises ConfigError."""
        from archiver.config import load_config

        if self._config is None:
            self._config = load_config(self.config_path())
        return self._config

    def config_path(self) -> "Path":
        """The file of the config, whether it can be read or not. Raises ConfigError."""
        from pathlib import Path

        from archiver.config import find_config

        path = find_config(Path(self.config_file) if self.config_file else None)
        return path.absolute()

    def plugins(self) -> "Plugins":
        """The plugins, loaded once; each broken one is named in a warning."""
        from archiver.plugins import load_plugins

        if self._plugins is None:
            self._plugins = load_plugins()
            for problem in self._plugins.problems:
                failures.warn(str(problem))
        return self._plugins

    def out(self, text: str = "") -> None:
        """Print the output of a command to stdout. Foreign text in it must be `safe`."""
        click.echo(_redacted(text), file=sys.stdout)

    def report(self, text: str = "", *, is_wrong: bool = False) -> None:
        """As `out`, for a report: whether it can be printed does not change the exit code.

        Where quiet was asked for, only what `is_wrong` is printed.
        """
        self.is_report = True
        if is_wrong or not self.quiet:
            self.out(text)

    def json(self, value: Any) -> None:
        """Print one JSON value to stdout; in ASCII, which every terminal and pipe can carry."""
        import json

        self.wants_json = False  # it has got it
        click.echo(json.dumps(_redacted(value), indent=2), file=sys.stdout)

    def say(self, text: str) -> None:
        """Print a remark to stderr, unless -q."""
        if not self.quiet:
            click.echo(_redacted(text), file=sys.stderr)

    def warn(self, text: str) -> None:
        """Print a warning to stderr, also with -q."""
        failures.warn(text)

    def error_format(self) -> failures.ErrorFormat:
        """How errors are to be printed."""
        return failures.ErrorFormat(
            verbose=self.verbose, colour=not self.quiet, is_report=self.is_report,
            as_json=self.wants_json,
        )  # fmt: skip

    def command_line(self, arguments: str) -> str:
        """How to run another command with the same config, ready to paste into a shell."""
        import shlex

        config = f"--config {shlex.quote(self.config_file)} " if self.config_file else ""
        return f"{program()} {config}{arguments}"


pass_shell = click.make_pass_decorator(Shell, ensure=True)


def _set(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    """Store an option in the shell; the one after the command has precedence."""

    def store(ctx: click.Context, _param: click.Parameter, value: Any) -> None:
        shell = ctx.ensure_object(Shell)
        if name == "verbose":
            shell.verbose += value
        elif value:
            setattr(shell, name, value)
        if shell.quiet:
            ctx.color = False

    return store


def common_options(*, hidden: bool = False) -> list[click.Parameter]:
    """The options that may stand before or after the command; `hidden` from its help."""
    return [
        click.Option(
            ["--config", "config_file"],
            type=click.Path(),
            metavar="FILE",
            expose_value=False,
            callback=_set("config_file"),
            hidden=hidden,
            help="The config file, else ARCHIVER_CONFIG, ./archive.toml, your config folder.",
        ),
        click.Option(
            ["-q", "--quiet"],
            is_flag=True,
            expose_value=False,
            callback=_set("quiet"),
            hidden=hidden,
            help="Print only what went wrong.",
        ),
        click.Option(
            ["-v", "--verbose"],
            count=True,
            expose_value=False,
            callback=_set("verbose"),
            hidden=hidden,
            help="Print what is being done; twice for more.",
        ),
        click.Option(
            ["--no-progress"],
            is_flag=True,
            expose_value=False,
            callback=_set("no_progress"),
            hidden=hidden,
            help="Show no progress bar.",
        ),
    ]


_COMMON = "--config FILE, -q, -v and --no-progress are explained by archiver --help."


class Subcommand(click.Command):
    """A command with the common options and an example in its help."""

    def __init__(self, *args: Any, example: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += common_options(hidden=True)
        self.examples = example.strip().splitlines()

    def invoke(self, ctx: click.Context) -> Any:
        """Run it, with logging set up as the options say."""
        from archiver.cli.logs import logging_to_stderr

        with logging_to_stderr(ctx.ensure_object(Shell).verbose), terminated_as_interrupted():
            return super().invoke(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Print the command's own options, and where the common ones are explained."""
        super().format_options(ctx, formatter)
        formatter.write_paragraph()
        formatter.write_text(_COMMON)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Print the example after the options."""
        with formatter.section("Example" if len(self.examples) == 1 else "Examples"):
            for line in self.examples:
                formatter.write(f"{'':{formatter.current_indent}}{line.strip()}\n")
        super().format_epilog(ctx, formatter)


@contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """In the block, SIGTERM and SIGHUP stop a run as Ctrl-C does."""
    ours = threading.current_thread() is threading.main_thread()
    numbers = [n for n in stop_signals() if ours and signal.getsignal(n) is signal.SIG_DFL]
    for number in numbers:  # not by SIGINT, which a background job ignores
        signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


def program() -> str:
    """The command that calls this program: its name, or its path where it is not on PATH."""
    import shlex
    import shutil

    called = sys.argv[0]
    if os.path.basename(called) != "archiver" or shutil.which("archiver"):  # noqa: PTH119 — pathlib takes longer to load than all of --help
        return "archiver"
    return shlex.quote(called)


def secret_of(option: str, text: str, example: str) -> "Secret":
    """The secret that an option refers to. Raises UsageError for one that is written out."""
    from pathlib import Path

    from archiver.secrets import Secret, is_reference

    if is_reference(text):
        return Secret(text, base=Path.cwd(), literal_allowed=False)
    raise UsageError(
        f"{option} needs a reference, not the secret itself",
        why="Everybody on this machine can read a command line",
        hint=f"Write for example {option} {example}",
    )


def disable_core_dumps() -> None:
    """Disable core dumps, which would contain secrets."""
    from archiver.process_limits import lower_limit

    with suppress(OSError, ValueError):  # not allowed
        lower_limit("RLIMIT_CORE", 0)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def subcommand(
    name: str, *, short_help: str, example: str, **kwargs: Any
) -> Callable[[Callable[..., Any]], Subcommand]:
    """Make a function a command. Its docstring is the help; `example` is one command per line."""

    def decorate(function: Callable[..., Any]) -> Subcommand:
        return click.command(
            name, cls=Subcommand, short_help=short_help, example=example, **kwargs
        )(function)

    return decorate


def _redacted(value: Any) -> Any:
    """The value with redacted text, if any secret was read."""
    secrets = sys.modules.get("archiver.secrets")
    if secrets is None:
        return value
    if isinstance(value, str):
        return secrets.redact(value)
    if isinstance(value, dict):
        return {key: _redacted(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(item) for item in value]
    return value


def toml_text(text: str) -> str:
    """Any text as TOML writes it, on one line, harmless on a terminal."""
    import json

    return json.dumps(safe(text), ensure_ascii=False)
