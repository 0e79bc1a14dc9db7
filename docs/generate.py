"""Writes the generated blocks of the docs pages: `generate.py [--check]`.

Pages are written by hand, except for blocks between two markers:

    <!-- begin settings-media -->
    <!-- end settings-media -->

Each block is made by a function here, decorated with `@block("settings-media")`, that returns
Markdown. To add a reference page, write the page with an empty block, and the function. With
`--check` nothing is written, and the exit code is 1 if a page is out of date.
"""

import inspect
import os
import re
import shlex
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from archiver import apis, export_writers, hookspecs, resolvers
from archiver.binding import Setting, settings_of
from archiver.cli import COMMANDS, EXIT_CODES, main
from archiver.cli.init import example_config
from archiver.fleet.overview import FleetState, metrics
from archiver.fleet.settings import FleetSettings
from archiver.plugins import Plugins, load_plugins
from archiver.settings import (
    ArchiveSettings,
    CareSettings,
    EntryHead,
    EvidenceSettings,
    HealthSettings,
    MediaSettings,
    NetworkSettings,
    NotifySettings,
    RetentionRule,
)
from archiver.unattended.schedulers import cron
from archiver.unattended.schedulers.installer import PLANNERS
from archiver.unattended.schedulers.job import Job
from archiver_ayrshare.platform import AyrsharePlatform
from archiver_ayrshare.tables import common_table, platform_table

sys.path.insert(0, str(Path(__file__).parent))
import schedules
import schema_pages

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "plugins/README.md", "docs/*.md")
COPIES = {"archive.example.toml": example_config}
NO_FLEET = FleetState(datetime.now(UTC), [], [], {}, 0.0, 0)
_BLOCK = re.compile(r"(<!-- begin ([\w-]+) -->\n).*?(<!-- end \2 -->)", re.DOTALL)

BLOCKS: dict[str, Callable[[], str]] = {}


def block(name: str) -> Callable[[Callable[[], str]], Callable[[], str]]:
    """Register a function as the block of that name."""

    def register(function: Callable[[], str]) -> Callable[[], str]:
        BLOCKS[name] = function
        return function

    return register


# Settings


@block("settings-archive")
def _settings_archive() -> str:
    return settings_table(ArchiveSettings)


@block("settings-media")
def _settings_media() -> str:
    return settings_table(MediaSettings)


@block("settings-network")
def _settings_network() -> str:
    return settings_table(NetworkSettings)


@block("settings-health")
def _settings_health() -> str:
    return settings_table(HealthSettings)


@block("settings-notify")
def _settings_notify() -> str:
    return settings_table(NotifySettings)


@block("settings-care")
def _settings_care() -> str:
    return settings_table(CareSettings)


@block("settings-evidence")
def _settings_evidence() -> str:
    return settings_table(EvidenceSettings)


@block("settings-retention")
def _settings_retention() -> str:
    return settings_table(RetentionRule)


@block("fleet-metrics")
def _fleet_metrics() -> str:
    names = re.findall(r"^# TYPE (\w+) (\w+)$", metrics(NO_FLEET), re.MULTILINE)
    return "Metrics: " + ", ".join(f"`{name}` ({kind})" for name, kind in names) + "."


@block("settings-fleet")
def _settings_fleet() -> str:
    return settings_table(FleetSettings)


@block("settings-accounts")
def _settings_accounts() -> str:
    return settings_table(EntryHead)


@block("settings-sources")
def _settings_sources() -> str:
    return "\n\n".join(
        f"### `[{source.name}]`\n\n{settings_table(source.settings)}"
        for source in own_plugins().sources
    )


@block("settings-platforms")
def _settings_platforms() -> str:
    """A table for each set of options, headed by the platforms that have it."""
    tables: dict[str, list[str]] = {}
    several = Counter(platform.name for platform in own_plugins().platforms)
    for platform in own_plugins().platforms:
        through = f" (source `{platform.source}`)" if several[platform.name] > 1 else ""
        name = f"{platform.name}{through}"
        tables.setdefault(settings_table(platform.options), []).append(name)
    return "\n\n".join(f"### {', '.join(names)}\n\n{text}" for text, names in tables.items())


@block("example-config")
def _example_config() -> str:
    return fenced(example_config(), "toml")


