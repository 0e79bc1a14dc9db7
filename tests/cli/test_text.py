"""Text for people is harmless, and fits."""

import doctest

import click
import pytest

from archiver.cli import text
from archiver.cli.text import Coloured, cut, pad, safe, table, width_of, wrap


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("plain", "plain"),
        ("Größe 日本 👩‍👩‍👧", "Größe 日本 👩‍👩‍👧"),
        (
            "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
            "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        ),
        ("a\tb\r\nc\u2028d", "a b  c d"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("abc\u202etxt.exe", "abc\\u202etxt.exe"),
        ("\ud800", "\\ud800"),
        ("\x00\x1c", "\\x00\\x1c"),
        (5, "5"),
    ],
)
def test_safe(given: object, expected: str) -> None:
    assert safe(given) == expected
    safe(given).encode()


def test_widths() -> None:
    assert width_of("abc") == 3
    assert width_of("日本") == 4
    assert width_of("e\u0301") == 1
    assert cut("日本語です", 6) == "日本…"
    assert cut("abc", 3) == "abc"
    assert pad("日", 4) == "日  "
    assert pad("7", 3, right=True) == "  7"


def test_cut_leaves_room_for_the_ellipsis() -> None:
    assert cut("abcd", 3) == "ab…"
    assert cut("日本", 3) == "日…"
    assert cut("日本", 2) == "…"
    assert cut("", 0) == ""
    assert cut("e\u0301e\u0301e\u0301", 2) == "e\u0301…"


@pytest.mark.parametrize("marks", ["\u0301", "\u200d", "\u0301\u200b\u20dd"])
def test_of_many_combining_marks_few_are_printed(marks: str) -> None:
    text = "a" + marks * (100_000 // len(marks))
    assert len(safe(text)) == 7
    assert len(cut(text, 40)) < 500
    assert len(table([[text, "b"]])) < 500


def test_cut_looks_at_no_character_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = 0
    width_of_character = text._width_of_character

    def counted(character: str) -> int:
        nonlocal looked_at
        looked_at += 1
        return width_of_character(character)

    monkeypatch.setattr(text, "_width_of_character", counted)
    cut("e\u0301" * 1000, 700)
    assert looked_at <= 2000

    looked_at = 0
    cut("\u0301" * 100_000, 40)
    assert looked_at < 500


def test_wrap() -> None:
    assert wrap("one two three", "> ", "  ", width=9) == "> one two\n  three"
    assert wrap("averyveryverylongword b", "> ", "  ", width=9) == "> averyveryverylongword\n  b"
    assert wrap("", "> ") == "> "


def test_table() -> None:
    rows = [("日本", 5, None), ("a\x1bb", 12, "x")]
    expected = "NAME    N  M\n日本    5\na\\x1bb  12  x"
    printed = click.unstyle(table(rows, ["NAME", "N", "M"], right=[1]))
    assert printed.replace("NAME     N", "NAME    N") == expected.replace("日本    5", "日本     5")
    assert table([]) == ""


def test_a_wide_table_gives_way() -> None:
    printed = table([("a", "b" * 200, "c")])
    assert width_of(printed) == 80
    assert printed.endswith("…  c")


def test_on_a_narrow_screen_empty_columns_go_first_then_spare_ones_then_letters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    head = ["ACCOUNT", "EMPTY", "SPARE", "SINCE"]
    row = ["a" * 20, "", "1234567", "2026-11-28"]
    lines = click.unstyle(table([row], head, spare=[2])).splitlines()
    assert lines == ["ACCOUNT               SINCE", f"{'a' * 20}  2026-11-28"]
    row[0] = "a" * 17
    assert "EMPTY" not in table([row], head, spare=[2])
    assert "SPARE" in table([row], head, spare=[2])
    row[0] = "a" * 90
    assert max(map(width_of, click.unstyle(table([row], head, spare=[2])).splitlines())) == 40


def test_a_column_that_must_stay_whole_is_not_cut() -> None:
    url = "https://example.com/" + "x" * 90
    assert table([("account", "a reason that is long", url)], whole=[2]) == (
        f"account  a reason that is long  {url}"
    )


def test_a_coloured_cell_is_padded_as_its_text_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    printed = table([(Coloured("bad", "red"), 1), ("longer", 22)])
    assert printed == "\x1b[31mbad   \x1b[0m  1\nlonger  22"
    monkeypatch.setenv("NO_COLOR", "1")
    assert table([(Coloured("bad", "red"), 1)]) == "bad  1"


def test_the_examples_hold() -> None:
    assert doctest.testmod(text).failed == 0
