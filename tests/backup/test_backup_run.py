"""What goes wrong: the right exit code, a sentence that helps, nothing lost."""

import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from archiver.archive.database import DATABASE, writer
from archiver.errors import ArchiveLocked, SchemaTooNew, StorageError
from archiver.evidence.files import Scope
from archiver.evidence.verify import verify
from support.nights import Nights, nights

pytestmark = pytest.mark.slow


def unlink_account(world: Nights) -> None:
    world.account("threads").linked = False


def wrong_key(world: Nights) -> None:
    world.given_key = "not the key"


def small_plan(world: Nights) -> None:
    world.plan = "basic"


def server_error(world: Nights) -> None:
    world.fail(status=503, times=None)


def not_json(world: Nights) -> None:
    world.fail("threads", status=200, raw="<html>Sign in to this network</html>", times=None)


def too_many_requests(world: Nights) -> None:
    world.limit_rate("threads", retry_after=60, times=None)


def relink(code: int) -> Callable[[Nights], None]:
    def fail(world: Nights) -> None:
        body = {"action": "history", "status": "error", "code": code, "message": "Please relink."}
        world.fail("threads", status=400, body=body, times=None)

    fail.__name__ = f"code_{code}"
    return fail


@pytest.mark.parametrize(
    ("what", "exit_code", "code", "words"),
    [
        (unlink_account, 5, "not_linked", "link"),
        (relink(156), 5, "not_linked", "link"),
        (relink(161), 5, "not_linked", "link"),
        (relink(272), 5, "not_linked", "link"),
        (wrong_key, 5, "credentials", "read from the file"),
        (small_plan, 5, "plan", "plan"),
        (server_error, 4, "server_error", "503"),
        (not_json, 4, "down", "JSON"),
        (too_many_requests, 4, "rate_limited", "429"),
    ],
)
def test_an_account_that_cannot_be_fetched_says_why(
    tmp_path: Path, what: Callable[[Nights], None], exit_code: int, code: str, words: str
) -> None:
    with nights(tmp_path, "threads") as world:
        world.account("threads").populate(3)
        world.backup()
        posts = world.dump("posts", "revisions", "media")
        world.next_night()
        what(world)

        report = world.backup()

        error = report.accounts[0].error
        assert error is not None
        assert (report.exit_code, error.code) == (exit_code, code)
        assert words in str(error)
        assert error.hint
        assert world.dump("posts", "revisions", "media") == posts
        assert world.query("SELECT outcome, error_code FROM run_accounts ORDER BY run_id")[-1] == (
            "failed", code,
        )  # fmt: skip


def test_a_key_that_is_refused_is_not_tried_again_and_again(tmp_path: Path) -> None:
    with nights(tmp_path, "threads") as world:
        world.given_key = "not the key"
        world.backup()
        assert len(world.api_requests) == 1


def test_one_bad_account_never_stops_the_others(tmp_path: Path) -> None:
    with nights(tmp_path, "threads", "instagram", "twitter") as world:
        for platform in world.platforms:
            world.account(platform).populate(3)
        world.fail("instagram", status=500, times=None)

        report = world.backup()

        assert report.exit_code == 3
        assert {a.name: a.outcome for a in report.accounts} == {
            "threads": "done", "instagram": "failed", "twitter": "done",
        }  # fmt: skip


def test_x_without_its_two_keys_fails_x_alone(tmp_path: Path) -> None:
    with nights(tmp_path, "threads", "twitter") as world:
        for platform in world.platforms:
            world.account(platform).populate(2)
        world.settings["ayrshare"] = ""

        report = world.backup()

        assert report.exit_code == 3
        assert report.accounts[0].outcome == "done"
        error = report.accounts[1].error
        assert error is not None
        assert "x_api_key" in str(error)


def test_a_secret_that_is_missing_is_named_with_exit_code_2(tmp_path: Path) -> None:
    with nights(tmp_path, "threads") as world:
        world.settings["ayrshare"] = ""
        world.extra += ""
        config = world.config()
        (tmp_path / "api-key").unlink()
        world.config = lambda: config  # type: ignore[method-assign]  # not written again

        report = world.backup()

        error = report.accounts[0].error
        assert error is not None
        assert (report.exit_code, error.code) == (2, "secret")
        assert "api-key" in str(error)


