"""Asking a source something that is of no account: what a key has linked, which profiles it has."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from archiver.config import Config
    from archiver.hookspecs import Kit, Source

Item = TypeVar("Item")


def ask_source(
    config: "Config",
    source: "Source",
    ask: "Callable[[Any, Kit], Awaitable[object]]",
    validate: Callable[[object], Sequence[Item]],
) -> Sequence[Item]:
    """What the source answers, with its settings and a kit of its own.

    Raises PluginError where the plugin fails, and what the source raises.
    """
    import anyio

    from archiver.backup.kits import Kits
    from archiver.backup.routes import route_of
    from archiver.cli.plugin_output import redirect_plugin_output
    from archiver.clock import SystemClock
    from archiver.errors import PluginError
    from archiver.plugin_calls import cause_of, plugin_errors

    def failed(error: BaseException) -> PluginError:
        return PluginError(f"The plugin for {source.name} failed", why=cause_of(error))

    async def answer() -> Sequence[Item]:
        kits = Kits(config.network, route_of(config.network), SystemClock())
        try:
            settings = config.source_settings(source)
            with plugin_errors(failed):
                return validate(await ask(settings, kits.kit(source)))
        finally:
            await kits.aclose()

    with redirect_plugin_output():
        return anyio.run(answer)
