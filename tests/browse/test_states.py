"""A state is asked for in the words of the index that has it."""

import sqlite3
from typing import get_args

import pytest

from archiver.archive.schema import model
from archiver.browse.states import in_state
from archiver.reasons import State

WITHOUT_INDEX = {"stored", "skipped"}


@pytest.mark.parametrize("state", sorted(set(get_args(State)) - WITHOUT_INDEX))
def test_each_is_read_from_an_index(state: str) -> None:
    connection: sqlite3.Connection = model()
    query = f"EXPLAIN QUERY PLAN SELECT id FROM renditions WHERE {in_state(state)}"
    assert "USING" in connection.execute(query).fetchone()[3]


def test_a_state_without_an_index_is_not_asked_for_so() -> None:
    with pytest.raises(ValueError, match="stored"):
        in_state("stored")
