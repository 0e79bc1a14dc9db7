"""`archiver separate`: undo a match of two sources' posts by a rule."""

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from archiver.cli.shell import Shell, pass_shell, subcommand
from archiver.errors import UsageError

if TYPE_CHECKING:
    import sqlite3

    from archiver.archive.parse_context import ParseContext
    from archiver.models import Account, Post


@subcommand(
    "separate",
    short_help="Separate two posts that were matched by a rule.",
    example="archiver separate 1207 export",
)
@click.argument("post_id", metavar="POST", type=int)
@click.argument("source")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@pass_shell
def command(shell: Shell, post_id: int, source: str, as_json: bool) -> None:
    """Move the record of POST in SOURCE to a post of its own.

    Where a source has no ids, a post is known by its time, its wording and its kinds of media, and
    the event "merged" of the post says so. If that was wrong, this undoes it for good. POST is the
    number of the post: the one in the address of its page in archiver browse.
    """
    from archiver.archive.database import writer
    from archiver.archive.packages import EXPORT
    from archiver.archive.separation import matched_record, separate
    from archiver.models import current_time

    config = shell.config()
    now = current_time()
    with writer(config.archive.directory, notify=shell.warn) as connection:
        raw, rule = matched_record(connection, post_id, source)
        if source == EXPORT:
            context, post = _export_context(shell, connection, post_id, raw)
        else:
            account = _account_of(shell, connection, post_id, source)
            context, post = _parse_context(shell, account, raw)
        new_id = separate(connection, post_id, post, raw, context, now)
    if as_json:
        shell.json({"post": post_id, "source": source, "new_post": new_id, "rule": rule})
    else:
        shell.say(
            f"The record of post {post_id} in {source} is post {new_id} now; "
            f"it had been matched by {rule}."
        )


def _account_of(
    shell: Shell, connection: "sqlite3.Connection", post_id: int, source: str
) -> "Account":
    """The account of a post, with a source. Raises UsageError, ConfigError."""
    query = "SELECT name FROM accounts JOIN posts ON account_id = accounts.id WHERE posts.id = ?"
    (name,) = connection.execute(query, (post_id,)).fetchone()
    config, plugins = shell.config(), shell.plugins()
    for entry in config.select([name]):
        if config.source_of(entry, plugins) == source:
            return config.account(entry, plugins)
    raise UsageError(
        f"{config.path} has no entry for {name} through {source}",
        hint="The record is parsed again with the options of that entry: add it, if only for this",
    )


def _parse_context(shell: Shell, account: "Account", raw: str) -> tuple["ParseContext", "Post"]:
    """The parse context of an account, and the post of its record."""
    from archiver.archive.parse_context import ParseContext
    from archiver.backup.account_reader import AccountReader
    from archiver.backup.wanted_files import choose_by
    from archiver.clock import SystemClock
    from archiver.minimisation import Minimiser
    from archiver.report import AccountReport

    config, plugins = shell.config(), shell.plugins()
    platform = plugins.platform(account.platform, account.source)
    report = AccountReport(account.name, account.platform, account.source)
    minimiser = Minimiser.of(config.archive.leave_out)
    reader = AccountReader(account, platform, None, SystemClock(), report, minimiser=minimiser)
    ranks = {source.name: source.rank for source in plugins.sources}
    context = ParseContext(
        account.source, platform.content_version, reader.read, choose_by(config.media),
        reader.view, reader.fingerprint, ranks, record_text=reader.record_text,
    )  # fmt: skip
    return context, reader.read(json.loads(raw))


def _export_context(
    shell: Shell, connection: "sqlite3.Connection", post_id: int, raw: str
) -> tuple["ParseContext", "Post"]:
    """The parse context of a post that an export showed, and the post of its record there.

    Raises UsageError where no plugin reads exports of its platform.
    """
    from archiver.archive.packages import EXPORT
    from archiver.archive.parse_context import ParseContext
    from archiver.backup.wanted_files import choose_by
    from archiver.minimisation import Minimiser
    from archiver.models import Account

    query = """
        SELECT accounts.name, accounts.platform FROM accounts
          JOIN posts ON account_id = accounts.id WHERE posts.id = ?
    """
    name, platform = connection.execute(query, (post_id,)).fetchone()
    readers = {reader.name: reader for reader in shell.plugins().export_readers}
    if platform not in readers:
        raise UsageError(f"No plugin reads exports of {platform}")
    reader, account = readers[platform], Account(name, platform, EXPORT, None)
    config = shell.config()
    minimiser = Minimiser.of(config.archive.leave_out)

    def read(data: Any) -> "Post":
        return minimiser.reduce_post(reader.read(data, account))

    context = ParseContext(
        EXPORT, reader.content_version, read,
        choose_by(replace(config.media, videos="best", thumbnails=True)),
        ranks={source.name: source.rank for source in shell.plugins().sources},
        record_text=lambda record: minimiser.record_text(record, read),
    )  # fmt: skip
    return context, read(json.loads(raw))
