"""`archiver accounts`: the accounts in the config, and those that a key has linked."""

import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from archiver.cli.shell import (
    Shell,
    disable_core_dumps,
    pass_shell,
    secret_of,
    subcommand,
    toml_text,
)
from archiver.cli.text import WIDTH, Coloured, safe, table, wrap
from archiver.errors import AccessRefused, ArchiverError, UsageError
from archiver.human import counted

if TYPE_CHECKING:
    from archiver.config import AccountEntry, Config
    from archiver.hookspecs import Platform, Source
    from archiver.models import Identity
    from archiver.plugins import Plugins


@subcommand(
    "accounts",
    short_help="List the accounts; find those a key has linked.",
    example="archiver accounts\narchiver accounts --discover >> archive.toml",
)
@click.option("--discover", is_flag=True, help="Ask the source what the API key has linked.")
@click.option(
    "--source",
    "source_name",
    metavar="NAME",
    help="With --discover: which source to ask; by default the one whose table is in the config.",
)
@click.option(
    "--profile-key",
    metavar="REFERENCE",
    help="With --discover: ask for this profile; a reference such as env:ACME_PROFILE_KEY.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@pass_shell
def command(
    shell: Shell, discover: bool, source_name: str | None, profile_key: str | None, as_json: bool
) -> int | None:
    """List the accounts in the config, and problems with them.

    With --discover, print what the API key has linked, as lines to paste into archive.toml.
    """
    if not discover:
        return _list(shell, as_json)
    disable_core_dumps()
    config, plugins = shell.config(), shell.plugins()
    source = plugins.source(source_name or _source_to_ask(config, plugins))
    found = _linked(config, source, profile_key)
    lines = _entries(found, config, plugins, source.name, profile_key)
    if as_json:
        shell.json({"linked": lines})
    else:
        _print_entries(shell, lines)
    return None


def _source_to_ask(config: "Config", plugins: "Plugins") -> str:
    """The only source whose table is in the config, or the only one that there is.

    Raises UsageError where several could be meant.
    """
    names = [source.name for source in plugins.sources if hasattr(source, "discover")]
    fitting = [name for name in names if name in config.sources] or names
    if len(fitting) != 1:
        raise UsageError(
            "Which source should list the accounts?",
            why=f"There are these: {', '.join(fitting)}" if fitting else "No plugin has one",
            hint=f"archiver accounts --discover --source {fitting[0]}" if fitting else None,
        )
    return fitting[0]


def _list(shell: Shell, as_json: bool) -> int | None:
    from archiver.backup.resolver_notices import resolver_notices
    from archiver.cli.plugin_output import redirect_plugin_output
    from archiver.clock import SystemClock

    config, plugins = shell.config(), shell.plugins()
    rows = [(entry, _problem(config, entry, plugins)) for entry in config.accounts]
    with redirect_plugin_output():
        notices = resolver_notices(config, plugins.resolvers, SystemClock().now())
    if as_json:
        shell.json(
            {
                "accounts": [
                    _as_json(entry, _source_of(config, entry, plugins), problem)
                    for entry, problem in rows
                ],
                "resolvers": [{"account": name, "notice": text} for name, text in notices],
            }
        )
    else:
        config.select()  # says so when there are none
        cells = [
            (
                entry.name,
                entry.platform,
                _source_of(config, entry, plugins) or "?",
                Coloured("wrong", "red") if problem else Coloured("ok", "green"),
            )
            for entry, problem in rows
        ]
        shell.out(table(cells, ["NAME", "PLATFORM", "SOURCE", "SETTINGS"]))
    problems = [problem for _, problem in rows if problem]
    for problem in problems:
        shell.warn(str(problem))
    for name, text in notices:  # what keeps videos behind their pages from being fetched
        shell.warn(f"{safe(name)}: {text}")
    return problems[0].exit_code if problems else None


def _problem(config: "Config", entry: "AccountEntry", plugins: "Plugins") -> ArchiverError | None:
    from archiver.cli.plugin_output import redirect_plugin_output

    try:
        with redirect_plugin_output():
            account = config.account(entry, plugins)
            config.source_settings(plugins.source(account.source))
    except ArchiverError as error:
        return error
    return None


def _source_of(config: "Config", entry: "AccountEntry", plugins: "Plugins") -> str | None:
    """The source of an entry; None where it cannot be determined."""
    try:
        return config.source_of(entry, plugins)
    except ArchiverError:
        return None


def _as_json(
    entry: "AccountEntry", source: str | None, problem: ArchiverError | None
) -> dict[str, Any]:
    return {
        "name": entry.name,
        "platform": entry.platform,
        "source": source,
        "line": entry.line,
        "problem": str(problem) if problem else None,
    }


def _linked(config: "Config", source: "Source", profile_key: str | None) -> Sequence["Identity"]:
    """The accounts that the source lists for the key."""
    from archiver.backup.validation import validate_identity
    from archiver.cli.asking import ask_source

    example = "env:ACME_PROFILE_KEY"
    key = secret_of("--profile-key", profile_key, example) if profile_key is not None else None
    discover = getattr(source, "discover", None)
    if discover is None:
        raise UsageError(
            f"{source.name} has no list of accounts",
            hint="Name the account in archive.toml; docs/configuration.md has the options",
        )

    def validate(found: Any) -> list["Identity"]:
        return [who for who in map(validate_identity, found) if who is not None]

    return ask_source(config, source, lambda settings, kit: discover(settings, kit, key), validate)


def _entries(
    found: Sequence["Identity"],
    config: "Config",
    plugins: "Plugins",
    source: str,
    profile_key: str | None,
) -> list[dict[str, Any]]:
    """The linked accounts, each with an unused label and its platform's entries in the config."""
    taken = {entry.name.casefold() for entry in config.accounts}
    readable = {item.name: item for item in plugins.platforms if item.source == source}
    lines = []
    for who in found:
        label = _label(who, taken)
        taken.add(label)
        lines.append(
            {
                "name": label,
                "platform": who.platform,
                "source": source,
                "source_implied": _is_implied(source, who.platform, config, plugins),
                "profile_key": profile_key,
                "platform_id": who.platform_id,
                "handle": who.handle,
                "title": who.title,
                "url": who.url,
                "readable": who.platform in readable,
                "setup_note": _setup_note(readable.get(who.platform)),
                "configured": [
                    entry.name
                    for entry in config.accounts
                    if entry.platform == who.platform
                    and _source_of(config, entry, plugins) == source
                ],
            }
        )
    return lines


def _is_implied(source: str, platform: str, config: "Config", plugins: "Plugins") -> bool:
    """Whether an entry of that platform that names no source means this one."""
    try:
        return config.implied_source(platform, plugins) == source
    except ArchiverError:
        return False


def _setup_note(platform: "Platform | None") -> str | None:
    """The platform's `setup_note`, on one line."""
    note = getattr(platform, "setup_note", None)
    return safe(note) if isinstance(note, str) else None


def _label(who: "Identity", taken: set[str]) -> str:
    """A label such as `acme-instagram` that no other account has."""
    words = re.findall(r"[a-z0-9]+", (who.handle or who.title or "").lower())
    base = "-".join([*words, who.platform])[:90].strip("-")
    label, number = base, 2
    while label in taken:
        label, number = f"{base}-{number}", number + 1
    return label


def _print_entries(shell: Shell, lines: list[dict[str, Any]]) -> None:
    if not lines:
        raise AccessRefused(
            "This key has no accounts linked",
            hint="Link them on the source's own site, or name another profile with --profile-key",
            code="not_linked",
        )
    for line in lines:
        shell.out(_encodable(_entry(line)))
    where = "" if sys.stdout.isatty() else ": this is meant for the end of archive.toml"
    shell.say(f"# {counted(len(lines), 'account')} linked{where}. Remove those you do not want.")


def _encodable(text: str) -> str:
    """The text, in ASCII where stdout is not UTF-8: it is appended to a file that has to be."""
    if (sys.stdout.encoding or "").lower().replace("-", "") == "utf8":
        return text
    return text.encode("ascii", "backslashreplace").decode()


def _entry(line: dict[str, Any]) -> str:
    who = ", ".join(safe(line[key]) for key in ("title", "handle", "url") if line[key])
    text = [f"\n# {who}"] if who else [""]
    if line["configured"]:
        names = ", ".join(line["configured"])
        text.append(f"# {line['platform']} is in the config already, as {safe(names)}")
    if line["setup_note"]:
        text.append(wrap(line["setup_note"], first="# ", rest="# ", width=WIDTH))
    lines = ["[[accounts]]", f"name = {toml_text(line['name'])}"]
    lines.append(f"platform = {toml_text(line['platform'])}")
    if not line["source_implied"]:
        lines.append(f"source = {toml_text(line['source'])}")
    if line["profile_key"]:
        lines.append(f"profile_key = {toml_text(line['profile_key'])}")
    off = not line["readable"] or line["configured"]
    if not line["readable"]:
        text.append("# no plugin here reads this platform")
    return "\n".join(text + [f"# {part}" if off else part for part in lines])
