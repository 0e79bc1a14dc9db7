"""A request for history, and what a cursor of it is bound to."""

from dataclasses import fields, replace
from typing import Any

import pytest

from archiver_ayrshare.emulation.queries import DEFAULT_LIMIT, Listing, Plan, Query

POSITION = {"limit", "after", "post_id"}
OTHER: dict[str, Any] = {"platform": "twitter"}


@pytest.mark.parametrize("name", [field.name for field in fields(Query)])
def test_a_cursor_is_bound_to_all_but_the_limit_and_the_position(name: str) -> None:
    """A field that is added to a query must not be forgotten here."""
    query = Query("facebook")
    other = replace(query, **{name: OTHER.get(name, "another")})
    assert (other.filters() == query.filters()) is (name in POSITION)


def test_defaults_are_those_of_the_api() -> None:
    assert Query("facebook").limit == DEFAULT_LIMIT == 10
    assert Plan().max_limit == 500
    assert Listing((), "", "").status == "success"
