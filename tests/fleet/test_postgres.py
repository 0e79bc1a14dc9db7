"""A PostgreSQL of our own, also where this program runs as root."""

import pytest

from archiver.errors import StorageError, UsageError
from archiver.fleet import postgres
from archiver.fleet.database import connected
from archiver.fleet.postgres import embedded_postgres


@pytest.mark.peers
def test_it_keeps_what_was_committed_when_it_is_started_again() -> None:
    with embedded_postgres() as server:
        with connected(server.address) as connection:
            connection.execute("CREATE TABLE t AS SELECT 7 AS x")
        server.stop()
        with (
            pytest.raises(StorageError, match="does not answer"),
            connected(server.address),
        ):
            pass
        server.start()
        with connected(server.address) as connection:
            assert connection.execute("SELECT x FROM t").fetchone() == (7,)
    assert not server.folder.exists()


def test_without_a_postgresql_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "find_spec", lambda _: None)
    monkeypatch.setattr("archiver.fleet.postgres.shutil.which", lambda _: None)
    monkeypatch.setattr("archiver.fleet.postgres.Path.glob", lambda *_: [])
    with pytest.raises(UsageError, match=r"no PostgreSQL.*\[fleet\]"), embedded_postgres():
        pass
