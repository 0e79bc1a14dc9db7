"""archiver changes: what happened since a date, of all accounts or of some."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from support.running import Cli
from support.saver import POST, saving


@pytest.fixture
def archive(cli: Cli) -> None:
    """An archive in the current folder: a post of one day, edited on the two after it."""
    Path("archive.toml").write_text('[archive]\ndirectory = "archive"\n')
    with saving(Path()) as saver:
        for text in ("One", "Two", "Three"):
            saver.save(replace(POST, text=text, content={"text": text}))


@pytest.mark.usefixtures("archive")
@pytest.mark.parametrize(
    ("args", "last"),
    [
        (["--since", "2026"], "2 changes since 2026-01-01: 2 edited"),
        (["--since", "2026-03-03"], "1 change since 2026-03-03: 1 edited"),
        (["--since", "2026", "--new"], "3 changes since 2026-01-01: 2 edited, 1 seen"),
        (["--since", "2027"], "0 changes since 2027-01-01"),
        (["--since", "2026", "acme"], "2 changes since 2026-01-01: 2 edited"),
    ],
)
def test_the_last_line_counts(cli: Cli, args: list[str], last: str) -> None:
    done = cli("changes", *args)
    assert done.exit_code == 0
    assert done.stdout.splitlines()[-1] == last


@pytest.mark.usefixtures("archive")
def test_json_has_every_change_in_order(cli: Cli) -> None:
    found = json.loads(cli("changes", "--since", "2026", "--json").stdout)
    assert found["since"] == "2026-01-01T00:00:00.000Z"
    assert [(change["at"][:10], change["what"]) for change in found["changes"]] == [
        ("2026-03-02", "edited"), ("2026-03-03", "edited"),
    ]  # fmt: skip


@pytest.mark.usefixtures("archive")
def test_an_account_that_the_archive_does_not_have_is_refused(cli: Cli) -> None:
    done = cli("changes", "--since", "2026", "acne")
    assert done.exit_code == 2
    assert "acne" in done.stderr
    assert "acme" in done.stderr
