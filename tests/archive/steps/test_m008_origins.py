"""The eighth step: what films are made of, and playlists that are tried again."""

import sqlite3

from archiver.archive.playlists import HOLDS_PLAYLIST
from archiver.archive.schema import model


def test_playlists_to_try_again_are_read_from_their_index_in_order() -> None:
    connection: sqlite3.Connection = model()
    query = f"""
        SELECT id FROM renditions INDEXED BY renditions_playlists
         WHERE account_id = 1 AND {HOLDS_PLAYLIST} AND setting IS NOT '1'
         ORDER BY published_at DESC, id
    """
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}")]
    assert "renditions_playlists" in plan[0]
    assert not any("TEMP B-TREE" in step for step in plan)
