"""The last settings by which somebody can be told that the config cannot be read any more.

They are in a private file beside the config. Secrets are in it as references only: an address that
is written out in the config is not kept a second time.
"""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from archiver.binding import ProxyAddress, Size, TableLocation
from archiver.config import Config
from archiver.disks import describe_error
from archiver.errors import StorageError
from archiver.private_files import replace_privately
from archiver.secrets import Secret
from archiver.settings import (
    ArchiveSettings,
    CareSettings,
    EvidenceSettings,
    HealthSettings,
    MediaSettings,
    NetworkSettings,
    NotifySettings,
)

_FORMAT = 1


def settings_path(config: Path) -> Path:
    """The file for a config: `archive.notify.json` beside `archive.toml`."""
    return config.with_name(f"{config.stem}.notify.json")


def keep_settings(config: Config) -> None:
    """Keep what is needed to tell somebody, where it has changed. Raises StorageError."""
    path = settings_path(config.path)
    proxy = config.network.proxy
    kept: dict[str, Any] = {
        "version": _FORMAT,
        "directory": str(config.archive.directory),
        "min_free": config.health.min_free,
        "on_failure": list(_references(config.notify.on_failure)),
        "ping": _reference(config.notify.ping),
        "proxy": None if proxy is None else proxy.url,
        "proxy_credentials": _reference(config.network.proxy_credentials),
        "ca_bundle": None if config.network.ca_bundle is None else str(config.network.ca_bundle),
    }
    if not (kept["on_failure"] or kept["ping"]) and not path.exists():
        return
    data = (json.dumps(kept, indent=2) + "\n").encode()
    try:
        if not path.exists() or path.read_bytes() != data:
            replace_privately(path, data)
    except OSError as error:
        raise StorageError(
            f"{path} cannot be written", why=describe_error(error),
            kept="Nobody can be told of a config that cannot be read any more",
        ) from error  # fmt: skip


def last_settings(path: Path) -> Config | None:
    """A config without accounts, of what was kept of the one at `path`; None where nothing was."""
    with suppress(OSError, ValueError, TypeError, AttributeError, KeyError):
        return _config_of(path, json.loads(settings_path(path).read_text("utf-8")))
    return None


def _config_of(path: Path, kept: Mapping[str, Any]) -> Config:
    def secret(reference: str | None) -> Secret | None:
        if reference is None:
            return None
        return Secret(reference, base=path.parent, literal_allowed=False)

    addresses = (secret(str(reference)) for reference in kept["on_failure"])
    proxy, bundle = kept["proxy"], kept["ca_bundle"]
    return Config(
        path=path,
        archive=ArchiveSettings(directory=Path(kept["directory"])),
        media=MediaSettings(),
        network=NetworkSettings(
            proxy=None if proxy is None else ProxyAddress(str(proxy)),
            proxy_credentials=None if proxy is None else secret(kept["proxy_credentials"]),
            ca_bundle=None if bundle is None else Path(bundle),
        ),
        health=HealthSettings(min_free=Size(int(kept["min_free"]))),
        notify=NotifySettings(
            on_failure=tuple(filter(None, addresses)), ping=secret(kept["ping"])
        ),
        care=CareSettings(),
        evidence=EvidenceSettings(),
        retention=(),
        sources={},
        accounts=(),
        place=TableLocation(file=path),
    )  # fmt: skip


def _references(secrets: Iterable[Secret]) -> Iterable[str]:
    return filter(None, map(_reference, secrets))


def _reference(secret: Secret | None) -> str | None:
    return None if secret is None else secret.reference
