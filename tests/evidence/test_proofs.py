"""Each version of a post is shown to the plugin that can prove it, with the saved evidence."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import pytest

from archiver.archive import runs
from archiver.archive.rows import insert
from archiver.evidence.findings import Verified
from archiver.evidence.proofs import check_proofs, proofs, provers_among
from archiver.models import Proof, Response
from support.small_archive import SmallArchive, small_archive

PLATFORM: Any = object()


class Signed:
    """Proves records whose text the evidence has."""

    name = "threads"
    source = "own"

    def proofs(
        self, platform_id: str, evidence: Iterable[Response]
    ) -> Callable[[Mapping[str, Any]], Proof]:
        bodies = {answer.body.decode() for answer in evidence}
        return lambda record: Proof(record["text"] in bodies, f"by {platform_id}")


class Broken(Signed):
    """A plugin that fails before it has seen a record."""

    def proofs(self, platform_id: str, evidence: Iterable[Response]) -> Any:
        raise ZeroDivisionError


@pytest.fixture
def archive() -> Iterator[SmallArchive]:
    with small_archive() as archive:
        account = archive.account("threads")
        archive.connection.execute("UPDATE accounts SET platform_id = 'did:1'")
        archive.post(account, name="p1", url="https://a.example/p1")
        answer = Response("own", "https://a.example", 200, {}, b"signed", "")
        runs.keep_response(archive.connection, 1, 1, account, answer)
        for number, raw in enumerate(('{"text": "signed"}', '{"text": "forged"}', "[]", "{"), 1):
            insert(
                archive.connection, "revisions", post_id=1, number=number, edit=0, why="first",
                seen_at="", run_id=1, source="own", content_version=1, content_sha256="",
                raw=raw,
            )  # fmt: skip
        yield archive


def test_a_platform_without_proofs_is_no_prover() -> None:
    signed: Any = Signed()
    assert provers_among([signed, PLATFORM]) == {("threads", "own"): signed}


def test_versions_are_proved_or_say_why_not(archive: SmallArchive) -> None:
    provers = {("threads", "own"): Signed()}
    found = list(proofs(archive.connection, provers))
    assert [(each.number, each.proof.holds) for each in found] == [
        (1, True), (2, False), (3, False), (4, False),
    ]  # fmt: skip
    assert [each.proof.statement for each in found] == [
        "by did:1", "by did:1", "its record is not a JSON object", "its record is not JSON",
    ]  # fmt: skip
    assert len(list(proofs(archive.connection, provers, "https://a.example/p1"))) == 4
    assert list(proofs(archive.connection, provers, "p2")) == []


def test_what_is_not_proved_is_a_finding(archive: SmallArchive) -> None:
    result = Verified()
    check_proofs(archive.connection, {("threads", "own"): Signed()}, result)
    assert result.proved == 1
    assert [finding.subject for finding in result.findings] == [
        "p1 version 2", "p1 version 3", "p1 version 4",
    ]  # fmt: skip


def test_a_plugin_that_fails_proves_nothing_and_stops_nothing(archive: SmallArchive) -> None:
    found = list(proofs(archive.connection, {("threads", "own"): Broken()}))
    assert [each.proof.statement for each in found][:2] == [
        "its plugin failed: ZeroDivisionError: "
    ] * 2
    assert not any(each.proof.holds for each in found)


def test_damaged_evidence_is_left_out(archive: SmallArchive) -> None:
    archive.connection.execute("UPDATE responses SET body = x'00'")
    found = list(proofs(archive.connection, {("threads", "own"): Signed()}))
    assert not any(each.proof.holds for each in found)
