"""Who an account is: another person under the same name is refused, not mixed in."""

from collections.abc import Callable
from pathlib import Path

import pytest

from archiver_ayrshare.demo.networks.base import JsonObject
from archiver_ayrshare.demo.posts import WorldPost
from support.nights import Nights, nights, rewrite

pytestmark = pytest.mark.slow

_KEPT = ("accounts", "posts", "events", "coverage", "revisions")


def watch(world: Nights, config: str = 'user_name = "Google"') -> None:
    """Back up somebody else's account on X."""
    world.extra = f'\n[[accounts]]\nname = "g"\nplatform = "twitter"\n{config}\n'


def test_a_handle_that_passed_to_somebody_else_is_refused(tmp_path: Path) -> None:
    with nights(tmp_path, "twitter") as world:
        watch(world)
        google = world.foreign_account("Google", "111")
        google.publish("By the first one")
        assert world.backup().exit_code == 0
        assert world.query("SELECT platform_id, handle FROM accounts") == [("111", "Google")]
        before = world.dump(*_KEPT)
        google.posts()[0].remove()
        google.publish("By the second one")
        google.platform_id = "222"
        for _ in range(2):
            world.next_night()

            report = world.backup()

            error = report.accounts[0].error
            assert error is not None
            assert (report.exit_code, error.code) == (5, "identity")
            assert "id 222" in str(error)
        assert world.dump(*_KEPT) == before


def test_whose_posts_they_are_costs_no_request(tmp_path: Path) -> None:
    with nights(tmp_path, "twitter") as world:
        watch(world)
        world.foreign_account("Google", "111").publish("Hello")

        world.backup()

        assert len(world.api_requests) == 1


def test_a_handle_stands_for_an_id_until_the_id_is_known(tmp_path: Path) -> None:
    with nights(tmp_path, "twitter") as world:
        watch(world)
        google = world.foreign_account("Google", "111")
        google.publish("Older form", older_form=True)

        first = world.backup()

        assert first.exit_code == 0
        assert "give user_id" in str(first.accounts[0].notes)
        assert world.column("SELECT platform_id FROM accounts") == ["@google"]

        world.next_night()
        google.publish("New spelling")
        second = world.backup()
        assert (second.exit_code, second.accounts[0].notes) == (0, [])
        assert world.column("SELECT platform_id FROM accounts") == ["111"]

        world.next_night()
        google.posts()[0].remove()
        assert world.backup().exit_code == 0, "posts that say nothing contradict nothing"
        assert world.column("SELECT platform_id FROM accounts") == ["111"]

        watch(world, 'user_id = "111"')
        world.next_night()
        assert world.backup().exit_code == 0
        assert world.column("SELECT count(*) FROM posts") == [2]


def test_another_handle_under_the_same_label_is_refused(tmp_path: Path) -> None:
    with nights(tmp_path, "twitter") as world:
        watch(world)
        world.foreign_account("Google").publish("By one", older_form=True)
        world.foreign_account("Else").publish("By another", older_form=True)
        world.backup()
        watch(world, 'user_name = "Else"')
        world.next_night()

        assert world.backup().exit_code == 5
        assert world.column("SELECT text FROM posts") == ["By one"]


def test_a_handle_in_other_letters_is_the_same(tmp_path: Path) -> None:
    with nights(tmp_path, "twitter") as world:
        watch(world)
        world.foreign_account("Google").publish("Hello", older_form=True)
        world.backup()
        watch(world, 'user_name = "@GOOGLE"')
        world.next_night()

        assert world.backup().exit_code == 0


def test_a_page_of_two_authors_is_of_the_one_who_wrote_most(tmp_path: Path) -> None:
    with nights(tmp_path, "twitter") as world:
        watch(world)
        google = world.foreign_account("Google", "111")
        for number in range(3):
            google.publish(str(number))

        def lend(post: WorldPost, record: JsonObject) -> None:
            if post.number == 2:
                record["authorId"] = "333"

        rewrite(google, lend)
        world.backup()

        assert world.column("SELECT platform_id FROM accounts") == ["111"]


