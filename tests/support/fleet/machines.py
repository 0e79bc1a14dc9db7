"""Machines of a fleet, on which a person works in a tenant by the command line."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import Result

from archiver.archive.database import DATABASE
from archiver.fleet.settings import load_fleet
from archiver.fleet.storage import TenantStorage, open_storage
from support.running import Cli


@dataclass
class Machine:
    """A machine with a `fleet.toml`, on which somebody works in acme."""

    cli: Cli
    file: Path

    def erase(self, *words: object) -> str:
        done = self.try_erase(*words)
        assert done.exit_code == 0, done.output
        return " ".join(done.output.split())

    def try_erase(self, *words: object) -> Result:
        return self.run("erase", *words)

    def run(self, *words: object) -> Result:
        """Run a command in acme."""
        at = ("--tenant", "acme", "--fleet", self.file)
        return self.cli(*(str(word) for word in (*words, *at)))

    def storage(self, tenant: str = "acme") -> TenantStorage:
        return open_storage(load_fleet(self.file), tenant)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.storage().directory / DATABASE)) as connection:
            rows = connection.execute(query).fetchall()
            connection.commit()
        return rows
