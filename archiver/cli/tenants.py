"""The options by which a command works in the archive of a tenant of a fleet."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archiver.cli.shell import Shell, disable_core_dumps
from archiver.errors import UsageError

if TYPE_CHECKING:
    import sqlite3

    from archiver.config import Config
    from archiver.evidence.findings import Finding
    from archiver.evidence.slices import Slice
    from archiver.fleet.held_archives import HeldArchive
    from archiver.fleet.settings import FleetSettings
    from archiver.media.store import MediaStore, StagedStore
    from archiver.retention.erasure import RemoveFiles

_FLEET = "fleet.toml"
_PLACE_OF_TENANT = "archive.version"
"""The file by which a worker knows which version of a tenant's archive a folder has."""


@dataclass(frozen=True, slots=True)
class TenantChoice:
    """What was given: a tenant and the settings of its fleet; None: the archive of the config."""

    tenant: str | None
    fleet: str | None

    @property
    def arguments(self) -> str:
        """The same for another command line, with a space at the end."""
        import shlex

        if self.tenant is None:
            return ""
        fleet = f"--fleet {shlex.quote(self.fleet)} " if self.fleet else ""
        return f"--tenant {shlex.quote(self.tenant)} {fleet}"


@dataclass(frozen=True, slots=True)
class ArchivePlace:
    """An archive in which a command works; a tenant's, which is `held`, has more than its folder.

    `command` is which one it is; `arguments` are what others need to work in the same archive.
    """

    config: "Config"
    command: str
    arguments: str = ""
    held: "HeldArchive | None" = None

    @property
    def is_tenant(self) -> bool:
        """Whether it is the archive of a tenant, which is put back after each change."""
        return self.held is not None

    @property
    def store(self) -> "StagedStore":
        """Its media."""
        from archiver.media.folder_store import FolderStore

        return self.held.store if self.held else FolderStore(self.config.archive.directory)

    @property
    def remove_files(self) -> "RemoveFiles | None":
        """What removes files that no row names, where they are not in its folder."""
        return self.held.remove_files if self.held else None

    def bring_here(self) -> None:
        """Have the current version of a tenant's database on this machine. Raises StorageError."""
        if self.held:
            self.held.bring_here()

    def check_version(self, part: "Slice") -> "list[Finding]":
        """What is damaged of the version of a tenant's database in the store, as it is kept."""
        return list(self.held.check_version(part)) if self.held else []

    def put_back(self, *, whole: bool = False) -> None:
        """Put the database of a tenant back, what changed or all of it. Raises StorageError."""
        if self.held:
            self.held.put_back(whole=whole)

    @contextmanager
    def writing(self, notify: Callable[[str], None]) -> Iterator["sqlite3.Connection"]:
        """The archive, to be changed; put back then. Raises UsageError, StorageError."""
        from archiver.archive.database import writer

        directory = self.config.archive.directory
        if not self.is_tenant:
            refuse_part_of_tenant(directory, self.command)
        is_changed = False
        try:
            with writer(directory, create=False, notify=notify) as connection:
                before = connection.total_changes
                try:
                    yield connection
                finally:
                    is_changed = connection.total_changes != before
        except UsageError:
            if is_changed:  # that it was refused is on record
                self.put_back()
            raise
        self.put_back()


def tenant_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command; its function gets them as one `chosen_tenant`."""

    @wraps(function)
    def with_tenant(*args: Any, **kwargs: Any) -> Any:
        chosen = TenantChoice(kwargs.pop("tenant"), kwargs.pop("fleet"))
        return function(*args, chosen_tenant=chosen, **kwargs)

    for decorate in (
        click.option(
            "--fleet", metavar="FILE", help="The settings of the tenant's fleet; else fleet.toml."
        ),
        click.option(
            "--tenant", metavar="NAME", help="In the archive of this tenant of a fleet."
        ),
    ):  # fmt: skip
        with_tenant = decorate(with_tenant)
    return with_tenant


@contextmanager
def archive_place(
    shell: Shell, chosen: TenantChoice, command: str, *, brought: bool = True
) -> Iterator[ArchivePlace]:
    """The archive of the config, or that of a tenant, which no worker gets meanwhile.

    `command` is who has it then. Unless `brought`, its database is not on this machine yet.
    Raises UsageError, ConfigError, StorageError.
    """
    if chosen.tenant is None:
        _refuse_fleet_alone(chosen)
        yield ArchivePlace(shell.config(), command)
        return
    settings = _fleet_settings(shell, chosen)
    from archiver.fleet.held_archives import held_archive

    with held_archive(settings, chosen.tenant, command) as held:
        place = ArchivePlace(held.config, command, chosen.arguments, held)
        if brought:
            place.bring_here()
        yield place


@dataclass(frozen=True, slots=True)
class ReadPlace:
    """An archive that is only read; `name` is for messages, and `store` has its media.

    None is the store of the folder.
    """

    directory: Path
    name: str
    config: "Config"
    store: "MediaStore | None" = None


@contextmanager
def reading_place(shell: Shell, chosen: TenantChoice) -> Iterator[ReadPlace]:
    """The archive of the config, or the version of a tenant's that is on record.

    Workers go on meanwhile. Raises UsageError, ConfigError, StorageError.
    """
    from archiver.cli.text import safe

    if chosen.tenant is None:
        _refuse_fleet_alone(chosen)
        config = shell.config()
        yield ReadPlace(config.archive.directory, safe(config.archive.directory), config)
        return
    settings = _fleet_settings(shell, chosen)
    from archiver.fleet.reading import read_tenant

    with read_tenant(settings, chosen.tenant) as found:
        name = f"{chosen.tenant}, version {found.version} of {found.saved_at:%Y-%m-%d %H:%M} UTC,"
        yield ReadPlace(found.config.archive.directory, name, found.config, found.store)


def _refuse_fleet_alone(chosen: TenantChoice) -> None:
    if chosen.fleet is not None:
        raise UsageError("--fleet needs --tenant", hint="Name the tenant too")


def refuse_folder_of_tenant(chosen: TenantChoice, folder: Path | None, name: str) -> None:
    """Raise UsageError where both a tenant and a folder are named. `name` is the argument's."""
    if folder is not None and (chosen.tenant is not None or chosen.fleet is not None):
        raise UsageError(
            f"--tenant names an archive, and {name} another one", hint="Leave out one of them"
        )


def _fleet_settings(shell: Shell, chosen: TenantChoice) -> "FleetSettings":
    """The settings of the tenant's fleet. Raises UsageError, ConfigError."""
    if shell.config_file is not None:
        raise UsageError("A tenant has the settings of its fleet: leave out --config")
    from archiver.fleet.extra import require_extra

    require_extra()
    from archiver.fleet.settings import load_fleet

    disable_core_dumps()
    return load_fleet(Path(chosen.fleet or _FLEET))


def refuse_part_of_tenant(directory: Path, command: str) -> None:
    """Raise UsageError where not all of an archive is in its folder, but media in a bucket.

    Then the versions of its database are not there either. `command` is what was asked for.
    """
    if (directory / _PLACE_OF_TENANT).exists() and not (directory / "versions").exists():
        raise UsageError(
            f"{directory} has the database of a tenant, whose media lies in an object store",
            kept="Nothing was done",
            hint=f"{command} --tenant {directory.name} --fleet FILE works in both",
        )
