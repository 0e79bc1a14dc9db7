"""What an archive proves of its posts, without a network: who signed each version."""

import sqlite3
from contextlib import closing

import pytest

from archiver.archive.database import DATABASE
from archiver.evidence.files import Scope
from archiver.evidence.findings import Verified
from archiver.evidence.proofs import ProvenVersion, proofs, provers_among
from archiver.evidence.verify import verify
from archiver.plugins import load_plugins
from support.bluesky.nights import BlueskyNights
from support.bluesky.signing import SigningKey
from support.bluesky.world import AtAccount
from support.running import Cli

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
