"""`fleet.toml`: where the fleet's database, its object store and its folder on this machine are.

Settings of sources, media and network are those of an `archive.toml` without accounts, which all
tenants share (`settings`), unless a tenant names one of its own. The accounts are in the database.
"""

import os
import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from archiver.binding import TableLocation, bind
from archiver.errors import ConfigError
from archiver.secrets import Secret
from archiver.tomllines import key_lines
from archiver.tomltext import decode, parse

FLEET_FILE = "fleet.toml"
_KEPT_VARIABLES = re.compile(
    r"PATH|HOME|USER|LANG|LC_\w+|TZ|TMPDIR|SSL_CERT_\w+|XDG_\w+|PYTHON\w*|AWS_\w+"
)
_REFERENCED = re.compile(r"\benv:([A-Za-z_]\w*)")

SAMPLE = """# A fleet of archives. See docs/fleet.md.

[fleet]
database = "env:FLEET_DATABASE"      # such as postgresql://user:password@host/fleet
directory = "tenants"                # archives on this machine, one folder for each tenant
settings = "tenant.toml"             # an archive.toml without accounts, for all tenants
# store = "s3://bucket/prefix"       # without it, what lies in `directory` is all there is
# store_key = "env:STORE_KEY"
# store_secret = "env:STORE_SECRET"
"""
TENANT_SAMPLE = """# What all tenants share: sources, media and network, as in archive.toml.

[archive]
full_every = "7d"
"""


@dataclass(frozen=True, slots=True)
class FleetSettings:
    """The table `[fleet]`."""

    database: Secret = field(
        metadata={
            "help": "The address of the database, postgresql://user:password@host/name.",
            "example": '"env:FLEET_DATABASE"',
        }
    )
    directory: Path = field(
        default=Path("tenants"),
        metadata={"help": "The folder of this machine with the archives of the tenants."},
    )
    settings: Path = field(
        default=Path("tenant.toml"),
        metadata={"help": "An archive.toml without accounts, which all tenants share."},
    )
    store: str | None = field(
        default=None,
        metadata={
            "help": "The bucket for media and versions of the databases; a folder if not given.",
            "example": '"s3://bucket/prefix"',
        },
    )
    store_endpoint: str | None = field(
        default=None,
        metadata={
            "help": "The address of a server with the S3 API other than Amazon's.",
            "example": '"https://s3.example.org"',
        },
    )
    store_key: Secret | None = field(
        default=None,
        metadata={"help": "The key of the bucket.", "example": '"env:STORE_KEY"'},
    )
    store_secret: Secret | None = field(
        default=None,
        metadata={"help": "The secret of the bucket's key.", "example": '"env:STORE_SECRET"'},
    )
    keep_versions: int = field(
        default=7,
        metadata={"help": "How many versions of each archive are kept in the store.", "min": 1},
    )
    silent_after: timedelta = field(
        default=timedelta(days=3),
        metadata={
            "help": "A tenant is silent when one of its accounts was not read for so long.",
            "min": timedelta(hours=1),
        },
    )


def load_fleet(path: Path) -> FleetSettings:
    """Read `fleet.toml`. Raises ConfigError."""
    path = path.absolute()
    try:
        data = path.read_bytes()
        mode = path.stat().st_mode
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read", why=error.strerror, hint="Write one with archiver fleet init"
        ) from None
    text = decode(data, path.name)
    document = parse(text, path.name)
    shared = os.name == "posix" and mode & (stat.S_IRGRP | stat.S_IROTH)
    place = TableLocation(file=path, lines=key_lines(text), private=not shared)
    others = document.keys() - {"fleet"}
    table = document.get("fleet")
    if others or not isinstance(table, dict):
        raise place.error(
            "it has one table, [fleet]", hint="Settings of sources belong into tenant.toml"
        )
    return bind(table, FleetSettings, place.inside("fleet", title="[fleet]"))


def environment_for(texts: Iterable[str], environ: Mapping[str, str]) -> dict[str, str]:
    """The variables for the process of one tenant: none that holds another tenant's secret.

    Those of the system are kept, and those that the texts refer to as `env:NAME`.
    """
    named = {name for text in texts for name in _REFERENCED.findall(text)}
    return {
        name: value
        for name, value in environ.items()
        if name in named or _KEPT_VARIABLES.fullmatch(name)
    }
