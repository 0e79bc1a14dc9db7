"""`archiver hold`: place legal holds on posts, list and release them."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Literal

import click

from archiver.cli.post_options import PostChoice, post_options, scope_of
from archiver.cli.shell import Shell, pass_shell, subcommand
from archiver.cli.tenants import ArchivePlace, TenantChoice, archive_place, tenant_options
from archiver.cli.text import safe, table, wrap
from archiver.errors import UsageError
from archiver.human import counted

if TYPE_CHECKING:
    import sqlite3

    from archiver.archive.holds import Hold

_EXAMPLE = """
archiver hold add --matter 2026/17 --reason Claim --account acme
archiver hold add 1207 --matter 2026/18 --reason "A request"
archiver hold list
archiver hold release --matter 2026/17 --reason Settled
archiver hold add --matter 2026/17 --reason Claim --all --tenant acme
"""


@subcommand(
    "hold", short_help="Place legal holds, list and release them.", example=_EXAMPLE
)  # fmt: skip
@click.argument("action", type=click.Choice(["add", "list", "release"]))
@post_options
@click.option("--matter", metavar="NAME", help="The case, by its name or number.")
@click.option("--reason", metavar="TEXT", help="Why the hold is placed, or ends.")
@click.option("--by", "who", metavar="NAME", help="Who decided it, else the actor of this command.")
@click.option("--all", "everything", is_flag=True, help="add: hold every post of the archive.")
@click.option("--released", is_flag=True, help="list: also the holds that have ended.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@tenant_options
@pass_shell
def command(
    shell: Shell, action: Literal["add", "list", "release"], choice: PostChoice,
    matter: str | None, reason: str | None, who: str | None, everything: bool, released: bool,
    as_json: bool, chosen_tenant: TenantChoice,
) -> None:  # fmt: skip
    """Keep posts for a legal matter: until its holds are released, nothing disposes of them.

    A hold is on the posts that match all of what is given, also those that are saved later. POST is
    an address, an id on the platform, or a number in the archive. Pages of archiver browse and
    archiver status show holds, and archiver export --held writes what is held. A hold is never
    deleted: it is released, and stays on record.
    """
    if action != "list" and not (matter and reason):
        raise UsageError(f"archiver hold {action} needs --matter and --reason")
    with archive_place(shell, chosen_tenant, "archiver hold") as place:
        if action == "list":
            _list(shell, place, matter, released=released, as_json=as_json)
        elif action == "add":
            _add(
                shell, place, choice, matter or "", reason or "", who, everything=everything,
                as_json=as_json,
            )  # fmt: skip
        else:
            _release(shell, place, matter or "", reason or "", who, as_json=as_json)


def _add(
    shell: Shell, place: ArchivePlace, choice: PostChoice, matter: str, reason: str,
    who: str | None, *, everything: bool, as_json: bool,
) -> None:  # fmt: skip
    from archiver.actors import actor
    from archiver.archive.holds import place_hold, place_hold_on_all
    from archiver.models import current_time

    named = who or actor(place.config.archive.actor)
    with place.writing(shell.warn) as connection:
        scope = scope_of(connection, choice)
        if everything and choice != PostChoice():
            raise UsageError("--all is for every post; leave out what restricts it")
        if everything:
            hold = place_hold_on_all(connection, matter, reason, named, current_time())
        else:
            hold = place_hold(connection, matter, reason, scope, named, current_time())
        held = sum(1 for _ in hold.posts.ids(connection))
        words = hold.posts.in_words(connection)
    if as_json:
        shell.json({**asdict(hold), "posts": held})
        return
    shell.report(
        wrap(f"Hold {hold.id} for {safe(hold.matter)}: {safe(words)}, {counted(held, 'post')} now.")
    )


def _release(
    shell: Shell, place: ArchivePlace, matter: str, reason: str, who: str | None, *, as_json: bool
) -> None:
    from archiver.actors import actor
    from archiver.archive.holds import lasting_holds, release_holds
    from archiver.models import current_time

    named = who or actor(place.config.archive.actor)
    with place.writing(shell.warn) as connection:
        found = lasting_holds(connection, matter)
        if not found:
            raise _nothing_held(connection, matter)
        release_holds(connection, found, reason, named, current_time())
    if as_json:
        shell.json({"matter": matter, "released": [hold.id for hold in found]})
        return
    shell.report(f"{counted(len(found), 'hold')} for {safe(matter)} released.")


def _nothing_held(connection: "sqlite3.Connection", matter: str) -> UsageError:
    from archiver.archive.holds import lasting_holds

    known = dict.fromkeys(hold.matter for hold in lasting_holds(connection))
    hint = f"There are holds for {', '.join(map(safe, known))}" if known else "There are no holds"
    return UsageError(f"Nothing is held for {safe(matter)}", hint=hint)


def _list(
    shell: Shell, place: ArchivePlace, matter: str | None, *, released: bool, as_json: bool
) -> None:
    from archiver.archive.database import reader
    from archiver.archive.holds import holds

    with reader(place.config.archive.directory) as connection:
        found = [
            (hold, hold.posts.in_words(connection), sum(1 for _ in hold.posts.ids(connection)))
            for hold in holds(connection)
            if (released or hold.released_at is None) and matter in {None, hold.matter}
        ]
    if as_json:
        shell.json({"holds": [{**asdict(hold), "posts": count} for hold, _, count in found]})
        return
    shell.out(_table(found) if found else "There are no holds.")


def _table(found: "Sequence[tuple[Hold, str, int]]") -> str:
    rows = [
        (
            str(hold.id), hold.matter, words, f"{count:,}", hold.placed_at[:10], hold.placed_by,
            hold.reason, _end(hold),
        )
        for hold, words, count in found
    ]  # fmt: skip
    head = ["HOLD", "MATTER", "POSTS", "NOW", "SINCE", "BY", "WHY", "RELEASED"]
    return table(rows, head, right=[3], spare=[7])


def _end(hold: "Hold") -> str:
    if hold.released_at is None:
        return ""
    return f"{hold.released_at[:10]} by {hold.released_by}: {hold.release_reason}"
