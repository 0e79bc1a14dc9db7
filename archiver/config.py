"""`archive.toml` turned into a frozen Config, or a ConfigError that names the key and the line.

The config is data only. Secrets in it stay references until they are used. What belongs to a
plugin (a source's table, an account's options) is kept as it was written, and checked by
`Config.source_settings` and `Config.account` once the plugins are loaded.
"""

import os
import stat
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from click import get_app_dir

from archiver.binding import TableLocation, bind, nearest, settings_of, unknown_key
from archiver.characters import describe_character
from archiver.errors import ArchiverError, ConfigError, PluginError, UsageError
from archiver.hookspecs import Platform, Source
from archiver.models import Account
from archiver.ownership import changeable_by_others
from archiver.plugin_calls import cause_of, plugin_errors
from archiver.resolvers import Resolver
from archiver.settings import (
    AccountEntry,
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
from archiver.tomllines import key_lines
from archiver.tomltext import decode, parse

__all__ = [
    "AccountEntry",
    "ArchiveSettings",
    "CareSettings",
    "Config",
    "EvidenceSettings",
    "HealthSettings",
    "MediaSettings",
    "NetworkSettings",
    "NotifySettings",
    "RetentionRule",
    "find_config",
    "load_config",
    "user_config",
]

FILE_NAME = "archive.toml"
ENVIRONMENT = "ARCHIVER_CONFIG"
LISTS = ("accounts", "retention")
"""What may be in the file more than once: as [[accounts]], in two pairs of brackets."""
CORE_TABLES = ("archive", "media", "network", "health", "notify", "care", "evidence", *LISTS)
BROKEN = "plugin_broken"
"""The code of a PluginError about a plugin that is there, but does not load."""
_ENTRY_KEYS = tuple(EntryHead.__dataclass_fields__)
_SURELY_MISSPELT = 0.75
_LONGEST_NAME = 100
_IN_NAMES = frozenset("_ .@+-")
_NEW_ACCOUNT = (
    '[[accounts]], name = "me-on-bluesky", platform = "bluesky", handle = "you.bsky.social"'
)


class Registry(Protocol):
    """What the config asks of the loaded plugins."""

    @property
    def sources(self) -> Sequence[Source]:
        """All sources that loaded."""

    @property
    def resolvers(self) -> Sequence[Resolver]:
        """All resolvers that loaded."""

    def source(self, name: str) -> Source:
        """The source of that name. Raises PluginError."""

    def platform(self, name: str, source: str) -> Platform:
        """The platform of that name, read through that source. Raises PluginError."""

    def sources_of(self, platform: str) -> Sequence[str]:
        """The names of the sources that a platform can be read through. Raises PluginError."""


@dataclass(frozen=True, slots=True)
class Config:
    """All that the file says. `sources` maps a source's name to its table, as it was written."""

    path: Path
    archive: ArchiveSettings
    media: MediaSettings
    network: NetworkSettings
    health: HealthSettings
    notify: NotifySettings
    care: CareSettings
    evidence: EvidenceSettings
    retention: tuple[RetentionRule, ...]
    sources: Mapping[str, Mapping[str, Any]] = field(repr=False)
    accounts: tuple[AccountEntry, ...]
    place: TableLocation = field(repr=False, compare=False)

    def select(self, names: Iterable[str] = ()) -> tuple[AccountEntry, ...]:
        """The accounts of these names in the file's order, or all.

        Names are compared in NFC: keyboards and file systems compose letters in different ways.
        Raises UsageError for a name that is not there, ConfigError where there are no accounts.
        """
        wanted = {unicodedata.normalize("NFC", name): name for name in names}
        if not self.accounts:
            hint = (
                f"Add one, such as this, which needs no key: {_NEW_ACCOUNT}. With an API key in the"
                " file, archiver accounts --discover lists those that the key has linked"
            )
            raise ConfigError(f"There are no accounts yet in {self.path}", hint=hint)
        known = list(dict.fromkeys(entry.name for entry in self.accounts))
        for name, typed in wanted.items():
            if name not in known:
                close = nearest(name, known)
                raise UsageError(
                    f'There is no account "{typed}" in {self.path}',
                    why=f"It has: {', '.join(known)}",
                    hint=f'Did you mean "{close}"?' if close else None,
                )
        return tuple(entry for entry in self.accounts if not wanted or entry.name in wanted)

    def account(self, entry: AccountEntry, plugins: Registry) -> Account:
        """The entry with its options checked by the platform.

        Raises ConfigError, or PluginError when the plugin that it needs is missing or broken.
        """
        place = self._place_of(entry)
        source = self.source_of(entry, plugins)
        key = "source"
        try:
            plugins.source(source)
            key = "platform"
            platform = plugins.platform(entry.platform, source)
        except ArchiverError as error:
            raise _placed(error, place, key) from error
        for key in entry.options:
            _check_option(key, platform, place)
        options = bind(entry.options, platform.options, place)

        def failed(error: BaseException) -> PluginError:
            return PluginError(
                f"{place.at()}: the plugin for {entry.platform} failed to check its options",
                why=cause_of(error),
                hint="Report this to the author of the plugin",
            )

        try:
            with plugin_errors(failed):
                if (check := getattr(platform, "check_options", None)) is not None:
                    check(options)
        except ConfigError as error:
            raise _placed(error, place) from None
        return Account(entry.name, entry.platform, source, options)

    def source_of(self, entry: AccountEntry, plugins: Registry) -> str:
        """The name of the source that an entry is read through: its own, or the implied one.

        Raises ConfigError where several could be meant, PluginError where there is none.
        """
        if entry.source is not None:
            return entry.source
        try:
            return self.implied_source(entry.platform, plugins)
        except ArchiverError as error:
            raise _placed(error, self._place_of(entry), "platform") from error

    def refuse_twice(self, entries: Iterable[AccountEntry], plugins: Registry) -> None:
        """Raise ConfigError where two entries of one name are read through the same source."""
        seen: dict[tuple[str, str], AccountEntry] = {}
        for entry in entries:
            source = self.source_of(entry, plugins)
            first = seen.setdefault((entry.name, source), entry)
            if first is not entry:
                raise self._place_of(entry).error(
                    f'"{entry.name}" is read through {source} twice',
                    key="name",
                    why=f"The first entry is on line {first.line}",
                    hint="One account may have several entries, each with another source",
                )

    def implied_source(self, platform: str, plugins: Registry) -> str:
        """The name of the source that is meant where an entry of that platform names none.

        It is the one whose table is in this file, else the one that needs no settings, else the
        only one. Raises ConfigError where several could be meant, PluginError where there is none.
        """
        names = plugins.sources_of(platform)
        in_file = [name for name in names if name in self.sources]
        usable = [source.name for source in plugins.sources if not _needs_settings(source)]
        without_key = [name for name in names if name in usable]
        fitting = in_file or without_key or names
        if len(fitting) > 1:
            raise ConfigError(
                f"{platform} can be read through more than one source: {', '.join(fitting)}",
                hint=f'Choose one in the account, for example: source = "{fitting[0]}"',
            )
        return fitting[0]

    def source_settings(self, source: Source) -> Any:
        """The settings of a source, from its table or by default. Raises ConfigError."""
        place = self.place.inside(source.name, title=f"[{source.name}]")
        return bind(self.sources.get(source.name, {}), source.settings, place)

    def check(self, plugins: Registry) -> None:
        """Check everything that belongs to plugins: tables, their settings, every account.

        Raises ConfigError, or PluginError when a plugin that is needed is missing or broken.
        """
        used = {self.source_of(entry, plugins) for entry in self.accounts}
        self.refuse_twice(self.accounts, plugins)
        self._check_resolve(plugins)
        for name in self.sources:
            self._check_table(name, plugins, is_used=name in used)
        for entry in self.accounts:
            account = self.account(entry, plugins)
            self.source_settings(plugins.source(account.source))

    def _check_resolve(self, plugins: Registry) -> None:
        """Refuse a platform whose videos no resolver can fetch."""
        known = sorted({name for each in plugins.resolvers for name in each.platforms})
        for name in self.media.resolve:
            if name not in known:
                close = nearest(name, known)
                raise self.place.inside("media", title="[media]").error(
                    f'no resolver fetches videos of "{name}"',
                    key="resolve",
                    why=f"There are resolvers for: {', '.join(known) or 'nothing'}",
                    hint=f'Did you mean "{close}"?' if close else None,
                )

    def _check_table(self, name: str, plugins: Registry, *, is_used: bool) -> None:
        try:
            self.source_settings(plugins.source(name))
        except PluginError as error:
            if error.code == BROKEN and not is_used:
                return  # the warning about the plugin is enough
            close = nearest(name, [*(source.name for source in plugins.sources), *CORE_TABLES])
            error.hint = f"Did you mean [{close}]?" if close else error.hint
            raise _placed(error, self.place, key=name) from error

    def _place_of(self, entry: AccountEntry) -> TableLocation:
        number = self.accounts.index(entry)
        return self.place.inside("accounts", number, title=f'the account "{entry.name}"')


def _placed(error: ArchiverError, place: TableLocation, key: str | None = None) -> ArchiverError:
    """The same error, beginning with the place in the file that it is about."""
    what = f"{place.at(key)}: {error.what}"
    return type(error)(what, why=error.why, kept=error.kept, hint=error.hint, code=error.code)


def platforms_without_settings(plugins: Registry, platforms: Iterable[str]) -> list[str]:
    """Those of the platforms that can be read without a key: by a source that needs no settings."""
    usable = {source.name for source in plugins.sources if not _needs_settings(source)}
    return sorted(name for name in platforms if usable & set(plugins.sources_of(name)))


def _needs_settings(source: Source) -> bool:
    return any(setting.required for setting in settings_of(source.settings))


def _check_option(key: str, platform: Platform, place: TableLocation) -> None:
    known = list(platform.options.__dataclass_fields__)
    if key not in known:
        raise unknown_key(key, [*_ENTRY_KEYS, *known], place)


def user_config() -> Path:
    r"""The config in the user's own folder.

    `~/.config/archiver/archive.toml` on Linux (or below `XDG_CONFIG_HOME`),
    `~/Library/Application Support/archiver/archive.toml` on macOS,
    `%APPDATA%\archiver\archive.toml` on Windows.
    """
    return Path(get_app_dir("archiver")) / FILE_NAME


def find_config(explicit: Path | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """The config to use: the one named, `ARCHIVER_CONFIG`, `./archive.toml`, or the user's own.

    Raises ConfigError when there is none.
    """
    if explicit is not None:
        return _in_home(explicit)
    if named := environ.get(ENVIRONMENT):
        path = _in_home(Path(named))
        if not _is_there(path):
            raise ConfigError(f"{ENVIRONMENT} names {path}, but there is no such file")
        return path
    # a user without a home has no folder of their own either
    candidates = (Path(FILE_NAME), *filter(Path.is_absolute, (user_config(),)))
    for path in candidates:
        if _is_there(path):
            return path
    raise ConfigError(
        "There is no archive.toml",
        why=f"Looked for {' and '.join(str(path.absolute()) for path in candidates)}",
        hint="Run archiver init to write one here, or name one with --config FILE",
    )


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except PermissionError:  # a folder that this user may not look into, such as another's home
        return False


def _in_home(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise ConfigError(f"{path} cannot be found", why=str(error)) from None


def load_config(path: Path) -> Config:
    """Read a config file. Raises ConfigError."""
    path = path.absolute()
    text, private, exposed = _read(path)
    document = parse(text, path.name)
    place = TableLocation(file=path, lines=key_lines(text), private=private, exposed=exposed)
    if not document:
        raise place.error("there are no settings in it", hint="Run archiver init for a sample")
    accounts = _accounts(document.get("accounts", []), place)
    tables = _tables(document, place, {entry.source for entry in accounts if entry.source})
    return Config(
        path=path,
        archive=_core(tables, "archive", ArchiveSettings, place),
        media=_core(tables, "media", MediaSettings, place),
        network=_core(tables, "network", NetworkSettings, place),
        health=_core(tables, "health", HealthSettings, place),
        notify=_core(tables, "notify", NotifySettings, place),
        care=_core(tables, "care", CareSettings, place),
        evidence=_core(tables, "evidence", EvidenceSettings, place),
        retention=_rules(document.get("retention", []), place),
        sources={name: table for name, table in tables.items() if name not in CORE_TABLES},
        accounts=accounts,
        place=place,
    )


def _read(path: Path) -> tuple[str, bool, Path | None]:
    """The text of the file, whether only its owner can read it, and where others may change it."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read()
        exposed = changeable_by_others(path)
    except IsADirectoryError:
        hint = f"Name the file in it: {path / FILE_NAME}"
        raise ConfigError(f"{path} is a folder, not a file", hint=hint) from None
    except FileNotFoundError:
        hint = "Check the name, or run archiver init to write a config"
        raise ConfigError(f"There is no file {path}", hint=hint) from None
    except OSError as error:
        why = error.strerror or str(error)
        raise ConfigError(f"{path} cannot be read", why=why) from None
    shared = os.name == "posix" and mode & (stat.S_IRGRP | stat.S_IROTH)
    return decode(data, path.name), not shared, exposed


def _tables(
    document: Mapping[str, Any], place: TableLocation, sources: set[str]
) -> dict[str, dict[str, Any]]:
    """The tables of the document but its lists.

    A table that is no source of an account, and is called almost like a table of the core, is
    taken for a slip at once: waiting for the plugins would let its settings be ignored till then.
    """
    tables: dict[str, dict[str, Any]] = {}
    for name, table in document.items():
        if name in LISTS:
            continue
        if isinstance(table, list):
            text = f'"{name}" is a list of tables'
            raise place.error(text, key=name, hint=f"Write [{name}] with one pair of brackets")
        if not isinstance(table, dict):
            raise _outside_tables(name, place)
        if name not in {*CORE_TABLES, *sources}:
            _refuse_slip(name, place)
        tables[name] = table
    return tables


def _outside_tables(name: str, place: TableLocation) -> ConfigError:
    for title, cls in _CORE.items():
        if name in cls.__dataclass_fields__:
            hint = f"Put it below [{title}]"
            return place.error(f'"{name}" stands outside any table', key=name, hint=hint)
    hint = "Put it below the table that it belongs to, such as [archive]"
    return place.error(f'"{name}" stands outside any table', key=name, hint=hint)


def _refuse_slip(name: str, place: TableLocation) -> None:
    close = nearest(name, CORE_TABLES, cutoff=_SURELY_MISSPELT)
    if close:
        hint = f"Did you mean [[{close}]]?" if close in LISTS else f"Did you mean [{close}]?"
        raise place.error(f"the table [{name}] is not known", key=name, hint=hint)


_CORE: dict[str, type[Any]] = {
    "archive": ArchiveSettings,
    "media": MediaSettings,
    "network": NetworkSettings,
    "health": HealthSettings,
    "notify": NotifySettings,
    "care": CareSettings,
    "evidence": EvidenceSettings,
}


def _core(tables: Mapping[str, Any], name: str, cls: type[Any], place: TableLocation) -> Any:
    return bind(tables.get(name, {}), cls, place.inside(name, title=f"[{name}]"))


def _listed(
    entries: Any, name: str, each: str, place: TableLocation
) -> Iterator[tuple[Mapping[str, Any], TableLocation]]:
    """The tables of a list, such as [[accounts]], with their places. Raises ConfigError."""
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        hint = f"Begin each {each} with [[{name}]], in two pairs of brackets"
        raise place.error(f'"{name}" is not a list of tables', key=name, hint=hint)
    for number, table in enumerate(entries):
        yield table, place.inside(name, number, title=f"[[{name}]]")


def _rules(entries: Any, place: TableLocation) -> tuple[RetentionRule, ...]:
    rules: list[RetentionRule] = []
    for table, inner in _listed(entries, "retention", "rule", place):
        rule = bind(table, RetentionRule, inner)
        if any(rule.name == other.name for other in rules):
            raise inner.error(f'a second rule is called "{rule.name}"', key="name")
        for key in ("name", "basis"):
            if not table[key]:
                raise inner.error(f'"{key}" in [[retention]] must not be empty', key=key)
        rules.append(rule)
    return tuple(rules)


def _accounts(entries: Any, place: TableLocation) -> tuple[AccountEntry, ...]:
    accounts: list[AccountEntry] = []
    for table, inner in _listed(entries, "accounts", "account", place):
        entry = _entry(table, inner)
        for other in accounts:
            if other.name.casefold() == entry.name.casefold():
                _refuse_other_account(other, entry, inner)
        accounts.append(entry)
    return tuple(accounts)


def _entry(table: Mapping[str, Any], place: TableLocation) -> AccountEntry:
    options = {key: value for key, value in table.items() if key not in _ENTRY_KEYS}
    head = {key: value for key, value in table.items() if key in _ENTRY_KEYS}
    for key in ("name", "platform"):
        slip = nearest(key, options)
        if key not in head and slip:
            raise unknown_key(slip, _ENTRY_KEYS, place)
    entry = bind(head, EntryHead, place)
    if not _is_label(entry.name):
        odd = next((c for c in entry.name if not _may_be_in_name(c)), None)
        raise place.error(
            f'"name" must be a label of letters, digits, spaces and . - + @, not "{entry.name}"',
            key="name",
            why=f"It holds a {describe_character(odd)}" if odd else None,
            hint='Write for example: name = "acme-instagram"',
        )
    line = place.lines.get(place.path)
    return AccountEntry(entry.name, entry.platform, entry.source, options, line, entry.own)


def _refuse_other_account(other: AccountEntry, entry: AccountEntry, place: TableLocation) -> None:
    """Raise ConfigError where two entries of one name are not one account through two sources."""
    is_same = other.name == entry.name and other.platform == entry.platform
    if not is_same or other.source == entry.source:
        raise place.error(
            f'a second account is called "{entry.name}"',
            key="name",
            why=f"The first is on line {other.line}",
            hint="One account may have several entries, each with another source" if is_same
            else None,
        )  # fmt: skip


def _is_label(name: str) -> bool:
    """Whether it can be typed on a command line: without invisible or confusable characters."""
    if not 0 < len(name) <= _LONGEST_NAME or not all(map(_may_be_in_name, name)):
        return False
    return not {name[0], name[-1]} & (_IN_NAMES - {"_"})


def _may_be_in_name(character: str) -> bool:
    is_mark = unicodedata.category(character).startswith("M")  # the vowels of many scripts
    return character.isalnum() or is_mark or character in _IN_NAMES
