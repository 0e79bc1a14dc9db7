"""The metrics of a post, on its page and large."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx


def changed_metric(database: Path) -> tuple[int, str]:
    """A post of which a metric changed, and the name of the metric."""
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        found: tuple[int, str] = connection.execute(
            "SELECT post_id, name FROM metrics WHERE attachment_id = 0 AND name LIKE '%.%' "
            "GROUP BY 1, 2 HAVING count(DISTINCT value) > 1"
        ).fetchone()
    return found


def test_a_small_chart_leads_to_a_large_one_with_dates(client: httpx.Client, demo: Path) -> None:
    post, name = changed_metric(demo)
    page = client.get(f"/archive/-/post/{post}").text
    link = f"/archive/-/post/{post}/metric?name={name}"
    assert f'href="{link}"' in page
    large = client.get(link).text
    assert re.search(r"<text x=\"0(\.0)?%\" y=\"296\">\d+ \w+ \d{4}</text>", large)
    assert f"/archive/-/post/{post}#metrics" in large


def test_a_metric_that_is_not_there_is_a_404(client: httpx.Client) -> None:
    for query in ("", "?name=nope", "?name=likes&attachment=x", "?attachment=0"):
        assert client.get(f"/archive/-/post/1/metric{query}").status_code == 404, query
    assert client.get("/archive/-/post/99999999/metric?name=likes").status_code == 404