def test_another_person_behind_the_key_is_refused_not_mixed_in(tmp_path: Path) -> None:
    with nights(tmp_path, "instagram") as world:
        world.account("instagram").populate(3)
        world.backup()
        before = world.dump("posts", "accounts")
        world.next_night()
        world.account("instagram").platform_id = "17841400000000000"

        report = world.backup()

        error = report.accounts[0].error
        assert error is not None
        assert (report.exit_code, error.code) == (5, "identity")
        assert world.dump("posts", "accounts") == before


def test_a_new_label_in_the_config_is_the_same_account(tmp_path: Path) -> None:
    with nights(tmp_path, "instagram") as world:
        world.account("instagram").populate(3)
        world.backup()
        world.next_night()
        world.extra = '\n[[accounts]]\nname = "pots"\nplatform = "instagram"\n'

        report = world.backup()

        assert (report.exit_code, report.counts.new) == (0, 0)
        assert world.column("SELECT name FROM accounts") == ["pots"]


def test_a_new_name_of_the_account_leaves_the_old_one_on_record(tmp_path: Path) -> None:
    with nights(tmp_path, "instagram") as world:
        world.account("instagram").populate(1)
        world.backup()
        first = world.column("SELECT seen_at FROM account_profiles")
        for handle in ("renamed", "renamed", "demo"):
            world.next_night()
            world.account("instagram").handle = handle
            world.backup()

        names = world.query("SELECT handle, seen_at FROM account_profiles ORDER BY id")

        assert [handle for handle, _ in names] == ["demo", "renamed", "demo"]
        assert first == [names[0][1]]
        assert names == sorted(names, key=lambda row: row[1])
        assert world.column("SELECT handle FROM accounts") == ["demo"]
        assert verify(world.directory, Scope(), names[-1][1]).damage == []


def test_a_partial_answer_is_saved_and_proves_nothing(tmp_path: Path) -> None:
    with nights(tmp_path, "threads") as world:
        world.account("threads").populate(6)
        world.answer_partial("threads", times=None)

        report = world.backup()

        assert (report.exit_code, report.counts.new) == (3, 3)
        assert world.query("SELECT * FROM coverage") == []
        world.faults.clear()
        world.next_night()
        assert world.backup().exit_code == 0
        assert world.column("SELECT count(*) FROM posts") == [6]
        assert world.column("SELECT DISTINCT what FROM events") == ["seen"]


def test_good_posts_in_a_refusal_are_kept(tmp_path: Path) -> None:
    with nights(tmp_path, "facebook") as world:
        world.account("facebook").populate(6)
        world.bad_records("facebook", posts=2, times=None)

        report = world.backup()

        assert report.exit_code == 3
        assert report.counts.new >= 4


def test_a_high_limit_that_fails_falls_back_and_says_so(tmp_path: Path) -> None:
    with nights(tmp_path, "linkedin") as world:
        account = world.account("linkedin")
        account.paging = False
        account.populate(150)
        world.fail("linkedin", status=500, times=None, when=lambda query: query.limit > 100)

        report = world.backup()

        assert report.counts.new == 100
        assert report.exit_code == 3
        assert any("500" in note for note in report.accounts[0].notes)


def test_answers_with_ids_only_say_that_the_posts_are_there(tmp_path: Path) -> None:
    with nights(tmp_path, "instagram") as world:
        world.account("instagram").populate(4)
        world.backup()
        before = world.dump("revisions", "posts", "events", "renditions")
        world.next_night()
        world.fail("instagram", status=500, times=None, when=lambda query: not query.skip_analytics)

        report = world.backup()

        assert report.accounts[0].outcome == "done"
        assert world.dump("revisions", "posts", "events", "renditions") == before


