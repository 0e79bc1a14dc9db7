"""Dates on the command line are read in every usual form, and explained where they are none."""

from datetime import UTC, datetime

import click
import pytest

from archiver.cli.dates import Date
from support.running import Cli


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-03", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-3-7", datetime(2026, 3, 7, tzinfo=UTC)),
        (" 2026-03-17 ", datetime(2026, 3, 17, tzinfo=UTC)),
        ("2026-03-17T12:00", datetime(2026, 3, 17, 12, tzinfo=UTC)),
        ("2026-03-17T12:00:30Z", datetime(2026, 3, 17, 12, 0, 30, tzinfo=UTC)),
        ("2026-03-17T12:00+02:00", datetime(2026, 3, 17, 10, tzinfo=UTC)),
    ],
)
def test_forms(text: str, moment: datetime) -> None:
    assert Date().convert(text, None, None) == moment


@pytest.mark.parametrize("text", ["tomorrow", "", "17.3.2026", "2026-13", "0000", "2026-02-30"])
def test_what_is_no_date_is_quoted_with_forms_that_are(text: str, cli: Cli) -> None:
    with pytest.raises(click.BadParameter, match="is not a date"):
        Date().convert(text, None, None)
    done = cli("backup", "--since", text)
    assert done.exit_code == 2
    assert "Write 2026-03-17, 2026-03 or 2026-03-17T12:00" in " ".join(done.stderr.split())
    assert "%" not in done.stderr
