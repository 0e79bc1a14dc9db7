"""Finds, loads and checks plugins; the error about a broken one names it.

A plugin is an entry point of the group `archiver`. Each is loaded and checked separately: a broken
one is skipped with a Problem, and the others work. Only installed distributions are searched:
nothing is loaded from the archive folder or the current one.
"""

import contextlib
import difflib
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, is_dataclass, replace
from functools import lru_cache
from importlib.metadata import Distribution, EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any, get_args

from pluggy import PluginManager, PluginValidationError

from archiver import hookspecs
from archiver.apis import Demo, ServedApi
from archiver.binding import settings_of
from archiver.errors import PluginError
from archiver.export_writers import ExportWriter
from archiver.hookspecs import ExportReader, Platform, Source
from archiver.models import Listing, Rank, Stream
from archiver.ownership import open_to_others
from archiver.resolvers import Resolver

GROUP = "archiver"
ENVIRONMENT = "ARCHIVER_PLUGINS"
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_RESERVED_TABLES = {"archive", "media", "network", "accounts"}
_RESERVED_OPTIONS = {"name", "own", "platform", "source"}
_BISECT = f"To run without it, name the others: {ENVIRONMENT}=instagram,facebook archiver …"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a plugin comes from: its entry point and the distribution that declares it."""

    entry_point: str
    module: str
    distribution: str = "?"
    version: str = ""

    def __str__(self) -> str:
        """`loops (archiver_loops, from archiver-loops 1.2)`."""
        return f"{self.entry_point} ({self.module}, from {self.distribution} {self.version})"


@dataclass(frozen=True, slots=True)
class Problem:
    """A plugin, or a part of one, that was skipped, and why.

    `concerns`: the names of sources, platforms … that are unavailable because of it.
    """

    origin: Origin
    what: str
    why: str
    concerns: frozenset[str]

    def __str__(self) -> str:
        """One line."""
        return f"{self.what}: {self.why}"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A plugin that was loaded, and what it provides."""

    origin: Origin
    sources: tuple[Source, ...] = ()
    platforms: tuple[Platform, ...] = ()
    demos: tuple[Demo, ...] = ()
    served_apis: tuple[ServedApi, ...] = ()
    resolvers: tuple[Resolver, ...] = ()
    export_writers: tuple[ExportWriter, ...] = ()
    export_readers: tuple[ExportReader, ...] = ()


