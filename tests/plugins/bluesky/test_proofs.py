"""What an archive proves of its posts, without a network: who signed each version."""

import random
import sqlite3
import zlib
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archiver.archive.database import DATABASE
from archiver.evidence.files import Scope
from archiver.evidence.findings import Verified
from archiver.evidence.proofs import ProvenVersion, proofs, provers_among
from archiver.evidence.standalone import check as check_alone
from archiver.evidence.verify import verify
from archiver.plugins import load_plugins
from support.bluesky.nights import BlueskyNights
from support.bluesky.signing import SigningKey
from support.bluesky.world import AtAccount
from support.damage import flip, raw
from support.forging import rehash
from support.running import Cli

pytestmark = pytest.mark.slow

PROVERS = provers_among(load_plugins().platforms)


@pytest.fixture
def alice(nights: BlueskyNights) -> AtAccount:
    """An account of three nights: first posts, then an edit, then another key and a deletion."""
    account = nights.network.account("alice.example")
    nights.follow(account)
    first = account.post("First")
    account.put(
        "app.bsky.feed.threadgate", first.rpartition("/")[2], post=first, allow=[]
    )  # fmt: skip
    account.post("Second")
    nights.backup()
    nights.next_night()
    account.put("app.bsky.feed.post", first.rpartition("/")[2], text="First, corrected")
    nights.backup()
    nights.next_night()
    account.key = SigningKey("alice's second")
    nights.network.update(account)
    account.delete(account.post("A mistake"))
    account.post("Third")
    nights.backup()
    return account


def check(nights: BlueskyNights) -> Verified:
    return verify(nights.directory, Scope(), "2026-11-23T20:49:00.000Z", provers=PROVERS)


def versions(nights: BlueskyNights) -> list[ProvenVersion]:
    with closing(sqlite3.connect(nights.directory / DATABASE)) as connection:
        return list(proofs(connection, PROVERS))


def tamper(nights: BlueskyNights, *statements: str) -> None:
    """Change the database as somebody would who also knows how to hash its rows."""
    with closing(sqlite3.connect(nights.directory / DATABASE)) as connection:
        for trigger in connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'trigger'"
        ).fetchall():
            connection.execute(f"DROP TRIGGER {trigger[0]}")
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def test_every_version_of_every_post_is_proved(nights: BlueskyNights, alice: AtAccount) -> None:
    result = check(nights)
    assert result.findings == []
    assert result.proved == 4
    found = versions(nights)
    assert sorted(version.number for version in found) == [1, 1, 1, 2]
    assert all(version.proof.holds for version in found)
    first, second = SigningKey("alice.example").did, alice.key.did
    assert sum(first in version.proof.statement for version in found) == 3
    assert sum(second in version.proof.statement for version in found) == 1


def test_a_forged_text_is_found_even_under_right_hashes_of_rows(
    nights: BlueskyNights, alice: AtAccount
) -> None:
    tamper(nights, "UPDATE revisions SET raw = replace(raw, 'Second', 'Forged')")
    broken = [version for version in versions(nights) if not version.proof.holds]
    assert [version.number for version in broken] == [1]
    assert "does not have the hash" in broken[0].proof.statement
    assert "proof" in {finding.what for finding in check(nights).damage}


def test_a_forged_record_with_its_own_cid_is_in_no_signed_tree(
    nights: BlueskyNights, alice: AtAccount
) -> None:
    nights.next_night()
    uri = alice.post("Never signed by her")
    alice.key, real = SigningKey("mallory's"), alice.key
    nights.network.update(alice)
    nights.backup()
    alice.key = real
    tamper(nights, "DELETE FROM responses WHERE url LIKE '%audit'")
    found = {version.platform_id: version.proof for version in versions(nights)}
    assert not found[uri].holds
    assert "No saved signed tree contains" in found[uri].statement


def test_without_the_evidence_nothing_is_proved(nights: BlueskyNights, alice: AtAccount) -> None:
    tamper(nights, "DELETE FROM responses WHERE url LIKE '%getRepo%'")
    assert not any(version.proof.holds for version in versions(nights))


