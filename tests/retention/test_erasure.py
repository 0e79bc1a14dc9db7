"""Erasing posts: nothing of them is left, all others are proved as before, and none comes back."""

import json
import shutil
import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from archiver.archive.blanking import blank_commitments
from archiver.archive.database import DATABASE, transaction
from archiver.archive.holds import lasting_holds, place_hold_on_all, release_holds
from archiver.archive.rows import erase_rows
from archiver.errors import UsageError
from archiver.evidence import standalone
from archiver.evidence.copy import copy_archive
from archiver.evidence.files import Scope
from archiver.evidence.repair import repair
from archiver.evidence.verify import verify
from archiver.media.folder_store import FolderStore
from archiver.retention.erasure import (
    carry_out,
    erasure_of,
    erasures_in,
    plan_erasure,
    withdraw_erasure,
)
from support.erasing import NOW, SECRET, Erasing, WithoutIds
from support.gazette import gazette, png

pytestmark = pytest.mark.slow


def test_nothing_of_an_erased_post_is_left_in_any_file(erasing: Erasing) -> None:
    directory = erasing.directory
    picture = sha256(png("2-0")).hexdigest()
    for name in (
        f"cache/thumbs/{picture}.webp", "tmp/half.part", f"quarantine/{picture}.png.0",
        f"{DATABASE}.before-m025_erasures",
    ):  # fmt: skip
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(SECRET)
    assert len(erasing.traces()) > 10
    done = erasing.erase()
    assert done.state == "done"
    assert erasing.traces() == []
    assert erasing.rows("SELECT count(*) FROM posts") == [(2,)]
    assert erasing.rows("SELECT count(*) FROM posts_fts WHERE posts_fts MATCH 'kowalski'") == [(0,)]
    assert erasing.rows("SELECT count(*) FROM posts_fts WHERE posts_fts MATCH 'bakery'") == [(1,)]


def test_all_other_posts_are_proved_as_before(erasing: Erasing) -> None:
    assert erasing.damage() == []
    erasing.erase()
    assert erasing.damage() == []


def test_no_source_brings_an_erased_post_back(erasing: Erasing) -> None:
    erasing.erase()
    for sources in (("paper", "kiosk"), ("kiosk",), ("paper",)):
        erasing.world.next_night()
        erasing.world.publish(f"Read through {sources}")
        assert erasing.world.backup(*sources, full=True).exit_code == 0
    assert erasing.rows("SELECT count(*) FROM posts") == [(5,)]
    assert erasing.traces() == []
    assert erasing.damage() == []
    assert erasing.rows("SELECT count(*) > 0 FROM response_cuts WHERE erasure_id IS NULL") == [(1,)]


def test_a_source_without_ids_does_not_bring_it_back_either(tmp_path: Path) -> None:
    with gazette(tmp_path) as world:
        world.publish("The bakery opens at six", pictures=1)
        world.publish(SECRET, pictures=1)
        world.backup("paper")
        erasing = Erasing(world, tmp_path / "archive")
        erasing.erase()
        world.kiosk = WithoutIds()
        world.next_night()
        assert world.backup("kiosk", full=True).exit_code == 0
    assert erasing.rows("SELECT platform_id FROM posts") == [("g:1",)]
    assert erasing.traces() == []


def test_new_posts_are_saved_as_before(erasing: Erasing) -> None:
    erasing.erase()
    erasing.world.publish("The mill is for sale")
    erasing.world.backup("paper", "kiosk")
    assert erasing.rows("SELECT count(*) FROM posts") == [(3,)]
    assert erasing.damage() == []


def test_a_file_that_another_post_has_too_stays(erasing: Erasing) -> None:
    erasing.world.publish("The same picture").pictures.append("2-0")
    erasing.world.backup("kiosk", "paper")
    done = erasing.erase()
    assert json.loads(done.certificate or "")["files"]["kept_since_others_use_them"] == 1
    shared = sha256(png("2-0")).hexdigest()
    assert erasing.rows(f"SELECT count(*) FROM media WHERE sha256 = '{shared}'") == [(1,)]
    assert erasing.damage() == []


