"""The scanner finds every key where it stands."""

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.tomllines import key_lines, line_of

KEYS = st.sampled_from(["a", "b", "long-key", '"quoted key"', "'single [x]'", "c.d", "e . 'f'"])
VALUES = st.sampled_from(
    [
        "1", '"x"', "'#'", "[1, 2]", "[\n  1, # ]\n  [2],\n]", '"""\n[a]\nb = 1\n"""', "'''\n#'''",
        '{ a = 1, b = "}" }', '"\\""', "2026-01-01", '""', "''", '"""""""', "true # = 5",
    ]
)  # fmt: skip
HEADERS = st.sampled_from(["[t]", "[[u]]", "[t.s]", "[[u.v]]", '["w x"]', "[ y . z ] # [no]"])
LINES = st.one_of(st.tuples(KEYS, VALUES), HEADERS, st.sampled_from(["", "# [note]", "  "]))


def paths(value: Any, path: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    """The paths of all tables and keys in a document."""
    if isinstance(value, dict):
        return {path}.union(*(paths(child, (*path, key)) for key, child in value.items()))
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return {path}.union(*(paths(item, (*path, n)) for n, item in enumerate(value)))
    return {path}


@given(st.lists(LINES, max_size=12))
def test_every_key_is_found_on_its_line(lines: list[tuple[str, str] | str]) -> None:
    texts = [line if isinstance(line, str) else f"{line[0]} = {line[1]}" for line in lines]
    text = "\n".join(texts)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    found = key_lines(text)
    starts = {1 + "\n".join(texts[:n]).count("\n") + (n > 0) for n in range(len(texts))}
    assert set(found.values()) <= starts
    assert set(found) <= paths(document)
    statements = [line for line in lines if not isinstance(line, str) or line.startswith("[")]
    assert set(found.values()) == {
        1 + "\n".join(texts[:n]).count("\n") + (n > 0)
        for n, line in enumerate(lines)
        if line in statements
    }


@given(st.text(alphabet="ab=[]{}\"'#.\n\\ ,1"))
def test_it_never_fails_on_what_is_no_toml(text: str) -> None:
    key_lines(text)


def test_the_nearest_table_stands_in_for_what_has_no_line() -> None:
    lines = key_lines("x = 1\n[[a]]\nb = { c = 1 }\n[[a]]\n[a.d]\n")
    assert line_of(lines, ("a", 0, "b", "c")) == 3
    assert line_of(lines, ("a", 0, "missing")) == 2
    assert line_of(lines, ("a", 1, "d")) == 5
    assert line_of(lines, ("y",)) is None


@pytest.mark.parametrize("size", [20_000])
def test_a_long_file_takes_no_long_time(size: int) -> None:
    assert len(key_lines("".join(f"k{n} = {n}\n" for n in range(size)))) == size
