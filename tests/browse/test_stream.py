"""Paging through posts: every post once, in order, and from indexes alone."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from archiver.archive.schema import model
from archiver.archive.search import folded_column, search_terms
from archiver.browse import stream
from archiver.browse.filters import Cursor, Filter, place_in
from archiver.browse.likes import NOT_KNOWN, LikeRanking
from archiver.browse.states import in_state
from archiver.browse.stream import post_page

PLAIN = (
    "INSERT INTO posts (id, account_id, platform, platform_id, created_at, text, kind, "
    "edited_at, search_text, earlier_text, removed_at, first_seen_at, last_seen_at, raw, "
    "row_sha256) VALUES (?, ?, 'x', ?, ?, ?, ?, ?, ?, ?, NULL, '', '', '{}', '')"
)


@pytest.fixture
def posts() -> Iterator[sqlite3.Connection]:
    """Two hundred posts of three accounts; many share a time, some have none."""
    with closing(sqlite3.connect(":memory:")) as connection:
        model().backup(connection)
        connection.row_factory = sqlite3.Row
        for k in (1, 2, 3):
            connection.execute(
                "INSERT INTO accounts (id, name, platform, first_seen_at, row_sha256) "
                "VALUES (?, ?, ?, '', '')",
                (k, f"account {k}", "threads" if k < 3 else "bluesky"),
            )
        for k in range(1, 201):
            at = None if k % 23 == 0 else f"2026-01-{1 + k * 7 % 28:02}T00:00:00.000Z"
            kind = "reply" if k % 5 == 0 else "post"
            text = f"post {k} 釉薬" if k % 50 == 0 else f'post {k} 100% "glaze"'
            text = f"{k} 陶芸 ÄÖ" if k % 30 == 1 else text
            edited = "2026-03-01" if k % 40 == 0 else None
            earlier = "lost word\n" if edited else None
            folded = folded_column([text])
            connection.execute(
                PLAIN, (k, 1 + k % 3, str(k), at, text, kind, edited, folded, earlier)
            )
        connection.execute("INSERT INTO posts_fts (posts_fts) VALUES ('rebuild')")
        yield connection


def all_ids(connection: sqlite3.Connection, wanted: Filter, size: int = 7) -> list[int]:
    """All ids, by following the older pages."""
    ids: list[int] = []
    cursor = None
    while True:
        page = post_page(connection, wanted, older_than=cursor, size=size)
        ids += page.ids
        if page.older is None:
            return ids
        cursor = page.older


FILTERS = [
    (Filter(), "1"),
    (Filter(account="account 2"), "account_id = 2"),
    (Filter(platform="threads"), "account_id IN (1, 2)"),
    (Filter(kind="reply"), "kind = 'reply'"),
    (
        Filter(since="2026-01-10", until="2026-01-12"),
        "created_at >= '2026-01-10' AND created_at < '2026-01-13'",
    ),
    (Filter(until="2025"), "created_at < '2026'"),
    (Filter(flags=frozenset({"edited"})), "edited_at IS NOT NULL"),
    (Filter(words="釉薬"), "text LIKE '%釉薬%'"),
    (Filter(words="陶芸"), "text LIKE '%陶芸%'"),
    (Filter(words="äö"), "text LIKE '%ÄÖ'"),
    (Filter(words="a\u0308O"), "text LIKE '%ÄÖ'"),
    (Filter(words="ao"), "text LIKE '%ÄÖ'"),
    (Filter(words="Löst wörd"), "edited_at IS NOT NULL"),
    (Filter(words="ld"), "0"),
    (Filter(words="rd"), "edited_at IS NOT NULL"),
    (Filter(words="芸 陶芸"), "text LIKE '%陶芸%'"),
    (Filter(words='E"'), "text LIKE '%e\"'"),
    (Filter(words="ÄÖ 陶芸 kiln"), "0"),
    (Filter(words="glaze 100%"), "text LIKE '%glaze%'"),
    (Filter(words='post "11 100"'), "text LIKE '%11 100%' "),
    (Filter(words="post 1"), "text LIKE '%post%' AND text LIKE '%1%'"),
    (Filter(words="nothing says this"), "0"),
    (Filter(account="nobody"), "0"),
    (
        Filter(words="glaze", platform="bluesky", kind="post"),
        "text LIKE '%glaze%' AND account_id = 3 AND kind = 'post'",
    ),
]  # fmt: skip


LIKES = [NOT_KNOWN if k % 11 == 0 else float(k * 7 % 31) for k in range(201)]


@pytest.mark.parametrize("few", [2000, 3], ids=["looked up", "read in order"])
@pytest.mark.parametrize(("wanted", "condition"), FILTERS, ids=lambda value: str(value)[:60])
def test_every_post_comes_once_and_the_most_liked_first(
    posts: sqlite3.Connection,
    monkeypatch: pytest.MonkeyPatch,
    wanted: Filter,
    condition: str,
    few: int,
) -> None:
    monkeypatch.setattr(stream, "MAX_SORTED", few)
    ranking = LikeRanking.of(LIKES, range(1, 201))
    rows = [row[0] for row in posts.execute(f"SELECT id FROM posts WHERE {condition}")]
    expected = sorted(rows, key=lambda post: (-LIKES[post], post))
    page = post_page(posts, wanted, size=7, ranking=ranking)
    down: list[int] = list(page.ids)
    up: list[int] = []
    while page.older:
        page = post_page(posts, wanted, older_than=page.older, size=7, ranking=ranking)
        down += page.ids
    assert down == expected
    last = list(page.ids)
    while page.newer:
        page = post_page(posts, wanted, newer_than=page.newer, size=7, ranking=ranking)
        up = [*page.ids, *up]
    assert [*up, *last] == expected


@pytest.mark.parametrize("few", [2000, 3], ids=["looked up", "read from the index"])
@pytest.mark.parametrize(("wanted", "condition"), FILTERS, ids=lambda value: str(value)[:60])
def test_every_post_comes_once_and_in_order(
    posts: sqlite3.Connection,
    monkeypatch: pytest.MonkeyPatch,
    wanted: Filter,
    condition: str,
    few: int,
) -> None:
    monkeypatch.setattr(stream, "MAX_SORTED", few)
    rows = posts.execute(f"SELECT id FROM posts WHERE {condition} ORDER BY created_at DESC, id")
    assert all_ids(posts, wanted) == [row[0] for row in rows]


@pytest.mark.parametrize(("wanted", "condition"), FILTERS, ids=lambda value: str(value)[:60])
def test_a_count_is_that_of_all_pages_or_absent(
    posts: sqlite3.Connection, wanted: Filter, condition: str
) -> None:
    (count,) = posts.execute(f"SELECT count(*) FROM posts WHERE {condition}").fetchone()
    told = post_page(posts, wanted, size=7, older_than=Cursor("2026-01-15", 0)).count
    is_told = wanted.flags or any(len(term) > 1 for term in search_terms(wanted.words))
    assert told == (count if is_told else None)


@pytest.mark.parametrize("wanted", [Filter(), Filter(platform="threads"), Filter(words="glaze")])
def test_the_way_up_shows_the_pages_of_the_way_down(
    posts: sqlite3.Connection, wanted: Filter
) -> None:
    down = [post_page(posts, wanted, size=9)]
    while down[-1].older:
        down.append(post_page(posts, wanted, older_than=down[-1].older, size=9))
    page = down[-1]
    for expected in reversed(down[:-1]):
        assert page.newer
        page = post_page(posts, wanted, newer_than=page.newer, size=9)
        assert page.ids == expected.ids
    assert page.newer is None


@pytest.mark.parametrize("few", [2000, 3], ids=["looked up", "read from the index"])
@pytest.mark.parametrize(("wanted", "condition"), FILTERS, ids=lambda value: str(value)[:60])
def test_oldest_first_is_the_same_list_backwards(
    posts: sqlite3.Connection,
    monkeypatch: pytest.MonkeyPatch,
    wanted: Filter,
    condition: str,
    few: int,
) -> None:
    monkeypatch.setattr(stream, "MAX_SORTED", few)
    rows = posts.execute(f"SELECT id FROM posts WHERE {condition} ORDER BY created_at, id DESC")
    ids: list[int] = []
    page = post_page(posts, wanted.but(order="oldest"), size=7)
    pages = [page]
    ids += page.ids
    while page.newer:
        page = post_page(posts, wanted.but(order="oldest"), newer_than=page.newer, size=7)
        pages.append(page)
        ids += page.ids
    assert ids == [row[0] for row in rows]
    for expected in reversed(pages[:-1]):
        assert page.older
        page = post_page(posts, wanted.but(order="oldest"), older_than=page.older, size=7)
        assert page.ids == expected.ids
    assert page.older is None


@pytest.mark.parametrize("order", ["", "oldest"])
@pytest.mark.parametrize("at", ["2026-01-10", "2026-01", "2026", "2025", "2027", "1999-12-31"])
def test_a_page_may_begin_at_a_date(posts: sqlite3.Connection, order: str, at: str) -> None:
    wanted = Filter(order=order)
    place = place_in({"at": at}, wanted)
    page = post_page(
        posts, wanted, older_than=place.older_than, newer_than=place.newer_than, size=500
    )
    times = [
        posts.execute("SELECT created_at FROM posts WHERE id = ?", (post,)).fetchone()[0]
        for post in page.ids
    ]
    rows = posts.execute("SELECT id, created_at FROM posts").fetchall()
    if order:
        assert len(times) == sum((row[1] or "") >= at for row in rows)
        assert (page.older is not None) == (0 < len(times) < len(rows))
    else:
        assert len(times) == sum((row[1] or "")[: len(at)] <= at for row in rows)
        assert (page.newer is not None) == (0 < len(times) < len(rows))


def test_posts_of_a_kind_are_read_from_its_index(posts: sqlite3.Connection) -> None:
    for cursor in (None, Cursor("2026-01-15T00:00:00.000Z", 60)):
        for step in plans(posts, Filter(kind="reply"), cursor):
            if "SEARCH posts" in step:
                assert "posts_account_kind (account_id=? AND kind=?" in step


def plans(connection: sqlite3.Connection, wanted: Filter, cursor: Cursor | None) -> list[str]:
    """What SQLite does for one page, statement by statement."""
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    post_page(connection, wanted, older_than=cursor)
    connection.set_trace_callback(None)
    return [
        row[3]
        for statement in statements
        if statement.startswith("SELECT")
        for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")
    ]


@pytest.mark.parametrize("cursor", [None, Cursor("2026-01-15T00:00:00.000Z", 60)])
@pytest.mark.parametrize(("wanted", "_condition"), FILTERS, ids=lambda value: str(value)[:60])
def test_no_page_reads_all_posts(
    posts: sqlite3.Connection, wanted: Filter, _condition: str, cursor: Cursor | None
) -> None:
    for step in plans(posts, wanted, cursor):
        assert step.split(" USING ")[0] != "SCAN posts" or "USING" in step, step


@pytest.mark.parametrize("words", ["釉薬", "陶芸", "äö", "zq"])
def test_two_characters_are_looked_up_without_reading_any_text(
    posts: sqlite3.Connection, words: str
) -> None:
    statements: list[str] = []
    posts.set_trace_callback(statements.append)
    post_page(posts, Filter(words=words))
    posts.set_trace_callback(None)
    assert not any("LIKE" in statement for statement in statements)


@pytest.mark.parametrize("state", ["pending", "failed", "omitted", "gone", "refused"])
def test_states_are_found_by_their_partial_indexes(posts: sqlite3.Connection, state: str) -> None:
    sql = f"EXPLAIN QUERY PLAN SELECT count(*) FROM renditions WHERE {in_state(state)}"
    (step,) = (row[3] for row in posts.execute(sql))
    assert "COVERING INDEX renditions_" in step


@pytest.mark.parametrize("wanted", [Filter(), Filter(account="account 2"), Filter(kind="reply")])
def test_pages_far_down_start_at_the_index(posts: sqlite3.Connection, wanted: Filter) -> None:
    cursor = Cursor("2026-01-15T00:00:00.000Z", 60)
    assert any("created_at<?" in step for step in plans(posts, wanted, cursor))


@pytest.mark.parametrize(
    ("words", "terms"),
    [
        ("kiln four", ["kiln", "four"]),
        ('say "open on Tuesday" now', ["say", "open on tuesday", "now"]),
        ('"', []),
        ('half" open', ["half", "open"]),
        ("AND OR NOT *", ["and", "or", "not", "*"]),
    ],
)
def test_questions_are_words_and_phrases(words: str, terms: list[str]) -> None:
    assert search_terms(words) == terms


@pytest.mark.parametrize(
    "words", ['"', "*", "AND", 'a"b"c', "text:x", "^abc", "(((", "-x NEAR/2 y"]
)
def test_no_question_is_an_error(posts: sqlite3.Connection, words: str) -> None:
    all_ids(posts, Filter(words=words))


@pytest.mark.parametrize(
    ("text", "before"),
    [
        ("2026", "2027"),
        ("2026-02", "2026-03"),
        ("2026-12", "2027-01"),
        ("2026-02-28", "2026-03-01"),
    ],
)
def test_until_reaches_to_the_end(text: str, before: str) -> None:
    assert Filter.parse({"until": text}).until_before == before


@pytest.mark.parametrize("text", ["2026-13", "yesterday", "2026-02-30", "26", "2026-1", "' OR 1"])
def test_dates_that_do_not_exist_are_ignored(text: str) -> None:
    found = Filter.parse({"until": text, "since": "2026"})
    assert found == Filter(since="2026")
    assert found.invalid_dates == (text,)


def test_a_filter_is_its_address() -> None:
    wanted = Filter(
        "kiln “four” &c", "a/b", "threads", "post", "2026", "2026-02", frozenset({"edited"}),
        order="oldest",
    )  # fmt: skip

    assert Filter.parse(dict(parse_qsl(wanted.query()[1:]))) == wanted


def test_pages_of_the_demo_have_the_posts_of_its_view(demo: Path) -> None:
    with closing(sqlite3.connect(f"{demo.as_uri()}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT id FROM posts ORDER BY created_at DESC, id")
        assert all_ids(connection, Filter()) == [row[0] for row in rows]


def test_of_few_posts_it_is_asked_once_which_have_media(posts: sqlite3.Connection) -> None:
    statements: list[str] = []
    posts.set_trace_callback(statements.append)
    page = post_page(posts, Filter(flags=frozenset({"edited", "media"})))
    posts.set_trace_callback(None)
    assert page.count == 0
    assert len([one for one in statements if "EXISTS" in one]) == 1
