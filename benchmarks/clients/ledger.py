"""`archiver backup --now --full`, with the ledger or without.

ledger.py CONFIG with             as it is; what the ledger and the signing take is timed within
ledger.py CONFIG without          no transaction notes what it writes, and nothing is signed

The last line is the seconds of the run inside of the ledger's functions and of the signing.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from archiver.archive import ledger, rows, transactions
from archiver.backup import backup_run
from archiver.cli import main as archiver
from archiver.evidence.signing import Sealed

PARTS = (
    (ledger, "write_entry"),
    (rows, "note_added"),
    (rows, "note_changed"),
    (rows, "note_removed"),
    (backup_run, "seal"),
)
"""The functions of the ledger, in the modules that call them."""


def main(config: str, how: str) -> None:
    spent: list[float] = []
    if how == "without":
        vars(transactions)["ledger_entry"] = _no_entry
        vars(backup_run)["seal"] = _no_checkpoint
        vars(backup_run)["load_library"] = lambda: None
    else:
        for module, name in PARTS:
            vars(module)[name] = timed(vars(module)[name], spent)
    try:
        archiver(["--config", config, "backup", "--now", "--full"])
    finally:
        print(sum(spent))


def timed(function: Callable[..., Any], spent: list[float]) -> Callable[..., Any]:
    """The function; each call adds its seconds to `spent`."""

    def call(*given: Any, **named: Any) -> Any:
        before = time.perf_counter()
        try:
            return function(*given, **named)
        finally:
            spent.append(time.perf_counter() - before)

    return call


@contextmanager
def _no_entry(_connection: object) -> Iterator[Callable[[], None]]:
    yield lambda: None


def _no_checkpoint(*_given: object) -> Sealed:
    return Sealed(None)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
