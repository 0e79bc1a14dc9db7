"""Scopes of posts: read back from a column as they were written, and in words."""

import pytest

from archiver.archive.post_scope import PostScope, account_ids
from archiver.errors import UsageError
from support.small_archive import small_archive

SCOPE = PostScope((1,), "2026-01-01T00:00:00.000Z", "2026-02-01T12:00:00.000Z", "brücke", (3, 4))


def test_a_scope_is_read_back_as_it_was_written() -> None:
    assert PostScope.from_json(SCOPE.to_json()) == SCOPE
    assert PostScope.from_json("{}") == PostScope()
    assert PostScope().to_json() == "{}"


def test_a_scope_is_told_in_words() -> None:
    with small_archive() as archive:
        archive.account("bluesky", "acme")
        words = SCOPE.in_words(archive.connection)
        of_account = PostScope((1,)).in_words(archive.connection)
    assert words == "posts 3, 4, from 2026-01-01, before 2026-02-01T12:00:00.000Z, with “brücke”"
    assert of_account == "acme"


def test_an_account_that_is_not_there_is_named_with_those_that_are() -> None:
    with small_archive() as archive:
        archive.account("bluesky", "acme")
        with pytest.raises(UsageError, match="no account acne") as error:
            account_ids(archive.connection, ["acne"])
    assert error.value.hint == "It has acme"
