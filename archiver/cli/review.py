"""`archiver review`: mark posts as reviewed."""

from dataclasses import asdict

import click

from archiver.cli.history import one_post
from archiver.cli.shell import Shell, pass_shell, subcommand
from archiver.cli.text import safe
from archiver.human import counted


@subcommand(
    "review",
    short_help="Mark posts as reviewed, with a note.",
    example="archiver review 1207 --note 'Approved by the legal department'\n"
    "archiver review https://www.instagram.com/p/C9example/ 1208",
)
@click.argument("posts", metavar="POST...", nargs=-1, required=True)
@click.option("--note", metavar="TEXT", help="What you have to say of them.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@pass_shell
def command(shell: Shell, posts: tuple[str, ...], note: str | None, as_json: bool) -> None:
    """Write into the archive that you have reviewed POST, and when.

    POST is its address, its id on the platform, or its number in the archive, as for archiver
    history, which shows its reviews; so do archiver report and the page of the post. A review is
    never changed or deleted, and the ledger commits to it. Your name is the actor of the config,
    else the user and host.
    """
    from archiver.archive.actions import add_action, reviews_of
    from archiver.archive.database import transaction, writer
    from archiver.models import current_time

    settings = shell.config().archive
    at = current_time()
    words = (note or "").strip() or None
    with writer(settings.directory, create=False, notify=shell.warn) as connection:
        found = [one_post(connection, post) for post in posts]
        with transaction(connection):
            for post in found:
                add_action(connection, "review", at, settings.actor, post_id=post.id, note=words)
        made = [reviews_of(connection, post.id)[-1] for post in found]
    if as_json:
        shell.json({"reviews": [asdict(review) for review in made]})
    else:
        shell.report(f"{counted(len(made), 'post')} marked as reviewed by {safe(made[0].actor)}.")
