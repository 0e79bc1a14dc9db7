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
class ErasePlace:
    """An archive in which posts are erased; a tenant's has more than its folder.

    `arguments` are what other commands need to work in the same one.
    """

    config: "Config"
    arguments: str = ""
    remove_files: "RemoveFiles | None" = None
    put_back: Callable[[], None] = lambda: None

    @property
    def is_tenant(self) -> bool:
        """Whether it is the archive of a tenant, which is put back after each change."""
        return self.remove_files is not None

    @contextmanager
    def writing(self, notify: Callable[[str], None]) -> Iterator["sqlite3.Connection"]:
        """The archive, to be changed; put back then. Raises UsageError, StorageError."""
        from archiver.archive.database import writer

        directory = self.config.archive.directory
        if not self.is_tenant:
            _refuse_part_of_tenant(directory)
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
def erase_place(shell: Shell, chosen: TenantChoice) -> Iterator[ErasePlace]:
    """The archive of the config, or that of a tenant, which no worker gets meanwhile.

    Raises UsageError, ConfigError, StorageError.
    """
    if chosen.tenant is None:
        if chosen.fleet is not None:
            raise UsageError("--fleet needs --tenant", hint="Name the tenant too")
        yield ErasePlace(shell.config())
        return
    if shell.config_file is not None:
        raise UsageError("A tenant has the settings of its fleet: leave out --config")
    from archiver.fleet.extra import require_extra

    require_extra()
    from archiver.fleet.settings import load_fleet
    from archiver.fleet.tenant_erasing import erasable_tenant

    disable_core_dumps()
    settings = load_fleet(Path(chosen.fleet or _FLEET))
    with erasable_tenant(settings, chosen.tenant, "archiver erase") as found:
        yield ErasePlace(found.config, chosen.arguments, found.remove_files, found.put_back)


def _refuse_part_of_tenant(directory: Path) -> None:
    """Raise UsageError where not all of an archive is in its folder, but media in a bucket.

    Then the versions of its database are not there either.
    """
    if (directory / _PLACE_OF_TENANT).exists() and not (directory / "versions").exists():
        raise UsageError(
            f"{directory} has the database of a tenant, whose media lies in an object store",
            kept="Nothing was erased",
            hint=f"archiver erase --tenant {directory.name} --fleet FILE erases in both",
        )
