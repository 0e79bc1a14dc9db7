"""Tables become dataclasses by their annotations, whatever plugins write there."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pytest

from archiver.binding import Size, TableLocation, bind, kind_of, settings_of
from archiver.errors import ConfigError
from archiver.secrets import Secret
from archiver.urls import BaseUrl


@dataclass(frozen=True)
class Everything:
    """All kinds of settings."""

    text: str
    number: float = 0.5
    either: int | str = 0
    numbers: list[int] = field(default_factory=list)
    words: tuple[Literal["a", "b"], ...] = ()
    level: Literal[1, 2] = 1
    folder: Path | None = None
    wait: timedelta | None = None
    size: Size = field(default=Size(0))
    key: Secret | None = None
    server: BaseUrl | None = None


def bound(**table: Any) -> Everything:
    """The table as Everything."""
    return bind({"text": "x", **table}, Everything, TableLocation(title="[sample]"))


def test_defaults() -> None:
    assert bound() == Everything("x")


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("number", 2, 2.0),
        ("either", "x", "x"),
        ("either", 7, 7),
        ("numbers", [1, 2], [1, 2]),
        ("words", ["a", "b", "a"], ("a", "b", "a")),
        ("level", 2, 2),
        ("folder", "/x/y", Path("/x/y")),
        ("wait", "1d", timedelta(days=1)),
        ("size", "1kb", 1000),
        ("key", "env:X", Secret("env:X")),
        ("server", "https://a.example/api/", "https://a.example/api/"),
        ("server", "HTTP://[::1]:8080", "HTTP://[::1]:8080"),
    ],
)
def test_what_fits(name: str, given: Any, expected: Any) -> None:
    value = getattr(bound(**{name: given}), name)
    assert value == expected
    assert type(value) is not bool


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("text", 1, "must be a text in quotes, not 1"),
        ("text", "a\0b", "zero byte"),
        ("number", "x", 'must be a number, not the text "x"'),
        ("number", True, "must be a number, not true"),
        ("either", 1.5, "must be a whole number or a text in quotes, not 1.5"),
        ("numbers", [1, "2"], 'must be a whole number, not the text "2"'),
        ("numbers", 1, "must be a list, each a whole number, not 1"),
        ("words", ["c"], 'must be one of "a", "b"'),
        ("level", 3, "must be one of 1, 2, not 3"),
        ("level", True, "must be one of 1, 2, not true"),
        ("wait", {"days": 1}, "not a table"),
        ("text", "x" * 500 + "\0", "zero byte"),
        ("level", "y" * 500, "yyy…"),
    ],
)
def test_what_does_not_fit(name: str, given: Any, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        bound(**{name: given})
    message = str(caught.value)
    assert f'"{name}" in [sample]' in message
    assert said in message
    assert len(message) < 200


@pytest.mark.parametrize(
    "given",
    [
        "plc.directory", "//a.example", "ftp://a.example", "https://", "https://a b/", "https:/a",
        "https://a.example:99999", "https://user:hunter2@a.example", "https://a.example?q=hunter2",
        "https://a.example/#x", "", "env:X", "https://a.example ",
    ],
)  # fmt: skip
def test_an_address_of_an_api_is_checked_and_never_shown(given: str) -> None:
    with pytest.raises(ConfigError) as error:
        bound(server=given)
    assert '"server" in [sample] must' in str(error.value)
    assert "hunter2" not in str(error.value)


def test_a_secret_of_the_wrong_type_is_not_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        bound(key=12345678)
    assert "12345678" not in str(caught.value)
    assert "must be a reference to a secret, not a number" in str(caught.value)


def test_a_missing_setting_comes_with_its_help_and_an_example() -> None:
    @dataclass
    class Needy:
        when: timedelta = field(metadata={"help": "How long to wait."})

    with pytest.raises(ConfigError) as caught:
        bind({}, Needy, TableLocation(title="[sample]"))
    assert str(caught.value) == (
        'archive.toml: "when" is missing in [sample]. How long to wait. '
        'Write for example: when = "7d"'
    )


@pytest.mark.parametrize("error", [ValueError("a and b differ"), ConfigError("a and b differ")])
def test_a_dataclass_may_check_itself(error: Exception) -> None:
    @dataclass
    class Checked:
        a: int = 1

        def __post_init__(self) -> None:
            raise error

    with pytest.raises(ConfigError, match=r"^archive.toml: .*a and b differ"):
        bind({}, Checked, TableLocation(title="[sample]"))


def test_what_documentation_prints() -> None:
    @dataclass
    class Sample:
        size: Size = field(default=Size(2_500_000), metadata={"help": "Bytes."})
        wait: timedelta = timedelta(hours=36)
        key: Secret | None = None
        many: tuple[str, ...] = ("a", 'b"')
        needed: bool = field(kw_only=True)

    size, wait, key, many, needed = settings_of(Sample)
    assert (size.default, size.help) == ('"2500KB"', "Bytes.")
    assert wait.default == '"36h"'
    assert (key.default, key.required, key.kind) == (None, False, "a reference to a secret")
    assert many.default == '["a", "b\\""]'
    assert (needed.required, needed.example) == (True, "true")


@pytest.mark.parametrize("annotation", [complex, dict[str, str], object, list[bytes]])
def test_types_that_toml_cannot_say(annotation: Any) -> None:
    with pytest.raises(TypeError, match="cannot be of type"):
        kind_of(annotation)
