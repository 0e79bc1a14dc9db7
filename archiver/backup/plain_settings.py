"""All settings as values of JSON without secrets: what the archive has on record of the config."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields, is_dataclass
from datetime import timedelta
from typing import Any

from archiver.binding import ProxyAddress
from archiver.config import Config, Registry
from archiver.errors import ArchiverError
from archiver.secrets import Secret, redact

_TABLES = ("archive", "media", "network", "evidence", "health", "notify", "care")
_COMMAND = "cmd:"


def plain_settings(config: Config, plugins: Registry) -> dict[str, Any]:
    """Every setting by its name, such as `media.videos`, defaults included.

    A secret is `"secret"`, whatever it refers to. Of a source or an account whose plugin is missing
    there is no more than its name.
    """
    return dict(sorted(_settings(config, plugins)))


def _settings(config: Config, plugins: Registry) -> Iterator[tuple[str, Any]]:
    for table in _TABLES:
        yield from _of_table(table, getattr(config, table))
    for rule in config.retention:
        yield from _of_table(f"retention.{rule.name}", rule)
    for name in config.sources:
        yield name, "configured"
        with suppress(ArchiverError):
            yield from _of_table(name, config.source_settings(plugins.source(name)))
    for entry in config.accounts:
        source = entry.source or "default"
        with suppress(ArchiverError):
            source = config.source_of(entry, plugins)
        label = f"accounts.{entry.name} ({source})"
        yield f"{label}.platform", entry.platform
        yield f"{label}.own", entry.own
        with suppress(ArchiverError):
            yield from _of_table(label, config.account(entry, plugins).options)


def _of_table(name: str, table: Any) -> Iterator[tuple[str, Any]]:
    if is_dataclass(table):
        for each in fields(table):
            value = getattr(table, each.name)
            if value is not None:
                yield f"{name}.{each.name}", _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Secret):
        return "secret"
    if isinstance(value, ProxyAddress):
        return redact(value.url)
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g} s"
    text = redact(str(value))
    return _COMMAND if text.startswith(_COMMAND) else text  # its words may hold a secret
