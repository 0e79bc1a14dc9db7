"""Verifying signatures of sources offline: each version of a post against the saved evidence."""

import json
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from types import MappingProxyType
from typing import Any

from archiver.archive.extracts import read_extract_note
from archiver.evidence.findings import Finding, Verified
from archiver.evidence.slices import WHOLE, Slice
from archiver.hookspecs import Platform, Proves
from archiver.models import Proof, Response
from archiver.plugin_calls import cause_of, is_fault_of_plugin

Provers = Mapping[tuple[str, str], Proves]
"""The platforms that can prove records, by platform and source."""

NO_PROVERS: Provers = MappingProxyType({})

_Prove = Callable[[Mapping[str, Any]], Proof]


@dataclass(frozen=True, slots=True)
class ProvenVersion:
    """One version of a post, by its number, with its proof."""

    account: str
    platform_id: str
    number: int
    source: str
    proof: Proof


def provers_among(platforms: Iterable[Platform]) -> Provers:
    """Those of the platforms that can prove records."""
    return {
        (platform.name, platform.source): platform  # type: ignore[misc]  # it has the method
        for platform in platforms
        if callable(getattr(platform, "proofs", None))
    }


def check_proofs(
    connection: sqlite3.Connection, provers: Provers, result: Verified, part: Slice = WHOLE
) -> None:
    """Check every version of every post that its source signed; of slices, an account in one."""
    for version in proofs(connection, provers, part=part):
        if version.proof.holds:
            result.proved += 1
        else:
            subject = f"{version.platform_id} version {version.number}"
            result.findings.append(Finding("proof", subject, version.proof.statement))


def proofs(
    connection: sqlite3.Connection, provers: Provers, post: str | None = None, part: Slice = WHOLE
) -> Iterator[ProvenVersion]:
    """The proof of each version of all posts, or of those with this id or address."""
    is_extract = read_extract_note(connection) is not None
    rows = connection.execute("SELECT id, name, platform, platform_id FROM accounts").fetchall()
    for account_id, name, platform, platform_id in rows:
        for (of_platform, source), prover in provers.items():
            if of_platform != platform or platform_id is None:
                continue
            if not part.has(f"proofs of {source} {platform_id}"):
                continue
            versions = _versions(connection, account_id, source, post)
            first = next(versions, None)
            if first is None:
                continue
            evidence = _evidence(connection, account_id, source)
            if is_extract:  # it has the answers of an account only where it has all of its posts
                answer = next(evidence, None)
                if answer is None:
                    continue
                evidence = chain((answer,), evidence)
            prove = _prover(prover, platform_id, evidence)
            for post_id, number, raw in (first, *versions):
                yield ProvenVersion(name, post_id, number, source, _prove_record(prove, raw))


def _versions(
    connection: sqlite3.Connection, account_id: int, source: str, post: str | None
) -> Iterator[tuple[str, int, str]]:
    query = """
        SELECT platform_id, number, revisions.raw
          FROM posts JOIN revisions ON revisions.post_id = posts.id
         WHERE account_id = ? AND source = ?
    """
    if post is None:
        return iter(connection.execute(f"{query} ORDER BY revisions.id", (account_id, source)))
    query += " AND (platform_id = ? OR url = ?) ORDER BY revisions.id"
    return iter(connection.execute(query, (account_id, source, post, post)))


def _evidence(connection: sqlite3.Connection, account_id: int, source: str) -> Iterator[Response]:
    """The saved answers about an account; damaged ones, which other checks find, are skipped."""
    query = """
        SELECT url, status, headers, body, received_at FROM responses
         WHERE account_id = ? AND source = ? AND body IS NOT NULL ORDER BY id
    """
    for url, status, headers, body, received_at in connection.execute(query, (account_id, source)):
        try:
            yield Response(
                source, url, status, json.loads(headers), zlib.decompress(body), received_at
            )
        except (ValueError, zlib.error):
            continue


def _prover(prover: Proves, platform_id: str, evidence: Iterable[Response]) -> _Prove:
    try:
        return prover.proofs(platform_id, evidence)
    except Exception as error:
        if not is_fault_of_plugin(error) or isinstance(error, sqlite3.Error):
            raise
        failed = Proof(False, f"its plugin failed: {cause_of(error)}")
        return lambda _record: failed


def _prove_record(prove: _Prove, raw: str) -> Proof:
    try:
        record = json.loads(raw)
    except ValueError:
        return Proof(False, "its record is not JSON")
    if not isinstance(record, dict):
        return Proof(False, "its record is not a JSON object")
    try:
        return prove(record)
    except Exception as error:
        if not is_fault_of_plugin(error):
            raise
        return Proof(False, f"its plugin failed: {cause_of(error)}")
