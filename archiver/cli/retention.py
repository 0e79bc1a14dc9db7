"""`archiver retention`: what is due by the rules of the config, and disposing of it."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from archiver.cli.deliveries import give_checkpoint_away
from archiver.cli.erase import print_disposed
from archiver.cli.shell import Shell, pass_shell, subcommand
from archiver.cli.tenants import ArchivePlace, TenantChoice, archive_place, tenant_options
from archiver.cli.text import table
from archiver.errors import ConfigError, UsageError
from archiver.human import counted

if TYPE_CHECKING:
    import sqlite3

    from archiver.config import Config
    from archiver.retention.erasure import Erasure
    from archiver.retention.rules import DuePosts
    from archiver.settings import RetentionRule


@subcommand(
    "retention",
    short_help="List what is due by rules, or dispose of it.",
    example="archiver retention\n"
    "archiver retention stories --posts\n"
    "archiver retention stories --dispose --by 'records office'",
)
@click.argument("names", metavar="[RULE]...", nargs=-1)
@click.option("--posts", "with_posts", is_flag=True, help="List each post that is due.")
@click.option(
    "--dispose", is_flag=True, help="Erase what is due for good; a certificate for each rule."
)
@click.option("--by", "who", metavar="NAME", help="Who decided it, else the actor.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@tenant_options
@pass_shell
def command(
    shell: Shell, names: tuple[str, ...], with_posts: bool, dispose: bool, who: str | None,
    as_json: bool, chosen_tenant: TenantChoice,
) -> None:  # fmt: skip
    """List which posts are due by the [[retention]] rules of the config, or by those named.

    Nothing is disposed of by itself. With --dispose, posts that are due by a rule with the action
    "erase" are erased, as archiver erase does it: for good. What is under legal hold stays.
    """
    if dispose and with_posts:
        raise UsageError("--posts lists, and --dispose disposes: one at a time")
    with archive_place(shell, chosen_tenant, "archiver retention") as place:
        chosen = _chosen(place.config, names)
        if dispose:
            _dispose(shell, place, chosen, who, as_json=as_json)
        else:
            _list(shell, place.config, chosen, with_posts=with_posts, as_json=as_json)


def _chosen(config: "Config", names: Sequence[str]) -> Sequence[str]:
    """The names of the rules that are asked for; all, if none is named."""
    if not config.retention:
        raise ConfigError(
            f"There are no retention rules in {config.path}",
            hint="A table [[retention]] is one; docs/retention.md shows how",
        )
    known = [rule.name for rule in config.retention]
    if unknown := [name for name in names if name not in known]:
        raise UsageError(
            f"There is no retention rule {unknown[0]}", hint=f"There are {', '.join(known)}"
        )
    return names or known


def _list(
    shell: Shell, config: "Config", chosen: Sequence[str], *, with_posts: bool, as_json: bool
) -> None:
    from archiver.archive.database import reader
    from archiver.retention.rules import check_accounts, due_posts, posts_without_rule

    with reader(config.archive.directory) as connection:
        check_accounts(connection, config.retention, {entry.name for entry in config.accounts})
        found = [
            due
            for due in due_posts(connection, config.retention, datetime.now(UTC))
            if due.rule.name in chosen
        ]
        without = posts_without_rule(connection, config.retention)
        listed = list(_posts(connection, found)) if with_posts else []
    if as_json:
        shell.json({"rules": list(map(_fields, found)), "posts_without_rule": without})
        return
    if with_posts:
        head = ["RULE", "POST", "ACCOUNT", "KIND", "PUBLISHED", "ON THE PLATFORM", "HELD FOR"]
        shell.out(table(listed, head, right=[1]) if listed else "Nothing is due.")
        return
    shell.out(_table(found))
    if without:
        is_or_are = "is" if without == 1 else "are"
        shell.out(f"{counted(without, 'post')} {is_or_are} under no rule, and never due.")


def _dispose(
    shell: Shell, place: ArchivePlace, chosen: Sequence[str], who: str | None, *, as_json: bool
) -> None:
    from functools import partial

    from archiver.actors import actor
    from archiver.evidence.signing import erasure_seal
    from archiver.models import time_text
    from archiver.retention.rules import check_accounts, dispose

    config = place.config
    directory = config.archive.directory
    named = who or actor(config.archive.actor)
    accounts = {entry.name for entry in config.accounts}
    with place.writing(shell.warn) as connection:
        check_accounts(connection, config.retention, accounts)
        now = datetime.now(UTC)
        make_seal = partial(erasure_seal, connection, config, time_text(now))
        done = dispose(
            connection, directory, config.retention, chosen, named, now, make_seal,
            place.remove_files,
        )  # fmt: skip
    _print(shell, done, place, as_json=as_json)
    if done and give_checkpoint_away(shell, config):
        place.put_back()


def _print(shell: Shell, done: "Sequence[Erasure]", place: ArchivePlace, *, as_json: bool) -> None:
    if as_json:
        shell.json({"disposed": list(map(_disposed, done))})
        return
    for each in done:
        shell.report(f"Erasure {each.id}, by rule {each.basis}:")
        print_disposed(shell, each, place, as_json=False)
    if not done:
        shell.report(
            "No post was erased: none is due by a rule that erases, or all of those are held."
        )


def _disposed(done: "Erasure") -> dict[str, object]:
    return {"erasure": done.id, "posts": done.count, "basis": done.basis}


def _fields(due: "DuePosts") -> dict[str, object]:
    rule = due.rule
    return {
        "name": rule.name, "accounts": list(rule.accounts), "kinds": list(rule.kinds),
        "period": str(rule.period), "trigger": rule.trigger, "action": rule.action,
        "basis": rule.basis, "posts": due.under, "due": list(due.free), "held": list(due.held),
    }  # fmt: skip


def _table(found: "Sequence[DuePosts]") -> str:
    rows = [
        (
            due.rule.name, _whose(due.rule), str(due.rule.period),
            due.rule.trigger.replace("_", " "), due.rule.action, f"{due.under:,}",
            f"{len(due.free):,}", f"{len(due.held):,}", due.rule.basis,
        )
        for due in found
    ]  # fmt: skip
    head = ["RULE", "FOR", "KEPT", "SINCE", "THEN", "POSTS", "DUE", "HELD", "BASIS"]
    return table(rows, head, right=[5, 6, 7], spare=[3], whole=[0, 2, 4])


def _whose(rule: "RetentionRule") -> str:
    """The accounts and kinds of a rule, such as `acme: story, reel`."""
    accounts = ", ".join(rule.accounts) or "all"
    return f"{accounts}: {', '.join(rule.kinds)}" if rule.kinds else accounts


def _posts(
    connection: "sqlite3.Connection", found: "Sequence[DuePosts]"
) -> Iterator[tuple[str, ...]]:
    """The rows of the list of posts."""
    from archiver.archive.holds import matters_of_posts

    query = """
        SELECT accounts.name, kind, created_at, posts.platform_id
          FROM posts JOIN accounts ON accounts.id = account_id WHERE posts.id = ?
    """
    for due in found:
        matters = matters_of_posts(connection, due.held)
        for post_id in sorted((*due.free, *due.held)):
            account, kind, created_at, name = connection.execute(query, (post_id,)).fetchone()
            held_for = ", ".join(matters.get(post_id, ()))
            day = (created_at or "")[:10]
            yield due.rule.name, str(post_id), account, kind, day, name, held_for
