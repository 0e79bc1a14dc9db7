"""`archiver erase`: erase posts for good, in two steps, with a certificate."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from archiver.cli.deliveries import give_checkpoint_away
from archiver.cli.post_options import PostChoice, post_options, scope_of
from archiver.cli.shell import Shell, pass_shell, subcommand
from archiver.cli.tenants import ArchivePlace, TenantChoice, archive_place, tenant_options
from archiver.cli.text import safe, table, wrap
from archiver.errors import UsageError
from archiver.human import counted

if TYPE_CHECKING:
    from archiver.retention.erasure import Erasure

_EXAMPLE = """
archiver erase 1207 1208 --basis "GDPR Art. 17, case 2026/4" --dry-run
archiver erase 1207 1208 --basis "GDPR Art. 17, case 2026/4"
archiver erase --confirm 1
archiver erase --undo 1
archiver erase --certificate 1 > certificate.json
"""


@subcommand("erase", short_help="Erase posts for good, with a certificate.", example=_EXAMPLE)
@post_options
@click.option("--basis", metavar="TEXT", help="Why they may, or must, be erased: law and case.")
@click.option("--by", "who", metavar="NAME", help="Who asks, or confirms; else the actor.")
@click.option(
    "--keep-metrics", is_flag=True,
    help="Put the sums of their last numbers into the certificate.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Say what would be erased, and plan nothing.")
@click.option("--confirm", type=int, metavar="N", help="Carry out erasure N, or finish it.")
@click.option("--undo", type=int, metavar="N", help="Withdraw erasure N, which is only planned.")
@click.option("--certificate", type=int, metavar="N", help="Print the certificate of erasure N.")
@click.option("--list", "listed", is_flag=True, help="List all erasures.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@tenant_options
@pass_shell
def command(
    shell: Shell, choice: PostChoice, basis: str | None, who: str | None, keep_metrics: bool,
    dry_run: bool, confirm: int | None, undo: int | None, certificate: int | None, listed: bool,
    as_json: bool, chosen_tenant: TenantChoice,
) -> None:  # fmt: skip
    """Erase the posts that match all of what is given: planned at first, with --confirm for good.

    Nothing of them is left in the folder of the archive: texts, records, versions, answers of
    sources, search terms, numbers, files that no other post has, thumbnails, free pages, older
    databases. The ledger still proves all other posts. They are not saved again, from any source.
    Posts under legal hold are never erased. With --tenant, the object store of its fleet has
    nothing of them any more either: no media, and no older version of the database.
    """
    steps = [confirm is not None, undo is not None, certificate is not None, listed]
    if sum(steps) > 1 or (any(steps) and (choice != PostChoice() or basis or dry_run)):
        raise UsageError("--confirm, --undo, --certificate and --list stand alone, one at a time")
    asks = choice != PostChoice() and basis is not None
    if not any(steps) and not asks:
        raise _incomplete(choice)
    with archive_place(shell, chosen_tenant, "archiver erase") as place:
        if confirm is not None:
            _confirm(shell, place, confirm, who, as_json=as_json)
        elif undo is not None:
            _undo(shell, place, undo, who, as_json=as_json)
        elif certificate is not None:
            _print_certificate(shell, place, certificate)
        elif listed:
            _list(shell, place, as_json=as_json)
        elif dry_run:
            _count(shell, place, choice, as_json=as_json)
        else:
            _plan(shell, place, choice, basis or "", who, keep_metrics, as_json=as_json)


def _incomplete(choice: PostChoice) -> UsageError:
    if choice == PostChoice():
        hint = "Give posts, --account, --since, --until or --search"
        return UsageError("Which posts?", hint=hint)
    return UsageError("archiver erase needs --basis, such as the article of a law and a case")


def _count(shell: Shell, place: ArchivePlace, choice: PostChoice, *, as_json: bool) -> None:
    from archiver.archive.database import reader
    from archiver.archive.holds import matters_of_posts

    with reader(place.config.archive.directory) as connection:
        posts = list(scope_of(connection, choice).ids(connection))
        held = len(matters_of_posts(connection, posts))
    if as_json:
        shell.json({"posts": posts, "held": held})
    else:
        of_those = f", {held:,} of them under legal hold" if held else ""
        shell.report(f"{counted(len(posts), 'post')} would be erased{of_those}.")


def _plan(
    shell: Shell, place: ArchivePlace, choice: PostChoice, basis: str, who: str | None,
    keep_metrics: bool, *, as_json: bool,
) -> None:  # fmt: skip
    from archiver.models import current_time
    from archiver.retention.erasure import plan_erasure

    with place.writing(shell.warn) as connection:
        chosen = list(scope_of(connection, choice).ids(connection))
        planned = plan_erasure(
            connection, chosen, basis, _actor(place, who), current_time(),
            keeps_metrics=keep_metrics,
        )  # fmt: skip
    if as_json:
        shell.json(_fields(planned))
        return
    shell.report(
        wrap(
            f"Erasure {planned.id} is planned: {counted(planned.count, 'post')}. "
            "Nothing is erased yet."
        )
    )
    command_line = shell.command_line(f"erase {place.arguments}")
    shell.say(
        f"\nNext:\n  {command_line}--confirm {planned.id}\n"
        "      erases them; that cannot be undone\n"
        f"  {command_line}--undo {planned.id}\n"
        "      withdraws it"
    )


def _confirm(
    shell: Shell, place: ArchivePlace, number: int, who: str | None, *, as_json: bool
) -> None:
    from functools import partial

    from archiver.evidence.signing import erasure_seal
    from archiver.models import current_time
    from archiver.retention.erasure import carry_out, erasure_of

    config, now = place.config, current_time()
    directory = config.archive.directory
    with place.writing(shell.warn) as connection:
        done = erasure_of(connection, number)
        if done.state != "done" or not place.is_tenant:  # it may be done, and not put back
            make_seal = partial(erasure_seal, connection, config, now)
            done = carry_out(
                connection, directory, number, _actor(place, who), now, make_seal,
                place.remove_files,
            )  # fmt: skip
    print_disposed(shell, done, place, as_json=as_json)
    if give_checkpoint_away(shell, config):
        place.put_back()


def print_disposed(shell: Shell, done: "Erasure", place: ArchivePlace, *, as_json: bool) -> None:
    """Print what was erased, what was not, and where copies are."""
    import json

    said = json.loads(done.certificate or "{}")
    if as_json:
        shell.json(_fields(done) | {"certificate": said})
        return
    files = said["files"]
    shell.report(
        wrap(
            f"{counted(done.count, 'post')} erased, {counted(files['deleted'], 'file')} deleted, "
            f"{files['kept_since_others_use_them']:,} kept since other posts have them too."
        )
    )
    if profiles := said.get("profiles"):
        line = f"{counted(profiles, 'account')} without posts now: who they are is erased too."
        shell.report(wrap(line, rest="    "))
    for line in said["not_erased"]:
        shell.report(wrap(f"Not erased: {line}.", rest="    "))
    if why := said.get("not_signed"):
        shell.report(wrap(f"The certificate is not signed. {why}", rest="    "))
    for copy in said["known_copies"]:
        when, where = copy["last_copied_at"][:10], safe(copy["folder"])
        line = f"A copy of {when} is in {where}; this erases there: {safe(copy['erased_by'])}"
        shell.report(wrap(line, rest="    "))
    command_line = shell.command_line(f"erase {place.arguments}--certificate {done.id}")
    shell.say(f"\nThe certificate: {command_line}")


def _undo(
    shell: Shell, place: ArchivePlace, number: int, who: str | None, *, as_json: bool
) -> None:
    from archiver.models import current_time
    from archiver.retention.erasure import withdraw_erasure

    with place.writing(shell.warn) as connection:
        withdraw_erasure(connection, number, _actor(place, who), current_time())
    if as_json:
        shell.json({"id": number, "state": "withdrawn"})
    else:
        shell.report(f"Erasure {number} is withdrawn; nothing was erased.")


def _print_certificate(shell: Shell, place: ArchivePlace, number: int) -> None:
    from archiver.archive.database import reader
    from archiver.retention.erasure import erasure_of

    with reader(place.config.archive.directory) as connection:
        found = erasure_of(connection, number)
    if found.state != "done" or found.certificate is None:
        raise UsageError(f"Erasure {number} has no certificate: it is {found.state}")
    shell.out(found.certificate)


def _list(shell: Shell, place: ArchivePlace, *, as_json: bool) -> None:
    from archiver.archive.database import reader
    from archiver.retention.erasure import erasures

    with reader(place.config.archive.directory) as connection:
        found = erasures(connection)
    if as_json:
        shell.json({"erasures": [_fields(each) for each in found]})
        return
    shell.out(_table(found) if found else "Nothing was erased.")


def _table(found: "Sequence[Erasure]") -> str:
    rows = [
        (
            str(each.id), each.state, each.kind, f"{each.count:,}",
            (each.decided_at or each.requested_at)[:10], each.decided_by or each.requested_by,
            each.basis, each.reason or "",
        )
        for each in found
    ]  # fmt: skip
    head = ["ERASURE", "STATE", "KIND", "POSTS", "AT", "BY", "BASIS", "WHY"]
    return table(rows, head, right=[3], spare=[7])


def _fields(erasure: "Erasure") -> dict[str, object]:
    from dataclasses import asdict

    fields = asdict(erasure)
    fields.pop("certificate")
    return fields | {"posts": erasure.post_ids}


def _actor(place: ArchivePlace, who: str | None) -> str:
    from archiver.actors import actor

    return who or actor(place.config.archive.actor)
