"""The progress line names the step, counts each post once, and shows no total that is not known."""

import pytest

from archiver.cli.progress import ProgressLine


class Line(ProgressLine):
    """A progress line whose time the test sets."""

    def __init__(self) -> None:
        self.seconds = 0.0
        super().__init__(lambda text: None, lambda: self.seconds)


@pytest.fixture
def line() -> Line:
    return Line()


def test_it_names_the_account_and_the_page_that_is_asked_for(line: Line) -> None:
    assert line.text().startswith("Starting")
    line.scanning("acme-x", 1, 0)
    line.scanning("acme-instagram", 3, 200)
    assert line.text() == "Scanning acme-instagram, page 3 and 1 more account  200 posts"
    line.scanned("acme-instagram", 250)
    assert line.text() == "Scanning acme-x, page 1  250 posts"
    line.scanned("acme-x", 0)
    assert line.text() == "Downloading  250 posts"


def test_while_accounts_are_scanned_there_is_no_total(line: Line) -> None:
    line.scanning("acme", 2, 100)
    line.files(300, 12, is_all=False)
    assert "12 files" in line.text()
    assert "312" not in line.text()


def test_once_all_is_scanned_the_total_is_true_and_the_time_left_is_shown(line: Line) -> None:
    line.files(300, 12, is_all=True)
    assert "12/312 files" in line.text()
    line.seconds = 10.0
    line.files(200, 112, is_all=True)
    assert "112/312 files" in line.text()
    assert line.text().endswith("20 s left")
    assert line.text().startswith("[###")


def test_bytes_come_with_their_rate(line: Line) -> None:
    line.scanning("acme", 1, 0)
    line.seconds = 3.0
    line.received(30_000_000)
    assert "30 MB  10 MB/s" in line.text()


def test_it_fits_a_narrow_screen(
    line: Line, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    with line:
        line.scanning("a-very-long-name-of-an-account" * 3, 1, 0)
        line.seconds = 1.0
        line.files(3_000, 1_000, is_all=True)
    drawn = capsys.readouterr().err.split("\r")
    assert max(map(len, drawn)) < 40


def test_the_name_of_an_account_cannot_steer_the_terminal(line: Line) -> None:
    line.scanning("evil\x1b[2J", 1, 0)
    assert "\x1b" not in line.text()