def test_the_certificate_says_what_went_on_whose_word_and_what_did_not(erasing: Erasing) -> None:
    copy = erasing.directory.parent / "copy"
    copy_archive(erasing.directory, copy)
    done = erasing.erase()
    said = json.loads(done.certificate or "")
    assert (said["posts"], said["basis"], said["requested_by"], said["approved_by"]) == (
        1, "Art. 17", "clerk", "officer",
    )  # fmt: skip
    assert said["rows"]["posts"] == 1
    assert said["rows"]["revisions"] >= 2
    assert said["files"] == {
        "deleted": 1, "bytes": len(png("2-0")), "kept_since_others_use_them": 0,
    }  # fmt: skip
    assert said["answers"]["rewritten"] >= 2
    ((entry,),) = erasing.rows(f"SELECT entry FROM ledger WHERE id = {said['ledger_entry']}")
    assert json.loads(entry)["happened"]["erasure_running"] == 1
    assert (
        said["checkpoint_before"]["size"] < said["ledger_entry"] <= said["checkpoint_after"]["size"]
    )
    for part in said["commitments"]:
        ((count,),) = erasing.rows(
            f"SELECT count FROM ledger_rows WHERE id = {part['ledger_row']} "
            f"AND entry_id = {part['entry']} AND table_name = '{part['table']}'"
        )
        assert max(part["items"]) < count


def test_a_commitment_that_somebody_else_blanks_is_found(erasing: Erasing) -> None:
    erasing.erase()
    with erasing.open() as connection, transaction(connection):
        keys = erase_rows(connection, "metrics", "post_id = 1", ())
        assert keys
        blank_commitments(connection, {"metrics": keys})
    said = [str(each) for each in erasing.damage()]
    assert any("hidden" in each for each in said)


def test_what_is_planned_can_be_undone_until_it_is_carried_out(erasing: Erasing) -> None:
    with erasing.open() as connection:
        planned = plan_erasure(connection, [erasing.secret], "Art. 17", "clerk", NOW)
        withdraw_erasure(connection, planned.id, "clerk", NOW)
        with pytest.raises(UsageError, match="is withdrawn"):
            carry_out(connection, erasing.directory, planned.id, "officer", NOW)
    assert len(erasing.traces()) > 5
    done = erasing.erase()
    with erasing.open() as connection, pytest.raises(UsageError, match="cannot be undone"):
        withdraw_erasure(connection, done.id, "clerk", NOW)


class KilledError(BaseException):
    """The process ends here."""


class Killed:
    """A connection that ends the process before its n-th write that lasts."""

    def __init__(self, connection: sqlite3.Connection, writes: int) -> None:
        self.connection, self.writes = connection, writes

    def count(self) -> None:
        self.writes -= 1
        if self.writes < 0:
            raise KilledError

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        if sql.startswith(("COMMIT", "VACUUM", "PRAGMA wal_checkpoint")):
            self.count()
        return self.connection.execute(sql, *parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)


