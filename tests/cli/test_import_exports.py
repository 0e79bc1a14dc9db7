"""`archiver import` says what it recognised, what it added, and what it could not read."""

import json
from pathlib import Path

import pytest

from archiver.cli.import_exports import ImportLine
from archiver.cli.shell import Shell
from support.exports.packing import write_zip
from support.exports.tweets import sample
from support.running import Cli


@pytest.fixture
def package(cli: Cli) -> Path:
    """A package beside a config, in the current folder."""
    Path("archive.toml").write_text('[archive]\ndirectory = "archive"\n')
    files = sample().files()
    del files[next(name for name in files if name.endswith("Ph2.jpg"))]
    return write_zip(Path("twitter.zip"), files)


def test_the_report_has_all_counts(cli: Cli, package: Path) -> None:
    done = cli("import", str(package))
    assert done.exit_code == 3
    text = " ".join(done.stdout.split())
    assert "twitter-ann: an archive of X (Twitter) of 2024-07-01" in text
    assert "12 posts read: 12 new, 0 matched by their id, 0 by a rule, 0 known" in text
    assert "6 files new" in text
    assert "1 file named by posts and not in the package" in text
    assert "Not read: direct messages: private" in text
    again = cli("import", "-q", str(package))
    assert "12 known from an earlier import" in " ".join(again.stdout.split())


def test_a_dry_run_and_json(cli: Cli, package: Path) -> None:
    done = cli("import", "--dry-run", "--json", str(package))
    found = json.loads(done.stdout)
    assert (found["dry_run"], found["packages"][0]["new"]) == (True, 12)
    assert not Path("archive").exists()


def test_what_is_no_export_is_wrong_usage(cli: Cli, package: Path) -> None:
    done = cli("import", "archive.toml")
    assert done.exit_code == 2
    assert "no official export" in done.stderr


def test_the_line_shows_how_far_it_is_and_how_fast() -> None:
    line = ImportLine(Shell())
    line.begin("Importing ann", 2_000, "posts")
    line.advance(500)
    line.copied(3, 3_000_000)
    assert line.text().startswith("Importing ann  500/2,000 posts  ")
    assert "3 files" in line.text()
    line.begin("Hashing a.zip", 4_000, "bytes")
    assert line.text().startswith("Hashing a.zip  0 B/4.0 kB  ")
