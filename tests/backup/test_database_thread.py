"""The one connection that writes is used by one function at a time, in a thread, in order."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing

import anyio
import pytest

from archiver.backup.database_thread import DatabaseThread

pytestmark = pytest.mark.anyio


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", check_same_thread=False)) as connection:
        connection.execute("CREATE TABLE t (x)")
        yield connection


def insert(connection: sqlite3.Connection, value: int) -> int:
    connection.execute("INSERT INTO t VALUES (?)", (value,))
    return threading.get_ident()


async def test_a_call_runs_in_another_thread_and_gives_its_result(
    connection: sqlite3.Connection,
) -> None:
    with DatabaseThread(connection) as database:
        assert await database.call(insert, 1) != threading.get_ident()
    assert connection.execute("SELECT x FROM t").fetchall() == [(1,)]


async def test_calls_come_one_after_the_other_in_their_order(
    connection: sqlite3.Connection,
) -> None:
    with DatabaseThread(connection) as database:
        async with anyio.create_task_group() as tasks:
            for value in range(10):
                tasks.start_soon(database.call, insert, value)
    assert connection.execute("SELECT x FROM t ORDER BY rowid").fetchall() == [
        (value,) for value in range(10)
    ]


async def test_an_error_reaches_the_caller(connection: sqlite3.Connection) -> None:
    with DatabaseThread(connection) as database:
        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            await database.call(lambda used: used.execute("SELECT * FROM other"))
        await database.call(insert, 2)
    assert connection.execute("SELECT count(*) FROM t").fetchone() == (1,)


async def test_a_call_that_has_begun_is_never_cut_short(connection: sqlite3.Connection) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def slow(used: sqlite3.Connection) -> None:
        begun.set()
        assert may_end.wait(60)
        used.execute("INSERT INTO t VALUES ('finished')")

    with DatabaseThread(connection) as database:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(database.call, slow)
            await anyio.to_thread.run_sync(begun.wait)
            tasks.cancel_scope.cancel()
            may_end.set()
        assert connection.execute("SELECT x FROM t").fetchall() == [("finished",)]


async def test_while_the_database_is_busy_the_event_loop_goes_on(
    connection: sqlite3.Connection,
) -> None:
    may_end = threading.Event()
    with DatabaseThread(connection) as database:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(database.call, lambda _: may_end.wait(60))
            for _ in range(3):
                await anyio.lowlevel.checkpoint()
            may_end.set()  # whatever blocked the loop would never come here


def test_leaving_the_context_waits_for_a_thread_that_the_loop_left_behind(
    connection: sqlite3.Connection,
) -> None:
    """As when an event loop is stopped from outside, which does not wait for its threads."""
    begun, may_end, ended = threading.Event(), threading.Event(), threading.Event()

    def slow(_: sqlite3.Connection) -> None:
        begun.set()
        assert may_end.wait(60)
        ended.set()

    database = DatabaseThread(connection)
    with database:
        left = threading.Thread(target=lambda: anyio.run(database.call, slow))
        left.start()
        assert begun.wait(60)
        threading.Timer(0.05, may_end.set).start()
    assert ended.is_set()
    left.join()