def twice(world: Nights) -> None:
    """Two entries that lead to one account on X."""
    world.extra = "".join(
        f'\n[[accounts]]\nname = "{label}"\nplatform = "twitter"\nuser_name = "{handle}"\n'
        for label, handle in (("one", "Google"), ("other", "@GOOGLE"))
    )


def test_of_two_entries_for_one_account_the_second_is_refused(
    tmp_path: Path,
) -> None:
    with nights(tmp_path, "twitter") as world:
        twice(world)
        google = world.foreign_account("Google", "111")
        google.publish("Hello")
        labels = set()
        for _ in range(4):
            report = world.backup()
            world.next_night()
            (refused,) = [account for account in report.accounts if account.error]
            (good,) = [account for account in report.accounts if not account.error]
            assert (report.exit_code, good.outcome) == (2, "done")
            assert refused.error is not None
            assert (refused.error.code, refused.outcome) == ("duplicate_account", "failed")
            assert "one is the same" in str(refused.error) or "other is the same" in str(
                refused.error
            )
            assert all(label in str(refused.error) for label in ("one", "other"))
            labels.add((good.name, *world.column("SELECT name FROM accounts")))
        assert len(labels) == 1, "the account keeps its label, and the same entry is refused"
        full = "SELECT \"full\" FROM run_accounts WHERE outcome = 'done' ORDER BY run_id"
        assert world.column(full) == [1, 0, 0, 0]


def test_an_entry_that_was_removed_leaves_its_account_to_the_other(tmp_path: Path) -> None:
    with nights(tmp_path, "twitter") as world:
        twice(world)
        world.foreign_account("Google", "111").publish("Hello")
        report = world.backup()
        (refused,) = [account.name for account in report.accounts if account.error]
        watch(world)
        world.extra = world.extra.replace('"g"', f'"{refused}"')
        world.next_night()

        assert world.backup().exit_code == 0
        assert world.column("SELECT name FROM accounts") == [refused]


def x_edit(_: WorldPost, record: JsonObject, edited: bool) -> None:
    """X gives an edited post a new id, and lists the earlier ones."""
    first = record["id"]
    new = f"9{first}" if edited else first
    record.update(id=new, editHistoryTweetIds=[first, new] if edited else [first])


def linkedin_edit(_: WorldPost, record: JsonObject, edited: bool) -> None:
    """A share becomes a post; the activity stays."""
    number = str(record["id"]).rpartition(":")[2]
    record["activity"] = f"urn:li:activity:{number}"
    if edited:
        record["id"] = f"urn:li:ugcPost:{number}"


def facebook_edit(_: WorldPost, record: JsonObject, edited: bool) -> None:
    """The page is in the id, or it is not."""
    page, number = (["55", *str(record["id"]).split("_")])[-2:]
    record.update(id=number if edited else f"{page}_{number}", postId=number)


@pytest.mark.parametrize(
    ("platform", "edit"),
    [("twitter", x_edit), ("linkedin", linkedin_edit), ("facebook", facebook_edit)],
)
def test_an_edit_that_brings_a_new_id_is_one_edit_of_one_post(
    tmp_path: Path, platform: str, edit: Callable[[WorldPost, JsonObject, bool], None]
) -> None:
    with nights(tmp_path, platform) as world:
        post = world.account(platform).publish("Good morning")
        edited = False
        rewrite(world.account(platform), lambda post, record: edit(post, record, edited))
        world.backup()

        edited = True
        post.edit(text="Good evening")
        world.next_night()
        counts = world.backup(full=True).counts
        assert (counts.new, counts.edited) == (0, 1)

        for _ in range(3):
            world.next_night()
            counts = world.backup(full=True).counts
            assert (counts.new, counts.edited, counts.removed) == (0, 0, 0)
        assert world.query("SELECT text, removed_at FROM posts") == [("Good evening", None)]
        assert world.column("SELECT number FROM revisions") == [1, 2]
