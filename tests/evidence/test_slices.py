"""Slices: each thing is in one of them, and together they find what a verify of everything does."""

import re
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from functools import partial
from pathlib import Path
from random import Random

import pytest

from archiver.archive.database import DATABASE, archive_lock, reader
from archiver.archive.facts import ROW_HASHED
from archiver.evidence.files import Scope
from archiver.evidence.findings import Finding, Verified
from archiver.evidence.rows import check_references, check_rows
from archiver.evidence.slices import Slice
from archiver.evidence.verify import verify
from support.bad_archives import BAD, raw
from support.damage import flip_every_row

pytestmark = pytest.mark.slow

NOW = "2026-11-23T00:00:00.000Z"
PARTS = (1, 2, 3, 7, 1000)
APART = (
    "deleted_file", "pipe_in_place_of_a_file", "index_that_disagrees", "page_of_noise",
    "dropped_unique_index", "text_that_is_no_unicode",
)  # fmt: skip
TOGETHER = [
    bad
    for bad in BAD
    if bad.opens
    and bad.finding not in {"missing_file", "database", "schema"}
    and "place_of" not in bad.name
    and bad.name not in {"link_to_the_right_bytes", "lost_log", "text_that_is_no_unicode"}
]
DAMAGES = {
    "all that can be done to one archive": TOGETHER,
    **{name: [bad for bad in BAD if bad.name == name] for name in APART},
}


def slices(parts: int) -> list[Slice]:
    return [Slice(part, parts) for part in range(1, parts + 1)]


@pytest.mark.parametrize("parts", PARTS)
def test_every_hash_is_in_one_slice(parts: int) -> None:
    chance = Random(parts)
    names = {f"{chance.getrandbits(256):064x}" for _ in range(300)}
    names |= {"0" * 64, "f" * 64, "", "no hash at all", "\ud800"[:0], "8" + "0" * 63}
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE media (sha256 TEXT PRIMARY KEY) STRICT, WITHOUT ROWID")
        connection.executemany("INSERT INTO media VALUES (?)", [(name,) for name in names])
        query = "SELECT sha256 FROM media WHERE sha256 BETWEEN ? AND ?"
        found = [
            name for part in slices(parts) for (name,) in connection.execute(query, part.hashes())
        ]
    assert sorted(found) == sorted(names)


@pytest.mark.parametrize("parts", PARTS)
def test_every_id_is_in_one_slice_and_those_that_lie_together_are_read_together(
    parts: int,
) -> None:
    ids = [*range(1, 5000), -1, -5000, 10**9, 2**63 - 1, -(2**63)]
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY) STRICT")
        connection.executemany("INSERT INTO t VALUES (?)", [(each,) for each in ids])
        query = "SELECT id FROM t WHERE id BETWEEN ? AND ?"
        ranges = [ends for part in slices(parts) for ends in part.blocks(connection, "t", "id")]
        found = [each for ends in ranges for (each,) in connection.execute(query, ends)]
    assert sorted(found) == sorted(ids)
    assert len(ranges) <= 10


@pytest.mark.parametrize("parts", PARTS)
def test_what_cannot_be_divided_is_in_one_slice(parts: int) -> None:
    for table in ROW_HASHED:
        assert sum(part.has(f"checksum of {table}") for part in slices(parts)) == 1


def test_a_slice_asks_indexes_for_its_rows(good_archive: Path) -> None:
    asked: set[str] = set()
    with closing(sqlite3.connect(good_archive / DATABASE)) as connection:
        connection.set_trace_callback(asked.add)
        for part in slices(2):
            list(check_references(connection, part))
            for table in ROW_HASHED:
                list(check_rows(connection, table, partial(reader, good_archive), Verified(), part))
        connection.set_trace_callback(None)
        plans = {
            query: [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}")]
            for query in asked
        }
    small = "SCAN account_pictures"
    scanning = [
        query
        for query, plan in plans.items()
        if any(step.startswith("SCAN") and step != small for step in plan)
    ]
    assert len(plans) > 100
    of_whole_tables = re.compile(r"SELECT row_sha256 FROM \w+$|SELECT 'storage_totals'")
    assert [query for query in scanning if not of_whole_tables.match(query.strip())] == []


def kinds_and_subjects(found: Iterable[Finding]) -> set[tuple[str, str]]:
    return {(each.what, each.subject) for each in found}


def compare(archive: Path, parts: int) -> set[tuple[str, str]]:
    """What is found at once, after a check that slices find the same."""
    at_once = verify(archive, Scope(), NOW)
    results = [verify(archive, Scope(part, parts), NOW) for part in range(1, parts + 1)]
    in_slices = [each for result in results for each in result.findings]
    missed = kinds_and_subjects(at_once.findings) - kinds_and_subjects(in_slices)
    assert missed == set()
    assert {each.what for each in in_slices} == {each.what for each in at_once.findings}
    assert {bad for result in results for bad in result.bad_rows} == set(at_once.bad_rows)
    return kinds_and_subjects(at_once.findings)


@pytest.mark.slow
class TestCycles:
    """All slices of an archive, one after the other."""

    def test_they_read_every_row_and_every_file_once(self, archive: Path) -> None:
        with archive_lock(archive):  # so that none of them writes what it has read
            whole = verify(archive, Scope(), NOW)
            results = [verify(archive, Scope(part, 7), NOW) for part in range(1, 8)]
        assert sum(result.files for result in results) == whole.files
        assert sum(result.rows for result in results) == whole.rows
        assert [result.is_partial for result in results] == [True] * 7
        assert not whole.is_partial

    def test_they_find_a_flipped_bit_in_every_row(self, archive: Path) -> None:
        with raw(archive) as connection:
            flip_every_row(connection, Random(1), keys=True)
        assert len(compare(archive, 4)) > 200

    @pytest.mark.parametrize("what", DAMAGES)
    def test_they_find_each_damage_that_is_known(self, archive: Path, what: str) -> None:
        for bad in DAMAGES[what]:
            bad.damage(archive)
        found = compare(archive, 4)
        assert {bad.finding for bad in DAMAGES[what]} <= {kind for kind, _ in found}