def test_damaged_evidence_proves_nothing_and_stops_nothing(
    nights: BlueskyNights, alice: AtAccount
) -> None:
    tamper(nights, "UPDATE responses SET body = x'00ff' WHERE url LIKE '%getRepo%'")
    assert not any(version.proof.holds for version in versions(nights))


@pytest.fixture
def one_night(nights: BlueskyNights) -> BlueskyNights:
    """An archive with one signed tree, of a few records."""
    account = nights.network.account("alice.example")
    nights.follow(account)
    for number in range(5):
        account.post(f"Post {number}")
    nights.backup()
    return nights


# the archive is made once, and every example is undone
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(data=st.data())
def test_any_single_changed_bit_of_a_signed_tree_leaves_its_records_unproved(
    one_night: BlueskyNights, data: st.DataObject
) -> None:
    """Of the file, the commit, its signature, and every node: whatever hashes were made to fit."""
    with closing(sqlite3.connect(one_night.directory / DATABASE)) as connection:
        query = "SELECT id, body FROM responses WHERE url LIKE '%getRepo%' ORDER BY id"
        row, packed = data.draw(st.sampled_from(connection.execute(query).fetchall()))
        car = zlib.decompress(packed)
        changed = flip(car, data.draw(st.integers(0, 8 * len(car) - 1)))
        connection.execute(
            "UPDATE responses SET body = ? WHERE id = ?", (zlib.compress(changed), row)
        )
        found = list(proofs(connection, PROVERS))
        connection.rollback()
    assert len(found) == 5
    assert not all(version.proof.holds for version in found)


def test_any_single_changed_bit_of_kept_evidence_is_found_by_both_verifiers(
    nights: BlueskyNights, alice: AtAccount
) -> None:
    """Of every kept answer one bit; of every other answer, the hash of its row is made to fit."""
    database = nights.directory / DATABASE
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT id, body FROM responses ORDER BY id").fetchall()
    chance, intact = random.Random(1), database.read_bytes()
    assert len(rows) > 5
    for number, (row, body) in enumerate(rows):
        with raw(nights.directory) as connection:
            changed = flip(body, chance.randrange(8 * len(body)))
            connection.execute("UPDATE responses SET body = ? WHERE id = ?", (changed, row))
            if number % 2:
                rehash(connection, "responses")
        name = f"responses {row}"
        assert name in {each.subject for each in check(nights).damage}
        (sentence,) = check_alone(nights.directory)
        assert sentence.startswith(f"{name}: ")
        database.write_bytes(intact)
    assert check(nights).findings == []
    assert list(check_alone(nights.directory)) == []


def test_a_gate_is_proved_with_its_post(nights: BlueskyNights, alice: AtAccount) -> None:
    tamper(nights, """UPDATE revisions SET raw = replace(raw, '"allow":[]', '"allow":["x"]')""")
    assert not all(version.proof.holds for version in versions(nights))


def test_the_command_shows_for_a_post_who_signed_it(
    nights: BlueskyNights, alice: AtAccount, cli: Cli
) -> None:
    uri = next(key for key, value in alice.records.items() if value.get("text") == "Third")
    config = ("--config", str(nights.config_file))
    shown = cli(*config, "verify", "--post", f"at://{alice.did}/{uri}")
    assert shown.exit_code == 0, shown.output
    assert "Version 1: proved:" in shown.output
    assert alice.key.did in shown.output.replace("\n", " ")
    whole = cli(*config, "verify")
    (last,) = [line for line in whole.output.splitlines() if "4 signatures valid" in line]
    assert len(last) <= 80
    assert cli(*config, "verify", "--post", "at://nobody/a.b/c").exit_code == 2
    tamper(nights, "UPDATE revisions SET raw = replace(raw, 'Third', 'Forged')")
    forged = cli(*config, "verify", "--post", f"at://{alice.did}/{uri}")
    assert forged.exit_code == 7
    assert "NOT VALID" in forged.output