def settings_table(cls: type[Any]) -> str:
    """A Markdown table of the settings in a dataclass."""
    rows = ["| key | value | default | |", "|---|---|---|---|"]
    rows += [_settings_row(setting) for setting in settings_of(cls)]
    return "\n".join(rows) if len(rows) > 2 else "It takes no settings."


def _settings_row(setting: Setting) -> str:
    default = f"`{setting.default}`" if setting.default else "required" if setting.required else "–"
    help_text = setting.help.rstrip(".").replace("|", "\\|")
    return f"| `{setting.name}` | {setting.kind} | {default} | {help_text} |"


def own_plugins() -> Plugins:
    """The plugins of this distribution, without others that may be installed."""
    plugins = load_plugins(environ={})
    own = [plugin for plugin in plugins.loaded if plugin.origin.distribution == "social-archiver"]
    return Plugins(tuple(own))


# Commands


@block("commands")
def _commands() -> str:
    parts = [fenced(_help_of(main, "archiver"), "text")]
    for name, (module, _) in COMMANDS.items():
        if find_spec(module) is not None:
            command = main.get_command(click.Context(main), name)
            assert command is not None
            text = _help_of(command, f"archiver {name}")
            parts.append(f"## archiver {name}\n\n{fenced(text, 'text')}")
    return "\n\n".join(parts)


@block("exit-codes")
def _exit_codes() -> str:
    rows = [f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items()]
    return "\n".join(["| exit code | meaning |", "|---|---|", *rows])


def _help_of(command: click.Command, name: str) -> str:
    context = click.Context(command, info_name=name, terminal_width=80, max_content_width=80)
    return command.get_help(context)


# Schedules


def _schedule(scheduler: str, language: str, job: Job = schedules.OF_USER) -> str:
    """Each file that is written for a job, headed by its path; then the commands."""
    plan = PLANNERS[scheduler](job, schedules.HOMES[scheduler])
    parts = [f"`{path}`:\n\n{fenced(text, language)}" for path, text in plan.files.items()]
    commands = "\n".join(shlex.join(words) for words in plan.start)
    commands = commands.replace(f"gui/{os.getuid()}/", "gui/$(id -u)/")
    commands = commands.replace(f"gui/{os.getuid()} ", "gui/$(id -u) ")
    return "\n\n".join([*parts, *([fenced(commands, "sh")] if commands else [])])


@block("schedule-systemd")
def _schedule_systemd() -> str:
    return _schedule("systemd", "ini")


@block("schedule-systemd-system")
def _schedule_systemd_system() -> str:
    return _schedule("systemd", "ini", schedules.OF_SYSTEM)


@block("schedule-launchd")
def _schedule_launchd() -> str:
    return _schedule("launchd", "xml", schedules.ON_MAC)


@block("schedule-windows")
def _schedule_windows() -> str:
    return _schedule("windows", "xml", schedules.ON_WINDOWS)


@block("schedule-cron")
def _schedule_cron() -> str:
    return fenced(cron.lines(schedules.OF_USER), "cron")


# Hooks


@block("hooks")
def _hooks() -> str:
    hooks = [
        function
        for name, function in inspect.getmembers(hookspecs, inspect.isfunction)
        if name.startswith("archiver_")
    ]
    return "\n\n".join(f"### `{_signature(hook)}`\n\n{_prose(hook)}" for hook in hooks)


_PROTOCOLS = (
    hookspecs.Source, hookspecs.Discovers, hookspecs.ListsProfiles, hookspecs.LogsIn,
    hookspecs.Kit, hookspecs.Tokens, hookspecs.Http, hookspecs.FileResponse,
    hookspecs.Platform, hookspecs.Identifies,
    hookspecs.Refetches, hookspecs.KeepsHistory, hookspecs.CountsApart, hookspecs.Proves,
    hookspecs.ExportReader, hookspecs.Package, resolvers.Resolver, resolvers.ResolverJob,
    export_writers.ExportWriter, export_writers.PostSnapshot, export_writers.ExportTarget,
    apis.ServedApi, apis.HistoryBackend, apis.Demo, apis.DemoWorld,
)  # fmt: skip


@block("protocols")
def _protocols() -> str:
    parts = []
    for protocol in _PROTOCOLS:
        parts.append(f"## {protocol.__name__}\n\n{_prose(protocol)}")
        for name, member in vars(protocol).items():
            if not name.startswith("_"):
                parts.append(
                    f"### {protocol.__name__}: `{_member(name, member)}`\n\n{_doc(member)}"
                )
    return "\n\n".join(parts)