def killed_at(erasing: Erasing, writes: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether an erasure was killed before its n-th write, which may be a deleted file too."""
    delete = FolderStore.delete
    with erasing.open() as connection, monkeypatch.context() as patch:
        killed: Any = Killed(connection, writes)

        def delete_file(store: FolderStore, path: str, /) -> bool:
            killed.count()
            return delete(store, path)

        patch.setattr(FolderStore, "delete", delete_file)
        try:
            carry_out(killed, erasing.directory, 1, "officer", NOW)
        except KilledError:
            connection.rollback()
            return True
        return False


def test_one_that_is_killed_before_any_of_its_writes_is_carried_out_by_the_next_call(
    erasing: Erasing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with erasing.open() as connection:
        plan_erasure(connection, [erasing.secret], "Art. 17", "clerk", NOW)
    for writes in range(20):
        copy = Erasing(erasing.world, tmp_path / f"killed-{writes}")
        shutil.copytree(erasing.directory, copy.directory)
        was_killed = killed_at(copy, writes, monkeypatch)
        assert verify(copy.directory, Scope(), NOW).damage == []
        if not was_killed:
            break
        with copy.open() as connection:
            if erasure_of(connection, 1).state != "done":  # a checkpoint may be all that lacks
                carry_out(connection, copy.directory, 1, "officer", NOW)
        assert copy.traces() == []
    assert copy.traces() == []
    assert copy.damage() == []
    assert writes > 5


def test_who_an_account_is_goes_with_its_last_post_and_comes_back_with_a_new_one(
    erasing: Erasing,
) -> None:
    def known() -> list[Any]:
        tables = ("account_profiles", "account_pictures", "responses", "quarantine")
        counts = [erasing.rows(f"SELECT count(*) FROM {table}")[0][0] for table in tables]
        columns = "coalesce(platform_id, handle, title, url)"
        return [*counts, erasing.rows(f"SELECT {columns} FROM accounts")[0][0]]

    def names() -> list[str]:
        found = [b"The Gazette", b"/logo"]  # four bytes may be in a random salt
        return [
            path.name for path in erasing.directory.rglob("*") if path.is_file()
            if any(name in path.read_bytes() for name in found)
        ]  # fmt: skip

    assert any(known()[:2])
    assert names()
    done = erasing.erase(1, 2, 3)
    said = json.loads(done.certificate or "")
    assert (said["profiles"], said["files"]["kept_since_others_use_them"]) == (1, 0)
    assert known() == [0, 0, 0, 0, None]
    assert names() == []
    assert not list((erasing.directory / "media").rglob("*.*"))
    erasing.world.next_night()
    assert erasing.world.backup("paper", "kiosk", full=True).exit_code == 0
    assert known()[:2] == [0, 0]
    assert erasing.damage() == []
    erasing.world.publish("A new beginning")
    for _ in range(2):
        erasing.world.next_night()
        erasing.world.backup("paper", "kiosk")
    assert known()[0] > 0
    assert erasing.damage() == []


def test_a_hold_that_is_placed_after_the_plan_wins(erasing: Erasing) -> None:
    with erasing.open() as connection:
        planned = plan_erasure(connection, [erasing.secret], "Art. 17", "clerk", NOW)
        place_hold_on_all(connection, "2026/17", "A claim", "counsel", NOW)
        with pytest.raises(UsageError, match="1 post under legal hold for 2026/17"):
            carry_out(connection, erasing.directory, planned.id, "officer", NOW)
        refused = erasure_of(connection, planned.id)
    assert (refused.state, refused.reason) == ("refused", "1 post under legal hold for 2026/17")
    assert len(erasing.traces()) > 5
    with erasing.open() as connection:
        release_holds(connection, lasting_holds(connection), "settled", "judge", NOW)
    assert erasing.erase().state == "done"


def test_the_attempt_to_erase_what_is_held_is_on_record(erasing: Erasing) -> None:
    with erasing.open() as connection:
        place_hold_on_all(connection, "2026/17", "A claim", "counsel", NOW)
    with pytest.raises(UsageError, match="legal hold"):
        erasing.erase()
    assert erasing.rows("SELECT state FROM erasures") == [("refused",)]
    ((entry,),) = erasing.rows("SELECT entry FROM ledger ORDER BY id DESC LIMIT 1")
    assert json.loads(entry)["happened"] == {"erasure_refused": 1}


def test_a_copy_is_erased_by_copying_again(erasing: Erasing, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy_archive(erasing.directory, copy)
    erasing.erase()
    copied = Erasing(erasing.world, copy)
    assert len(copied.traces()) > 5
    copy_archive(erasing.directory, copy)
    assert copied.traces() == []
    assert copied.damage() == []


def test_repair_from_an_older_copy_does_not_bring_it_back(erasing: Erasing, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy_archive(erasing.directory, copy)
    erasing.erase()
    with closing(sqlite3.connect(erasing.directory / DATABASE)) as connection, connection:
        connection.execute("UPDATE posts SET text = 'altered' WHERE id = 1")
    repair(erasing.directory, verify(erasing.directory, Scope(), NOW), NOW, copy)
    assert erasing.traces() == []
    assert erasing.damage() == []


def test_the_certificate_is_checked_by_the_stand_alone_program(
    erasing: Erasing, tmp_path: Path
) -> None:
    done = erasing.erase()
    paper = tmp_path / "certificate.json"
    paper.write_text(f"{done.certificate}\n")
    assert list(standalone.check(erasing.directory, [str(paper)])) == []
    paper.write_text((done.certificate or "").replace("Art. 17", "Art. 18"))
    (wrong,) = standalone.check(erasing.directory, [str(paper)])
    assert wrong.endswith("is not the certificate that the archive has of erasure 1")


def test_what_was_erased_counts_twice_once_its_free_pages_are_gone_too(
    erasing: Erasing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with erasing.open() as connection:
        planned = plan_erasure(connection, [erasing.secret], "Art. 17", "clerk", NOW)
        assert erasures_in(connection) == 0
        with monkeypatch.context() as patch:
            patch.setattr("archiver.retention.erasure.clean", killed)
            with pytest.raises(KeyboardInterrupt):
                carry_out(connection, erasing.directory, planned.id, "officer", NOW)
        assert erasures_in(connection) == 1
        carry_out(connection, erasing.directory, planned.id, "officer", NOW)
        assert erasures_in(connection) == 2
    with closing(sqlite3.connect(":memory:")) as older:
        assert erasures_in(older) == 0
