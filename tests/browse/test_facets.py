"""The numbers beside the choices of a filter are those that the list itself would have."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from archiver.browse import stream, tally
from archiver.browse.archives import Archive, all_archives
from archiver.browse.facets import DAYS, Facets, count_of, facets
from archiver.browse.filters import Filter
from archiver.browse.server import make_datasette
from archiver.browse.stream import post_page

pytestmark = pytest.mark.slow

FILTERS = [
    Filter(),
    Filter(account="my-instagram"),
    Filter(platform="threads"),
    Filter(kind="reply"),
    Filter(since="2025", until="2025"),
    Filter(account="my-twitter", since="2024-03", until="2026-02"),
    Filter(since="2025-03-10", until="2025-06-20"),
    Filter(since="2025-03-10"),
    Filter(until="2025-03-31"),
    Filter(since="2025-03-10", until="2025-03-20", kind="post"),
    Filter(flags=frozenset({"edited"})),
    Filter(flags=frozenset({"removed"}), account="my-bluesky"),
    Filter(flags=frozenset({"omitted"}), since="2024-06-15"),
    Filter(flags=frozenset({"media"}), until="2025-06-15", account="my-facebook"),
    Filter(flags=frozenset({"edited", "media"})),
    Filter(flags=frozenset({"edited", "media"}), since="2025-02-02", until="2026-03-30"),
    Filter(words="kiln"),
    Filter(words="kiln", account="my-threads", since="2024-06-15"),
    Filter(words="nothing says this"),
    Filter(account="nobody"),
]


@pytest.fixture(scope="module")
def archive(harsh: Path) -> Archive:
    """The harsh archive, as its pages know it."""
    (found,) = all_archives(make_datasette(harsh))
    return found


@pytest.fixture(scope="module")
def connection(harsh: Path) -> Iterator[sqlite3.Connection]:
    """Its rows."""
    with closing(sqlite3.connect(f"{harsh.as_uri()}?mode=ro", uri=True)) as found:
        found.row_factory = sqlite3.Row
        yield found


def shown(connection: sqlite3.Connection, wanted: Filter) -> int:
    """How many posts the list itself has."""
    return len(post_page(connection, wanted, size=5000).ids)


def facets_of(connection: sqlite3.Connection, archive: Archive, wanted: Filter) -> Facets:
    return facets(connection, archive, wanted, lambda same: same)


@pytest.mark.parametrize("wanted", FILTERS, ids=Filter.query)
def test_the_number_of_a_view_is_that_of_its_posts(
    connection: sqlite3.Connection, archive: Archive, wanted: Filter
) -> None:
    found = facets_of(connection, archive, wanted)
    assert found.total == shown(connection, wanted)
    assert count_of(connection, archive, wanted) == found.total
    assert sum(month.count or 0 for month in found.months) == found.total


@pytest.mark.parametrize("wanted", FILTERS, ids=Filter.query)
def test_every_choice_has_the_number_that_its_view_would_have(
    connection: sqlite3.Connection, archive: Archive, wanted: Filter
) -> None:
    found = facets_of(connection, archive, wanted)
    for name, choices in (
        ("account", found.accounts),
        ("platform", found.platforms),
        ("kind", found.kinds),
    ):
        for choice in choices:
            other = wanted.but(**{name: choice.value})
            assert choice.count == shown(connection, other), (name, choice)


@pytest.mark.parametrize("wanted", [one for one in FILTERS if not one.words], ids=Filter.query)
def test_every_tab_has_the_number_that_its_view_would_have(
    connection: sqlite3.Connection, archive: Archive, wanted: Filter
) -> None:
    for flag, count in facets_of(connection, archive, wanted).tabs.items():
        assert count == shown(connection, wanted.with_flag(flag)), flag


def test_only_what_exists_is_offered(connection: sqlite3.Connection, archive: Archive) -> None:
    found = facets_of(connection, archive, Filter(platform="youtube"))
    assert [choice.value for choice in found.accounts] == ["my-youtube"]
    assert [choice.value for choice in found.kinds] == ["video"]
    chosen = facets_of(connection, archive, Filter(platform="youtube", kind="reel"))
    assert [(choice.value, choice.count) for choice in chosen.kinds if choice.value == "reel"] == [
        ("reel", 0)
    ]


def test_months_are_listed_newest_first_and_by_year(
    connection: sqlite3.Connection, archive: Archive
) -> None:
    found = facets_of(connection, archive, Filter())
    assert [year for year, _, _ in found.years] == ["2026", "2025", "2024", "2023"]
    for year, count, months in found.years:
        assert count == shown(connection, Filter(since=year, until=year))
        assert [month.value for month in months] == sorted(
            (month.value for month in months), reverse=True
        )


def test_what_is_too_many_to_count_is_offered_without_numbers(
    connection: sqlite3.Connection, harsh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "MAX_SORTED", 3)
    monkeypatch.setattr(tally, "MOST_FLAGGED", 3)
    (archive,) = all_archives(make_datasette(harsh))
    for wanted in (Filter(words="kiln"), Filter(flags=frozenset({"media"}))):
        found = facets_of(connection, archive, wanted)
        assert found.total is None
        assert found.accounts
        assert {choice.count for choice in found.accounts} == {None}
        assert found.years == []


def test_the_days_at_either_end_are_counted_from_an_index_alone(
    connection: sqlite3.Connection,
) -> None:
    plan = connection.execute(f"EXPLAIN QUERY PLAN {DAYS}", ("[]", "2025-03-10", "2025-04"))
    (used,) = [row[3] for row in plan if "posts" in row[3]]
    assert used.startswith("SEARCH posts USING COVERING INDEX posts_account_kind")


def test_flagged_posts_of_some_days_are_not_asked_for_again(
    archive: Archive, connection: sqlite3.Connection
) -> None:
    wanted = Filter(flags=frozenset({"omitted"}), since="2024-06-15")
    count_of(connection, archive, wanted)
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    assert count_of(connection, archive, wanted) == shown(connection, wanted)
    connection.set_trace_callback(None)
    assert not [one for one in statements if "GROUP BY" in one]
