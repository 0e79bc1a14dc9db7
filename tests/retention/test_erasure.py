"""Erasing posts: nothing of them is left, all others are proved as before, and none comes back."""

import json
import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path

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
from archiver.retention import erasure
from archiver.retention.erasure import (
    carry_out,
    erasure_of,
    erasures,
    plan_erasure,
    withdraw_erasure,
)
from support.erasing import NOW, SECRET, Erasing, WithoutIds
from support.gazette import gazette, png


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


@pytest.mark.parametrize("step", ["clean", "add_checkpoint"])
def test_one_that_was_killed_is_carried_out_by_the_next_call(
    erasing: Erasing, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(BaseException):
        pass

    def killed(*_: object) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(erasure, step, killed)
        with pytest.raises(KilledError):
            erasing.erase()
    assert verify(erasing.directory, Scope(), NOW).damage == []
    with erasing.open() as connection:
        (begun,) = erasures(connection)
        assert begun.state == "running"
        carry_out(connection, erasing.directory, begun.id, "officer", NOW)
    assert erasing.traces() == []
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