def test_posts_first_seen_by_their_ids_get_their_content_from_the_next_full_answer(
    tmp_path: Path,
) -> None:
    with nights(tmp_path, "instagram") as world:
        world.account("instagram").populate(4)
        world.fail("instagram", status=500, times=None, when=lambda query: not query.skip_analytics)
        assert world.backup().counts.new == 4
        assert world.column("SELECT count(*) FROM revisions") == [0]
        world.faults.clear()
        world.next_night()

        report = world.backup()

        assert (report.exit_code, report.counts.edited) == (0, 0)
        assert world.column("SELECT count(*) FROM revisions WHERE response_id NOT NULL") == [4]
        assert world.column("SELECT count(*) FROM posts WHERE text IS NULL") == [0]


def test_a_record_that_cannot_be_read_goes_to_quarantine_whole(tmp_path: Path) -> None:
    with nights(tmp_path, "threads") as world:
        good = json.dumps(world.account("threads").publish("Fine").record())
        bad = '{"post":"no id \\u0000 at all"}'
        answer = f'{{"status":"success","posts":[{good},17,{bad}]}}'
        world.fail("threads", status=200, raw=answer, times=None)

        report = world.backup()

        assert report.exit_code == 3
        assert world.column("SELECT count(*) FROM posts") == [1]
        assert world.column("SELECT raw FROM quarantine ORDER BY id") == ["17", bad]
        world.next_night()
        world.backup()
        assert world.column("SELECT count(*) FROM quarantine") == [2]


def test_a_second_run_on_the_same_archive_is_refused(tmp_path: Path) -> None:
    with nights(tmp_path, "threads") as world:
        world.account("threads").populate(1)
        with writer(world.directory), pytest.raises(ArchiveLocked) as caught:
            world.backup()
        assert caught.value.exit_code == 6
        assert world.backup().exit_code == 0


def test_an_archive_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    with nights(tmp_path, "threads") as world:
        world.account("threads").populate(1)
        world.backup()
        connection = sqlite3.connect(world.directory / DATABASE)
        connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) "
            "VALUES ('archiver', 'm999_from_the_future', 'then')"
        )
        connection.commit()
        connection.close()
        with pytest.raises(SchemaTooNew, match="newer version") as caught:
            world.backup()
        assert caught.value.exit_code == 6
        assert "Upgrade" in str(caught.value)


@pytest.mark.skipif(
    os.name != "posix" or os.geteuid() == 0, reason="needs a user who may not write everywhere"
)
def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with nights(tmp_path, "threads") as world:
        world.config()
        world.directory.mkdir()
        world.directory.chmod(0o500)
        with pytest.raises(StorageError, match="cannot be written"):
            world.backup()


def test_a_full_disk_ends_the_run_with_a_sentence_and_the_next_run_completes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with nights(tmp_path, "instagram") as world:
        world.account("instagram").populate(40)
        real, calls = os.fsync, []

        def full(descriptor: int) -> None:
            calls.append(descriptor)
            if len(calls) == 3:
                raise OSError(28, "No space left on device")
            real(descriptor)

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(StorageError) as caught:
            world.backup()
        assert caught.value.exit_code == 6
        assert "full" in str(caught.value).lower() or "space" in str(caught.value).lower()
        monkeypatch.setattr(os, "fsync", real)
        assert world.query("SELECT outcome, exit_code FROM runs") == [("failed", 6)]

        report = world.backup(now=True)

        assert report.exit_code == 0
        assert world.column("SELECT count(*) FROM renditions WHERE state = 'pending'") == [0]


def test_a_plugin_that_raises_fails_its_own_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with nights(tmp_path, "threads", "instagram") as world:
        for platform in world.platforms:
            world.account(platform).populate(2)
        broken = world.plugins.platform("threads", "ayrshare")

        async def raises(*_: object) -> None:
            raise ZeroDivisionError("in the plugin")

        monkeypatch.setattr(broken, "identify", raises)

        report = world.backup()

        assert report.exit_code == 3
        error = report.accounts[0].error
        assert error is not None
        assert "ZeroDivisionError" in str(error)
        assert report.accounts[1].outcome == "done"
