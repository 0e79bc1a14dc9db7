"""`archiver plugins`: lists the installed plugins."""

from typing import TYPE_CHECKING, Any

import click

from archiver.cli.shell import Shell, pass_shell, subcommand
from archiver.cli.text import table

if TYPE_CHECKING:
    from archiver.plugins import Loaded, Plugins


@subcommand(
    "plugins",
    short_help="List plugins, platforms and where they come from.",
    example="archiver plugins\nARCHIVER_PLUGINS= archiver plugins --json",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@pass_shell
def command(shell: Shell, as_json: bool) -> None:
    """List the plugins that are installed, with what they bring.

    That is sources, platforms, resolvers, readers of official exports, and formats of archiver
    export.

    What is broken is left out, and named in a warning. To run with some plugins only, list the
    names of their entry points in ARCHIVER_PLUGINS; when it is empty, none is loaded.
    """
    plugins = shell.plugins()
    if as_json:
        shell.json(_as_json(plugins))
        return
    rows = [row for plugin in plugins.loaded for row in _rows(plugin)]
    if not rows:
        shell.out("No plugin is loaded.")
        return
    shell.out(table(sorted(rows), ["BRINGS", "NAME", "SOURCE", "PLUGIN", "FROM"]))


def _rows(plugin: "Loaded") -> list[tuple[str, str, str, str, str]]:
    origin = plugin.origin
    where = f"{origin.distribution} {origin.version}"
    sources = [("source", item.name, "", origin.entry_point, where) for item in plugin.sources]
    platforms = [
        ("platform", item.name, item.source, origin.entry_point, where) for item in plugin.platforms
    ]
    resolvers = [
        ("resolver", item.name, "", origin.entry_point, where) for item in plugin.resolvers
    ]
    readers = [
        ("export reader", item.name, "", origin.entry_point, where)
        for item in plugin.export_readers
    ]
    writers = [
        ("export format", item.name, "", origin.entry_point, where)
        for item in plugin.export_writers
    ]
    return sources + platforms + resolvers + readers + writers


def _as_json(plugins: "Plugins") -> dict[str, Any]:
    return {
        "plugins": [
            {
                "name": plugin.origin.entry_point,
                "module": plugin.origin.module,
                "distribution": plugin.origin.distribution,
                "version": plugin.origin.version,
                "sources": [source.name for source in plugin.sources],
                "platforms": [
                    {"name": item.name, "source": item.source} for item in plugin.platforms
                ],
                "resolvers": [
                    {"name": item.name, "platforms": sorted(item.platforms)}
                    for item in plugin.resolvers
                ],
                "export_readers": [item.name for item in plugin.export_readers],
                "export_formats": [item.name for item in plugin.export_writers],
            }
            for plugin in plugins.loaded
        ],
        "problems": [
            {"plugin": problem.origin.entry_point, "what": problem.what, "why": problem.why}
            for problem in plugins.problems
        ],
    }