@dataclass(frozen=True, slots=True)
class Plugins:
    """All plugins that loaded, and the problems of those that did not."""

    loaded: tuple[Loaded, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def sources(self) -> tuple[Source, ...]:
        """Every source, by name."""
        return tuple(sorted(_all_sources(self.loaded), key=lambda source: source.name))

    @property
    def platforms(self) -> tuple[Platform, ...]:
        """Every platform, by name and source."""
        return tuple(sorted(_all_platforms(self.loaded), key=lambda item: (item.name, item.source)))

    @property
    def resolvers(self) -> tuple[Resolver, ...]:
        """Every resolver, by name."""
        found = [resolver for plugin in self.loaded for resolver in plugin.resolvers]
        return tuple(sorted(found, key=lambda resolver: resolver.name))

    @property
    def export_readers(self) -> tuple[ExportReader, ...]:
        """Every reader of official exports, by the name of its platform."""
        found = [reader for plugin in self.loaded for reader in plugin.export_readers]
        return tuple(sorted(found, key=lambda reader: reader.name))

    @property
    def export_writers(self) -> tuple[ExportWriter, ...]:
        """Every format of exports that plugins add, by name."""
        found = [writer for plugin in self.loaded for writer in plugin.export_writers]
        return tuple(sorted(found, key=lambda writer: writer.name))

    @property
    def origins(self) -> tuple[Origin, ...]:
        """Where the plugins that loaded come from."""
        return tuple(plugin.origin for plugin in self.loaded)

    def source(self, name: str) -> Source:
        """The source of that name.

        Raises PluginError, which names the broken plugin or the sources that there are.
        """
        for source in self.sources:
            if source.name == name:
                return source
        raise self._missing("source", name, [source.name for source in self.sources])

    def sources_of(self, platform: str) -> tuple[str, ...]:
        """The names of the sources that a platform can be read through.

        Raises PluginError, which names the broken plugin or the platforms that there are.
        """
        found = tuple(item.source for item in self.platforms if item.name == platform)
        if not found:
            known = sorted({item.name for item in self.platforms})
            raise self._missing("platform", platform, known)
        return found

    def demo(self) -> Demo:
        """The first demo, by name.

        Raises PluginError when no plugin brings one.
        """
        demos = [demo for plugin in self.loaded for demo in plugin.demos]
        if not demos:
            raise self._none_at_all("demo")
        return min(demos, key=lambda demo: demo.name)

    def served_api(self, name: str | None = None) -> ServedApi:
        """The API of that name, or the only one that there is.

        Raises PluginError when there is none, or none of that name, or more than one to choose
        from.
        """
        apis = {api.name: api for plugin in self.loaded for api in plugin.served_apis}
        if not apis:
            raise self._none_at_all("API to answer")
        if name is None and len(apis) == 1:
            return next(iter(apis.values()))
        if name is None:
            raise PluginError(
                "Several APIs can be served",
                why=f"Plugins bring these: {', '.join(sorted(apis))}",
                hint=f"Choose one with --api {min(apis)}",
            )
        if name not in apis:
            raise self._missing("API", name, sorted(apis))
        return apis[name]

    def _none_at_all(self, noun: str) -> PluginError:
        broken = "".join(f". Not loaded: {problem.origin}" for problem in self.problems)
        return PluginError(
            f"There is no {noun}",
            why=f"No plugin that is loaded brings one{broken}",
            hint="archiver plugins lists all of them",
        )

    def platform(self, name: str, source: str) -> Platform:
        """The platform of that name, read through that source.

        Raises PluginError, which names the broken plugin or the platforms that there are.
        """
        for platform in self.platforms:
            if (platform.name, platform.source) == (name, source):
                return platform
        elsewhere = [platform.source for platform in self.platforms if platform.name == name]
        if elsewhere and not self._problems_with(name):
            raise PluginError(
                f'The platform "{name}" is not read through "{source}"',
                hint=f'Write for example: source = "{elsewhere[0]}"',
            )
        known = [platform.name for platform in self.platforms if platform.source == source]
        raise self._missing("platform", name, known)

    def _problems_with(self, name: str) -> list[Problem]:
        return [problem for problem in self.problems if name in problem.concerns]

    def _missing(self, noun: str, name: str, known: Sequence[str]) -> PluginError:
        if culprits := self._problems_with(name):
            return PluginError(
                f'The {noun} "{name}" is unavailable',
                why="; ".join(str(problem) for problem in culprits),
                hint="Repair, update or uninstall that plugin; archiver plugins lists all of them",
                code="plugin_broken",
            )
        close = difflib.get_close_matches(name.casefold(), known, n=1)
        listed = ", ".join(known) or "none"
        broken = "".join(f". Not loaded: {problem.origin}" for problem in self.problems)
        return PluginError(
            f'There is no {noun} "{name}"',
            why=f"Plugins bring these: {listed}{broken}",
            hint=f'Did you mean "{close[0]}"?' if close else "archiver plugins lists all of them",
        )


def load_plugins(
    found: Iterable[EntryPoint] | None = None, environ: Mapping[str, str] = os.environ
) -> Plugins:
    """Load the plugins that are installed, or those `found`.

    `ARCHIVER_PLUGINS`, when set, lists the names of the entry points to load; empty means none.
    Raises PluginError when it names one that is not installed.
    """
    found = _selected(list(entry_points(group=GROUP) if found is None else found), environ)
    problems: list[Problem] = []
    loaded: list[Loaded] = []
    manager = PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    for entry_point in _without_duplicates(found, problems):
        try:
            plugin = _load(entry_point, manager, problems)
        except _Broken as broken:
            origin = _origin(entry_point)
            problems.append(_problem(origin, str(broken), {origin.entry_point}))
        else:
            loaded.append(plugin)
    return Plugins(tuple(_without_conflicts(loaded, problems)), tuple(problems))


class _Broken(Exception):
    """A plugin, or an object of it, breaks the contract; the message says how."""


def _selected(found: list[EntryPoint], environ: Mapping[str, str]) -> list[EntryPoint]:
    names_text = environ.get(ENVIRONMENT)
    if names_text is None:
        return found
    names = {name.strip() for name in names_text.split(",")} - {""}
    known = sorted({entry_point.name for entry_point in found})
    for name in sorted(names.difference(known)):
        close = difflib.get_close_matches(name, known, n=1)
        raise PluginError(
            f'{ENVIRONMENT} names "{name}", but no plugin of that name is installed',
            why=f"Installed are: {', '.join(known) or 'none'}",
            hint=f'Did you mean "{close[0]}"?' if close else None,
        )
    return [entry_point for entry_point in found if entry_point.name in names]


def _origin(entry_point: EntryPoint) -> Origin:
    dist = entry_point.dist
    return Origin(entry_point.name, entry_point.value, *(() if dist is None else _release(dist)))


@lru_cache(16)
def _release(dist: Distribution) -> tuple[str, str]:
    """The name and version of a distribution, which parses its metadata each time it is asked."""
    metadata = dist.metadata
    return metadata["Name"], metadata["Version"]


def _problem(origin: Origin, why: str, concerns: Iterable[str]) -> Problem:
    return Problem(origin, f"The plugin {origin} is left out", why, frozenset(concerns))


def _without_duplicates(found: list[EntryPoint], problems: list[Problem]) -> list[EntryPoint]:
    """Those with a unique name: of two with one name, neither is loaded."""
    by_name: dict[str, list[EntryPoint]] = {}
    for entry_point in sorted(found, key=lambda item: (item.name, item.value)):
        by_name.setdefault(entry_point.name, []).append(entry_point)
    for name, group in by_name.items():
        for entry_point in group if len(group) > 1 else ():
            others = [str(_origin(other)) for other in group if other is not entry_point]
            why = f"another plugin has the same name: {'; '.join(others)}"
            problems.append(_problem(_origin(entry_point), why, {name}))
    return [group[0] for group in by_name.values() if len(group) == 1]


def _load(entry_point: EntryPoint, manager: PluginManager, problems: list[Problem]) -> Loaded:
    """Import one plugin and call its hooks. Raises _Broken."""
    origin = _origin(entry_point)
    _check_ownership(entry_point)
    # what a plugin prints must not be in the output
    with contextlib.redirect_stdout(sys.stderr), _alone(entry_point, manager):
        sources = _ask(manager, "archiver_sources")
        platforms = _ask(manager, "archiver_platforms")
        demos = _ask(manager, "archiver_demos")
        apis = _ask(manager, "archiver_served_apis")
        resolvers = _ask(manager, "archiver_resolvers")
        writers = _ask(manager, "archiver_export_writers")
        readers = _ask(manager, "archiver_export_readers")
        if not manager.get_hookcallers(manager.get_plugin(entry_point.name)):
            raise _Broken("it implements no hook; mark its functions with archiver.hookimpl")
    return Loaded(
        origin,
        tuple(item for item in sources if _is_valid(item, _check_source, origin, problems)),
        tuple(item for item in platforms if _is_valid(item, _check_platform, origin, problems)),
        tuple(item for item in demos if _is_valid(item, _check_demo, origin, problems)),
        tuple(item for item in apis if _is_valid(item, _check_served_api, origin, problems)),
        tuple(item for item in resolvers if _is_valid(item, _check_resolver, origin, problems)),
        tuple(item for item in writers if _is_valid(item, _check_export_writer, origin, problems)),
        tuple(item for item in readers if _is_valid(item, _check_export_reader, origin, problems)),
    )


def _check_ownership(entry_point: EntryPoint) -> None:
    """Raise _Broken for a plugin that every user of the machine may have changed."""
    try:
        spec = find_spec(entry_point.module.partition(".")[0])
        file = Path(spec.origin) if spec is not None and spec.origin else None
        folders = [] if spec is None else [*map(Path, spec.submodule_search_locations or ())]
        above = {path.parent for path in (*folders, *([file] if file and not folders else []))}
        found = open_to_others([*([file] if file else []), *folders, *above])
    except (ImportError, ValueError, OSError):
        return  # the import will fail and give the reason
    if found is not None:
        raise _Broken(
            f"other users may write to {found}. Run chmod o-w on it; on a mounted Windows drive, "
            "where that does nothing, install it below your home instead"
        )


@contextlib.contextmanager
def _alone(entry_point: EntryPoint, manager: PluginManager) -> Iterator[None]:
    """Have only this plugin in the manager, so that every error is known to be its own."""
    try:
        try:
            manager.register(entry_point.load(), name=entry_point.name)
            manager.check_pending()
        except PluginValidationError as error:
            raise _Broken(f"its hooks are not those of archiver: {error}") from error
        except (Exception, SystemExit) as error:
            raise _Broken(f"it cannot be imported: {_describe(error)}") from error
        yield
    finally:
        if manager.has_plugin(entry_point.name):
            manager.unregister(name=entry_point.name)


def _ask(manager: PluginManager, hook: str) -> list[Any]:
    try:
        return [item for answer in getattr(manager.hook, hook)() for item in answer]
    except (Exception, SystemExit) as error:
        raise _Broken(f"{hook}() failed: {_describe(error)}") from error


def _describe(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ")


def _is_valid(item: Any, check: Any, origin: Origin, problems: list[Problem]) -> bool:
    """Whether an object of a plugin satisfies the contract; where not, a problem is added."""
    try:
        check(item)
    except (_Broken, TypeError) as broken:
        name = _name_of(item)
        what = f"{name or type(item).__name__}, from the plugin {origin}, is left out"
        problems.append(Problem(origin, what, str(broken), frozenset({origin.entry_point, name})))
        return False
    return True


def _name_of(item: Any) -> str:
    try:
        return str(item.name)
    except Exception:  # noqa: BLE001 — `name` may be a property that raises anything
        return ""


_FORMER = {
    "open": (
        "client", "A source now opens a client for each account: open(settings, account, kit) "
        "takes the place of client(settings, open_http), and kit.http(…) that of open_http(…)",
    ),
    "rank": (
        "client", 'A source now says its rank ("native", "middleman" or "export"), '
        "which decides where two sources of an account differ",
    ),
    "listing": (
        "check_options", 'A platform now says what its pages list ("all", "newest" or '
        '"snapshot"); all plugins written before list "all"',
    ),
}  # fmt: skip
"""Additions to the contract: a member that identifies the earlier form, and the message."""


def _check_source(source: Any) -> None:
    if hasattr(source, "linked") and not hasattr(source, "discover"):
        raise _Broken(
            "it is written for an earlier version. discover(settings, kit, profile_key) now takes "
            "the place of linked(client, profile_key), and may be left out"
            + ("" if hasattr(source, "open") else f". {_FORMER['open'][1]}")
        )
    _check_members(source, Source)
    if source.rank not in get_args(Rank):
        raise _Broken(f"its rank must be one of {', '.join(get_args(Rank))}")
    _check_name(source.name)
    if source.name in _RESERVED_TABLES:
        raise _Broken(f"{source.name} is the name of a table of the config")
    _check_settings(source.settings, "settings")


def _check_platform(platform: Any) -> None:
    _check_members(platform, Platform)
    _check_name(platform.name)
    _check_name(platform.source)
    _check_settings(platform.options, "options")
    if taken := _RESERVED_OPTIONS.intersection(platform.options.__dataclass_fields__):
        raise _Broken(f"its options may not be called {' or '.join(sorted(taken))}")
    streams = platform.streams
    if isinstance(streams, str) or not streams or not set(streams).issubset(get_args(Stream)):
        raise _Broken(f"its streams must be some of {', '.join(get_args(Stream))}")
    if platform.listing not in get_args(Listing):
        raise _Broken(f"its listing must be one of {', '.join(get_args(Listing))}")
    if isinstance(platform.content_version, bool) or not isinstance(platform.content_version, int):
        raise _Broken("its content_version must be a whole number")


def _check_demo(demo: Any) -> None:
    _check_members(demo, Demo)
    _check_name(demo.name)
    if isinstance(demo.days, bool) or not isinstance(demo.days, int) or demo.days < 1:
        raise _Broken("its days must be a whole number, 1 or more")


def _check_served_api(api: Any) -> None:
    _check_members(api, ServedApi)
    _check_name(api.name)


def _check_resolver(resolver: Any) -> None:
    _check_members(resolver, Resolver)
    _check_name(resolver.name)
    platforms = resolver.platforms
    if isinstance(platforms, str) or not platforms:
        raise _Broken("its platforms must be a list of names")
    for name in platforms:
        _check_name(name)


def _check_export_reader(reader: Any) -> None:
    _check_members(reader, ExportReader)
    _check_name(reader.name)
    if not isinstance(reader.title, str) or not reader.title:
        raise _Broken("its title must be text")
    if isinstance(reader.content_version, bool) or not isinstance(reader.content_version, int):
        raise _Broken("its content_version must be a whole number")


def _check_export_writer(writer: Any) -> None:
    _check_members(writer, ExportWriter)
    _check_name(writer.name)
    if isinstance(writer.contents, str):
        raise _Broken("its contents must be a list of lines")


def _check_members(item: Any, protocol: type[Any]) -> None:
    if isinstance(item, type):
        raise _Broken(f"it is a class; return an instance, {item.__name__}()")
    for name, member in vars(protocol).items():
        if name.startswith("_"):
            continue
        try:
            value = getattr(item, name)
        except AttributeError:
            former, changed = _FORMER.get(name, ("", ""))
            said = f"it has no {name}, which a {protocol.__name__} needs"
            if former and hasattr(item, former):
                said += f", because it is written for an earlier version. {changed}"
            raise _Broken(said) from None
        except Exception as error:
            raise _Broken(f"its {name} failed: {_describe(error)}") from error
        if not isinstance(member, property) and not callable(value):
            raise _Broken(f"its {name} must be a method")


def _check_name(name: Any) -> None:
    if not (isinstance(name, str) and _NAME.fullmatch(name)):
        raise _Broken(f"names are one lower-case word, unlike {name!r}")


def _check_settings(cls: Any, what: str) -> None:
    if not (isinstance(cls, type) and is_dataclass(cls)):
        raise _Broken(f"its {what} must be a dataclass, the class itself")
    try:
        settings_of(cls)
    except Exception as error:
        raise _Broken(f"its {what} cannot be read: {_describe(error)}") from error


def _without_conflicts(loaded: list[Loaded], problems: list[Problem]) -> list[Loaded]:
    """The plugins without what more than one of them provides."""
    sources = _claims((plugin, source.name) for plugin in loaded for source in plugin.sources)
    platforms = _claims(
        (plugin, (platform.source, platform.name))
        for plugin in loaded
        for platform in plugin.platforms
    )
    demos = _claims((plugin, demo.name) for plugin in loaded for demo in plugin.demos)
    apis = _claims((plugin, api.name) for plugin in loaded for api in plugin.served_apis)
    resolvers = _claims((plugin, each.name) for plugin in loaded for each in plugin.resolvers)
    readers = _claims((plugin, each.name) for plugin in loaded for each in plugin.export_readers)
    for name, origins in sources.items():
        _report_conflict(f"the source {name}", {name}, origins, problems)
    for (source, name), origins in platforms.items():
        _report_conflict(f"the platform {name} of {source}", {name}, origins, problems)
    for name, origins in demos.items():
        _report_conflict(f"the demo {name}", set(), origins, problems)
    for name, origins in apis.items():
        _report_conflict(f"the API {name}", {name}, origins, problems)
    for name, origins in resolvers.items():
        _report_conflict(f"the resolver {name}", {name}, origins, problems)
    for name, origins in readers.items():
        _report_conflict(f"the reader of {name} exports", {name}, origins, problems)
    return [
        replace(
            plugin,
            sources=tuple(item for item in plugin.sources if item.name not in sources),
            platforms=tuple(
                item for item in plugin.platforms if (item.source, item.name) not in platforms
            ),
            demos=tuple(item for item in plugin.demos if item.name not in demos),
            served_apis=tuple(item for item in plugin.served_apis if item.name not in apis),
            resolvers=tuple(item for item in plugin.resolvers if item.name not in resolvers),
            export_readers=tuple(
                item for item in plugin.export_readers if item.name not in readers
            ),
        )
        for plugin in loaded
    ]


def _claims(pairs: Iterable[tuple[Loaded, Any]]) -> dict[Any, list[Origin]]:
    """What more than one plugin provides, or one plugin twice, and their origins."""
    claims: dict[Any, list[Origin]] = {}
    for plugin, key in pairs:
        claims.setdefault(key, []).append(plugin.origin)
    return {key: origins for key, origins in claims.items() if len(origins) > 1}


def _report_conflict(
    what: str, concerns: set[str], origins: list[Origin], problems: list[Problem]
) -> None:
    who = " and ".join(str(origin) for origin in origins)
    why = f"more than one plugin brings it: {who}. {_BISECT}"
    problems.append(Problem(origins[0], f"{what} is left out", why, frozenset(concerns)))


def _all_sources(loaded: Iterable[Loaded]) -> list[Source]:
    return [source for plugin in loaded for source in plugin.sources]


def _all_platforms(loaded: Iterable[Loaded]) -> list[Platform]:
    return [platform for plugin in loaded for platform in plugin.platforms]
