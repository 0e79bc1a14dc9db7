"""Values on the command line are read in every usual form, and explained where they are none."""

from datetime import UTC, datetime

import click
import pytest

from archiver.cli.values import Date
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


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("backup", "--limit", "0"), "It must be a whole number, 1 or more."),
        (("backup", "--limit", "many"), "It must be a whole number, 1 or more."),
        (("browse", "--port", "99999"), "It must be a whole number, 0 to 65535."),
        (("verify", "--minutes", "-1"), "It must be a number of minutes, such as 30 or 0.5."),
        (("verify", "--minutes", "half"), "It must be a number of minutes, such as 30 or 0.5."),
    ],
)
def test_a_number_that_does_not_fit_is_explained_in_words(
    command: tuple[str, ...], words: str, cli: Cli
) -> None:
    done = cli(*command)
    assert done.exit_code == 2
    assert words in " ".join(done.stderr.split())


@pytest.mark.parametrize("text", ["tomorrow", "", "17.3.2026", "2026-13", "0000", "2026-02-30"])
def test_what_is_no_date_is_quoted_with_forms_that_are(text: str, cli: Cli) -> None:
    with pytest.raises(click.BadParameter, match="is not a date"):
        Date().convert(text, None, None)
    done = cli("backup", "--since", text)
    assert done.exit_code == 2
    assert "Write 2026-03-17, 2026-03 or 2026-03-17T12:00" in " ".join(done.stderr.split())
    assert "%" not in done.stderr
