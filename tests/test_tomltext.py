"""The usual mistakes in a TOML file are named, with their place and the way out."""

import pytest

from archiver.errors import ConfigError
from archiver.tomltext import backslash_hint, decode, parse

NAME = "archive.toml"


def refused_bytes(data: bytes) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        decode(data, NAME)
    return caught.value


def refused_text(text: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        parse(text, NAME)
    return caught.value


def test_a_document_is_read() -> None:
    text = decode("[archive]\r\ndirectory = 'Grüße'\r\n".encode("utf-8-sig"), NAME)
    assert parse(text, NAME) == {"archive": {"directory": "Grüße"}}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_named_with_or_without_its_mark(encoding: str) -> None:
    error = refused_bytes("[archive]\n".encode(encoding))
    assert "UTF-16, not UTF-8" in error.what
    assert "PowerShell" in (error.hint or "")


def test_utf_16_appended_to_utf_8_is_named_where_it_begins() -> None:
    error = refused_bytes(b"[archive]\n" + "[media]\n".encode("utf-16"))
    assert error.what == f"{NAME}, line 2, column 1: from here on this is UTF-16, not UTF-8"


def test_a_byte_of_windows_1252_is_named_with_the_character_that_it_was() -> None:
    error = refused_bytes(b"[archive]\nname = 'caf\xe9'\n")
    assert error.what == f"{NAME}, line 2, column 12: this is not UTF-8"
    assert "E9" in (error.why or "")
    assert "é" in (error.why or "")


def test_a_zero_byte_alone_is_named() -> None:
    error = refused_bytes(b"a = 1\nb = \0 2\n")
    assert error.what == f"{NAME}, line 2, column 5: there is a zero byte"


@pytest.mark.parametrize("text", ['directory = "C:\\Users\\me"', 'a = "\\u12"', 'a = "\\xZZ"'])
def test_a_backslash_in_double_quotes_is_explained(text: str) -> None:
    error = refused_text(f"[archive]\n{text}\n")
    assert "backslash begins an escape" in (error.why or "")
    assert backslash_hint(text.partition(" ")[0]) == error.hint
    assert f"line 2, column {text.index(chr(92)) + 1}" in error.what


@pytest.mark.parametrize(
    ("text", "name", "way_out"),
    [
        ("a = “b”", "left double quotation mark", 'straight quote: "'),
        ("a = ‘b’", "left single quotation mark", "straight quote: '"),
        ('a = "b”', "right double quotation mark", 'straight quote: "'),
        ("a\u00a0= 1", "no-break space", "ordinary space"),
        ("a = 1\u200b", "zero-width space", "Delete it"),
        ("a ＝ 1", "fullwidth equals sign", "ASCII character"),
    ],
)  # fmt: skip
def test_a_character_that_was_never_meant_is_named(text: str, name: str, way_out: str) -> None:
    error = refused_text(f"{text}\n")
    assert name in (error.why or "")
    assert way_out in (error.hint or "")


def test_what_is_defined_twice_is_named() -> None:
    error = refused_text("[media]\nvideos = 'best'\n[media]\n")
    assert "line 3" in error.what
    assert "defined before" in (error.why or "")


@pytest.mark.parametrize("text", ["a = ", "a", "[media", "= 1", "a = 1 b = 2", '"'])
def test_anything_else_has_a_place_and_an_example(text: str) -> None:
    error = refused_text(f"# a comment\n{text}\n")
    assert error.what.startswith(f"{NAME}, line 2, column ")
    assert "key = value" in (error.hint or "")


def test_what_ends_too_early_is_named_at_the_last_line_that_has_text() -> None:
    assert "line 1," in refused_text("a = '''b\n\n\n").what


def test_no_depth_ends_the_program() -> None:
    assert "nested too deep" in refused_text("a = " + "[" * 100_000).what