def _member(name: str, member: Any) -> str:
    if isinstance(member, property):
        assert member.fget is not None
        return f"{name}: {_type(inspect.signature(member.fget).return_annotation)}"
    prefix = "async " if inspect.iscoroutinefunction(member) else ""
    return prefix + _signature(member)


def _doc(member: Any) -> str:
    return _prose(member.fget if isinstance(member, property) else member)


def _signature(function: Any) -> str:
    """Such as `name(argument: Type) -> Type`, with types as in the source code."""
    signature = inspect.signature(function)
    parameters = []
    for parameter in signature.parameters.values():
        if parameter.name == "self":
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in parameters:
            parameters.append("*")
        default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
        parameters.append(f"{parameter.name}: {_type(parameter.annotation)}{default}")
    returned = _type(signature.return_annotation)
    return f"{function.__name__}({', '.join(parameters)}) -> {returned}"


def _type(annotation: Any) -> str:
    text = annotation.__name__ if isinstance(annotation, type) else str(annotation)
    if getattr(annotation, "__args__", None):
        text = str(annotation)
    text = re.sub(r"typing\.Literal\['posts', 'stories'\]", "Stream", text)
    text = re.sub(r"ForwardRef\('(\w+)'\)|'([A-Z]\w+)'", r"\1\2", text)
    return re.sub(r"\b(?:collections\.abc|typing|archiver\.\w+)\.", "", text)


def _prose(item: Any) -> str:
    return inspect.cleandoc(item.__doc__ or "")


# Platforms


@block("platforms")
def _platforms() -> str:
    parts = [f"## All platforms\n\n{common_table()}"]
    parts += [
        f"## {platform.name}\n\n{platform_table(platform)}"
        for platform in own_plugins().platforms
        if isinstance(platform, AyrsharePlatform)
    ]
    return "\n".join(parts).rstrip()


# The database

BLOCKS["schema-tables"] = schema_pages.tables
BLOCKS["schema-views"] = schema_pages.views
BLOCKS["schema-reason-codes"] = schema_pages.reason_codes
BLOCKS["schema-row-hashes"] = schema_pages.row_hashes
BLOCKS["schema-content-hashes"] = schema_pages.content_hashes


# Pages


@block("pages")
def _pages() -> str:
    """A link to every page but the index, with its first sentence, from the index."""
    return _links("")


@block("pages-from-readme")
def _pages_from_readme() -> str:
    return _links("docs/")


def _links(folder: str) -> str:
    lines = []
    for path in sorted((ROOT / "docs").glob("*.md")):
        if path.name != "index.md":
            title, _, rest = path.read_text("utf-8").removeprefix("# ").partition("\n")
            sentence = " ".join(rest.strip().partition("\n\n")[0].split()).partition(". ")[0]
            lines.append(f"- [{title}]({folder}{path.name}): {sentence.rstrip('.')}.")
    return "\n".join(lines)


def fenced(text: str, language: str) -> str:
    """Text as a Markdown code block."""
    return f"```{language}\n{text.rstrip()}\n```"


def filled(text: str) -> str:
    """A page with its blocks regenerated."""

    def fill(match: re.Match[str]) -> str:
        if match[2] not in BLOCKS:  # figures, written by the program that measured them
            return match[0]
        return f"{match[1]}{BLOCKS[match[2]]()}\n{match[3]}"

    return _BLOCK.sub(fill, text)


def current() -> Iterator[tuple[Path, str]]:
    """Every generated file, and the text that it should have."""
    for pattern in PAGES:
        for path in sorted(ROOT.glob(pattern)):
            yield path, filled(path.read_text("utf-8"))
    for name, text in COPIES.items():
        yield ROOT / name, text()


def stale() -> list[tuple[Path, str]]:
    """The files that are out of date, with the text that they should have."""
    return [
        (path, text)
        for path, text in current()
        if not path.exists() or path.read_text("utf-8") != text
    ]


if __name__ == "__main__":
    check = sys.argv[1:] == ["--check"]
    for path, text in stale():
        print(f"{path.relative_to(ROOT)} is stale" if check else f"wrote {path.relative_to(ROOT)}")
        if not check:
            path.write_text(text, "utf-8")
    sys.exit(bool(check and stale()))
