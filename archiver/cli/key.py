"""`archiver key`: the key that signs checkpoints, and its changes."""

from typing import TYPE_CHECKING

import click

from archiver.cli.shell import Shell, pass_shell, subcommand
from archiver.cli.text import safe, table
from archiver.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from archiver.evidence.signing_keys import Reason

_CHANGES: "dict[str, Reason]" = {
    "rotate": "rotated", "lost": "lost", "compromised": "compromised",
}  # fmt: skip


@subcommand(
    "key",
    short_help="Show or change the key that signs checkpoints.",
    example="archiver key\narchiver key --rotate\narchiver key --lost\narchiver key --json",
)
@click.option("--rotate", is_flag=True, help="Make a new key, which the old one signs.")
@click.option("--lost", is_flag=True, help="Make a new key: the old one is lost.")
@click.option(
    "--compromised", is_flag=True, help="Make a new key: somebody else may have the old one."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@pass_shell
def command(shell: Shell, rotate: bool, lost: bool, compromised: bool, as_json: bool) -> None:
    """Show the public keys that signed the checkpoints of the archive, and since when.

    Give the newest one to whoever should be able to check signatures. The private key is in a file
    that is not part of the archive; it is made by the first backup. Keep a copy of it.

    Each change of the key is on record in the archive. Checkpoints that were signed before stay
    valid.
    """
    from archiver.archive.checkpoints import origin
    from archiver.archive.database import reader, writer
    from archiver.evidence.notes import public_text
    from archiver.evidence.signing_keys import can_sign, change_key, key_path, keys_on_record
    from archiver.models import current_time

    asked = {"rotate": rotate, "lost": lost, "compromised": compromised}
    wanted = [reason for name, reason in _CHANGES.items() if asked[name]]
    if len(wanted) > 1:
        raise UsageError("Give only one of --rotate, --lost and --compromised")
    config = shell.config()
    directory = config.archive.directory
    if wanted:
        if not can_sign():
            raise ConfigError(
                "Keys need the extra evidence",
                hint='Install it with pip install "social-archiver[evidence]"',
                code="not_installed",
            )
        with writer(directory, create=False) as connection:
            if wanted != ["rotated"] and not keys_on_record(connection):
                raise UsageError("There is no key yet: the first backup makes it")
            change_key(config, connection, wanted[0], current_time())
    with reader(directory) as connection:
        name, known = origin(connection), keys_on_record(connection)
    path = key_path(config)
    keys = [
        {
            "at": key.at,
            "since": key.since,
            "reason": key.reason,
            "key": public_text(name, key.public),
        }
        for key in known
    ]
    if as_json:
        shell.json({"file": str(path) if path else None, "keys": keys})
        return
    if not known:
        shell.out("There is no key yet: the first backup makes it.")
        return
    rows = [
        (str(key["at"])[:16].replace("T", " "), f"{key['since']:,}", key["reason"], key["key"])
        for key in keys
    ]
    shell.out(table(rows, ["SINCE", "ENTRIES", "WHY", "PUBLIC KEY"], right=[1], whole=[3]))
    if path is not None:
        shell.say(f"\nThe private key: {safe(str(path))}. Keep a copy of it elsewhere.")
