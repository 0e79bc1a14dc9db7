"""Errors: an exit code on each branch, a code for programs, one line for people."""

import asyncio
import re
from collections.abc import Iterator

import pytest

from archiver import errors
from archiver.errors import ArchiverError, MediaGone, SourceDown, leaves, single_error


def classes(base: type[ArchiverError] = ArchiverError) -> Iterator[type[ArchiverError]]:
    yield base
    for cls in base.__subclasses__():
        if cls.__module__ == errors.__name__:
            yield from classes(cls)


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes() -> None:
    written = re.findall(r"(\w+) +(\d+)   ", errors.__doc__ or "")
    assert {name: int(code) for name, code in written} == {
        cls.__name__: cls.exit_code for cls in classes()
    }


def test_every_class_has_a_code_of_its_own() -> None:
    # one that has none of its own, AccountGone, is always given one
    codes = [cls.default_code for cls in classes() if "default_code" in vars(cls)]
    # MediaRefused is about a file, AccessRefused about an account
    assert [code for code in set(codes) if codes.count(code) > 1] == ["refused"]


def test_a_message_is_one_line_with_a_full_stop_between_its_parts() -> None:
    error = ArchiverError(
        "It failed", why="Because.", kept="Nothing was changed ", hint="Try again."
    )
    assert str(error) == "It failed. Because. Nothing was changed. Try again"
    assert str(ArchiverError("It failed")) == "It failed"


def test_the_code_is_that_of_the_class_unless_given() -> None:
    assert SourceDown("down").code == "down"
    assert SourceDown("down", code="encoding").code == "encoding"


def test_a_file_is_gone_for_good_only_if_the_server_says_so() -> None:
    assert not MediaGone("404").final
    assert MediaGone("410", final=True).final


def test_the_errors_of_nested_groups_are_listed_flat() -> None:
    one, two, three = ValueError("1"), KeyError("2"), OSError("3")
    group = BaseExceptionGroup("", [one, BaseExceptionGroup("", [two, three])])
    assert list(leaves(group)) == [one, two, three]
    assert list(leaves(one)) == [one]


def test_of_several_errors_the_one_with_a_message_for_people_is_raised() -> None:
    ours = SourceDown("The source is down")
    with pytest.raises(SourceDown) as caught, single_error():
        raise BaseExceptionGroup("", [OSError("x"), ours])
    assert caught.value is ours


def test_without_such_a_one_the_first_is_raised() -> None:
    with pytest.raises(asyncio.CancelledError), single_error():
        raise BaseExceptionGroup("", [asyncio.CancelledError(), OSError("x")])


def test_a_single_error_passes_as_it_is() -> None:
    with pytest.raises(KeyError), single_error():
        raise KeyError("x")
