"""Converts a TOML table to a frozen dataclass, according to the annotations of its fields.

The dataclass defines the table: its fields are the keys, their annotations are the types, and
`metadata={"help": "…", "min": 1, "example": '"7d"'}` documents and limits them. Known annotations:
`str`, `bool`, `int`, `float`, `Literal`, `list[X]`, `tuple[X, ...]`, `X | Y`, `X | None`, `Secret`,
`Path` (relative to the file), `timedelta` (`"7d"`), `CalendarPeriod` (`"6 years"`), `Size`
(`"4GB"`) and `BaseUrl`.

msgspec converts too, but it cannot be taught to read `timedelta` and `Size` as here, and its
messages name Python's types: the code around it would be longer than this module.
"""

import difflib
import re
import types
import unicodedata
from calendar import monthrange
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, NewType, TypeVar, Union, get_args, get_origin, get_type_hints
from urllib.parse import unquote

from archiver.characters import describe_character, first_invisible
from archiver.errors import ConfigError
from archiver.human import counted
from archiver.secrets import SCHEMES, Secret, is_reference
from archiver.tomllines import KeyPath, line_of
from archiver.tomltext import backslash_hint
from archiver.urls import BadUrl, BaseUrl, normalize_url

Size = NewType("Size", int)
"""A number of bytes, written as `"4GB"` or `"512MiB"`."""


@dataclass(frozen=True, slots=True)
class ProxyAddress:
    """The URL of a proxy, `http://host:port`, and the credentials that were part of it."""

    url: str
    credentials: Secret | None = None


@dataclass(frozen=True, slots=True)
class CalendarPeriod:
    """A length of time in the calendar, such as six years: as laws and schedules name them."""

    number: int
    unit: Literal["day", "month", "year"]

    def before(self, moment: datetime) -> datetime:
        """When a period began that ends at `moment`. Raises ValueError before the year 1.

        A month from 31 January on ends on 1 March.
        """
        if self.unit == "day":
            try:
                return moment - timedelta(days=self.number)
            except OverflowError:
                raise ValueError("before the year 1") from None
        months = self.number * (12 if self.unit == "year" else 1)
        year, month = divmod(moment.year * 12 + moment.month - 1 - months, 12)
        last_day = monthrange(year, month + 1)[1] if year > 0 else 31
        if moment.day > last_day:
            moment = moment.replace(
                day=last_day, hour=23, minute=59, second=59, microsecond=999_999
            )
        return moment.replace(year=year, month=month + 1)

    def __str__(self) -> str:
        return counted(self.number, self.unit)


CheckpointTarget = NewType("CheckpointTarget", str)
"""Who gets checkpoints: the path of a folder, `git:PATH` or `cmd:COMMAND`; paths are absolute."""

_T = TypeVar("_T")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|min|h|d|w)", re.IGNORECASE)
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800}
_PERIOD = re.compile(r"([1-9]\d{0,5}) *(d|day|month|y|year)s?", re.IGNORECASE)
_UNITS: dict[str, Literal["day", "month", "year"]] = {
    "d": "day", "day": "day", "month": "month", "y": "year", "year": "year",
}  # fmt: skip
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]i?)?B", re.IGNORECASE)
_PROXY = re.compile(r"http://(?:(?P<who>[^@/?#\s]*)@)?(?P<at>[^@/?#\\\s]+)/?", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_MAX_SHOWN = 40


@dataclass(frozen=True, slots=True)
class TableLocation:
    """The file and the place in it that a table is from: for messages, relative paths and secrets.

    `path` leads to the table, `lines` has the line of each key. `title` names the table in
    messages, such as `[media]`. `private`: only its owner can read the file. `exposed` is the file
    or a folder of it, where other users may write to it.
    """

    file: Path = Path("archive.toml")
    path: KeyPath = ()
    lines: Mapping[KeyPath, int] = field(default_factory=dict, repr=False)
    title: str = "the file"
    private: bool = True
    exposed: Path | None = None

    def at(self, key: str | None = None) -> str:
        """`archive.toml, line 7`, of the table or of one key in it."""
        line = line_of(self.lines, self.path if key is None else (*self.path, key))
        return self.file.name if line is None else f"{self.file.name}, line {line}"

    def inside(self, *path: str | int, title: str) -> "TableLocation":
        """The location of a table in this one."""
        return replace(self, path=(*self.path, *path), title=title)

    def error(
        self, text: str, *, key: str | None = None, why: str | None = None, hint: str | None = None
    ) -> ConfigError:
        """A ConfigError that begins with the location."""
        return ConfigError(f"{self.at(key)}: {text}", why=why, hint=hint)


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of a table, for documentation. `default` is TOML, or None where it is required."""

    name: str
    kind: str
    required: bool
    default: str | None
    example: str
    help: str


class _InvalidValue(Exception):
    """A value is invalid. The message continues `"key" in [table] …`."""

    def __init__(self, problem: str, hint: str | None = None) -> None:
        super().__init__(problem)
        self.hint = hint


def bind(table: Mapping[str, Any], cls: type[_T], place: TableLocation) -> _T:
    """An instance of the dataclass `cls`, made of the table.

    Raises ConfigError for an unknown key, a missing one, or an invalid value.
    """
    known = _fields(cls)
    for key in table:
        if key not in known:
            raise unknown_key(key, known, place)
    values: dict[str, Any] = {}
    for name, (spec, annotation) in known.items():
        if name in table:
            values[name] = _bound(name, table[name], spec, annotation, place)
        elif isinstance(default := _default(spec), Path):
            values[name] = _path(str(default), place)
        elif default is MISSING:
            hint = f"Write for example: {name} = {_example(spec, annotation)}"
            raise place.error(f'"{name}" is missing in {place.title}', why=_help(spec), hint=hint)
    return _construct(cls, values, place)


def _construct(cls: type[_T], values: Mapping[str, Any], place: TableLocation) -> _T:
    """An instance of the class. Raises ConfigError for any error of its `__post_init__`."""
    try:
        return cls(**values)
    except ConfigError as error:
        raise place.error(error.what, why=error.why, hint=error.hint) from None
    except ValueError as error:
        raise place.error(
            f"the settings in {place.title} contradict each other", why=str(error)
        ) from None
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        text = f"the plugin failed on the settings of {place.title}"
        raise place.error(text, why=f"{type(error).__name__}: {error}") from error


def settings_of(cls: type[Any]) -> tuple[Setting, ...]:
    """What can be written in a table, in the order of the dataclass.

    Raises TypeError for a class that is no dataclass, or whose annotation TOML cannot say.
    """
    found = []
    for name, (spec, annotation) in _fields(cls).items():
        default = _default(spec)
        shown = None if default is MISSING or default is None else _as_toml(default, annotation)
        example = _example(spec, annotation)
        required = default is MISSING
        found.append(Setting(name, kind_of(annotation), required, shown, example, _help(spec)))
    return tuple(found)


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known word that was probably meant; a higher `cutoff` (to 1) is surer.

    Case and Unicode normal forms are ignored.
    """
    folded = {_folded(one): one for one in known}
    close = difflib.get_close_matches(_folded(word), list(folded), n=1, cutoff=cutoff)
    return folded[close[0]] if close else None


def _folded(word: str) -> str:
    return unicodedata.normalize("NFKC", word).casefold()


def unknown_key(key: str, known: Iterable[str], place: TableLocation) -> ConfigError:
    """The error for an unknown key, with the known one that was probably meant."""
    names = list(known)
    close = nearest(key, names)
    why = f"It may hold: {', '.join(names)}" if names else "It takes no settings"
    if (at := first_invisible(key)) is not None:
        why = f"It holds a {describe_character(key[at])}. {why}"
    hint = f'Did you mean "{close}"?' if close else None
    return place.error(f'"{key}" is not known in {place.title}', key=key, why=why, hint=hint)


def kind_of(annotation: Any) -> str:
    """A type in plain words: "a whole number", "one of best, all".

    Raises TypeError for an annotation that is not known.
    """
    options = _alternatives(annotation)
    if len(options) > 1 or options[0] is not annotation:
        return " or ".join(kind_of(option) for option in options)
    if get_origin(annotation) is Literal:
        return "one of " + ", ".join(_as_toml(word, str) for word in get_args(annotation))
    if get_origin(annotation) in {list, tuple}:
        return f"a list, each {kind_of(get_args(annotation)[0])}"
    if annotation in _KINDS:
        return _KINDS[annotation].words
    raise TypeError(f"a setting cannot be of type {annotation!r}")


def _fields(cls: type[Any]) -> dict[str, tuple[Field[Any], Any]]:
    if not (isinstance(cls, type) and is_dataclass(cls)):
        raise TypeError(f"{cls!r} is not a dataclass")
    hints = get_type_hints(cls, include_extras=True)
    return {spec.name: (spec, hints[spec.name]) for spec in fields(cls) if spec.init}


def _default(spec: Field[Any]) -> Any:
    return spec.default_factory() if spec.default_factory is not MISSING else spec.default


def _help(spec: Field[Any]) -> str:
    return str(spec.metadata.get("help", ""))


def _bound(key: str, value: Any, spec: Field[Any], annotation: Any, place: TableLocation) -> Any:
    try:
        result = _convert(value, annotation, place)
        low, high = spec.metadata.get("min"), spec.metadata.get("max")
        if low is not None and result < low:
            raise _InvalidValue(f"must be at least {_as_toml(low, annotation)}")
        if high is not None and result > high:
            raise _InvalidValue(f"must be at most {_as_toml(high, annotation)}")
    except _InvalidValue as invalid:
        hint = invalid.hint or f"Write for example: {key} = {_example(spec, annotation)}"
        text = f'"{key}" in {place.title} {invalid}'
        raise place.error(text, key=key, hint=hint) from None
    return result


def _convert(value: Any, annotation: Any, place: TableLocation) -> Any:
    """The value converted to the annotated type. Raises _InvalidValue."""
    options = _alternatives(annotation)
    if len(options) > 1:
        return _first_match(value, annotation, options, place)
    annotation = options[0]
    origin = get_origin(annotation)
    if origin is Literal:
        return _literal(value, get_args(annotation))
    if origin in {list, tuple}:
        if not isinstance(value, list):
            raise _mismatch(value, annotation)
        items = [_convert(item, get_args(annotation)[0], place) for item in value]
        return tuple(items) if origin is tuple else items
    kind = _KINDS[annotation]
    if not isinstance(value, kind.accepts) or (isinstance(value, bool) and annotation is not bool):
        raise _mismatch(value, annotation)
    return kind.read(value, place)


def _first_match(
    value: Any, annotation: Any, options: tuple[Any, ...], place: TableLocation
) -> Any:
    for option in options:
        try:
            return _convert(value, option, place)
        except _InvalidValue:
            continue
    raise _mismatch(value, annotation)


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    """The members of a union but None, or the annotation alone."""
    if get_origin(annotation) in {Union, types.UnionType}:
        return tuple(option for option in get_args(annotation) if option is not types.NoneType)
    return (annotation,)


def _literal(value: Any, words: tuple[Any, ...]) -> Any:
    for word in words:
        if value == word and type(value) is type(word):
            return word
    close = nearest(value, [str(word) for word in words]) if isinstance(value, str) else None
    wanted = ", ".join(_as_toml(word, str) for word in words)
    hint = f'Did you mean "{close}"?' if close else None
    raise _InvalidValue(f"must be one of {wanted}, not {_shown(value)}", hint)


def _text(value: str, _place: TableLocation) -> str:
    """The text in NFC, so that labels and handles compare equal however they were typed."""
    if (at := first_invisible(value)) is not None:
        raise _InvalidValue(
            f"must not hold a {describe_character(value[at])}", "Delete that character"
        )
    if value != value.strip():
        raise _InvalidValue("must not begin or end with a space", "Delete the space")
    return unicodedata.normalize("NFC", value)


def _path(value: str, place: TableLocation) -> Path:
    if not value.strip():
        raise _InvalidValue("must be a path, not an empty text")
    if control := next((c for c in value if unicodedata.category(c) == "Cc"), None):
        raise _InvalidValue(
            f"must not hold a {describe_character(control)}: "
            "in double quotes a backslash begins an escape",
            backslash_hint("directory"),
        )
    try:
        return place.file.absolute().parent / Path(value).expanduser()
    except RuntimeError as error:  # ~someone who is not a user here
        raise _InvalidValue(f"cannot be found: {error}") from None


def _duration(value: str, _place: TableLocation) -> timedelta:
    match = _DURATION.fullmatch(value.strip())
    if not match:
        raise _InvalidValue(f"must be {kind_of(timedelta)}, not {_shown(value)}")
    try:
        return timedelta(seconds=float(match[1]) * _SECONDS[match[2].lower()])
    except OverflowError:
        raise _InvalidValue("is too long") from None


def _period(value: str, _place: TableLocation) -> CalendarPeriod:
    match = _PERIOD.fullmatch(value.strip())
    if not match:
        raise _InvalidValue(f"must be {kind_of(CalendarPeriod)}, not {_shown(value)}")
    return CalendarPeriod(int(match[1]), _UNITS[match[2].lower()])


def _size(value: str | int, _place: TableLocation) -> Size:
    if isinstance(value, int):
        if value < 0:
            raise _InvalidValue("must not be below 0")
        return Size(value)
    match = _SIZE.fullmatch(value.strip())
    if not match:
        raise _InvalidValue(f"must be {kind_of(Size)}, not {_shown(value)}")
    unit = (match[2] or "").lower()
    step = 1024 if unit.endswith("i") else 1000
    return Size(int(Decimal(match[1]) * step ** _POWERS[unit[:1]]))


def _base_url(value: str, place: TableLocation) -> str:
    """The base URL of an API. Errors do not show the text, which may contain a password."""
    text = _text(value, place)
    wanted = f"must be {kind_of(BaseUrl)}"
    if not text.lower().startswith(("https://", "http://")):
        raise _InvalidValue(wanted)
    if "?" in text or "#" in text:
        raise _InvalidValue(f"{wanted}, without a query or a fragment")
    try:
        normalize_url(text)
    except BadUrl as error:
        raise _InvalidValue(f"{wanted}: {error}") from None
    return text


def _proxy(value: str, place: TableLocation) -> ProxyAddress:
    """The address of a proxy. Errors do not show the text, which may contain a password."""
    wanted = f"must be {kind_of(ProxyAddress)}"
    match = _PROXY.fullmatch(value.strip())
    if match is None:
        raise _InvalidValue(wanted)
    try:
        url = normalize_url(f"http://{match['at']}/")
    except BadUrl as error:
        raise _InvalidValue(f"{wanted}: {error}") from None
    if match["who"] is None:
        return ProxyAddress(url)
    _refuse_exposed(place)
    advice = 'Leave them out of the address, and write proxy_credentials = "env:NAME"'
    user, colon, password = unquote(match["who"]).partition(":")
    if not user or not colon or user in SCHEMES:
        raise _InvalidValue("has credentials that are not user:password", advice)
    if not place.private:
        advice += f", or run: chmod 600 {place.file}"
        raise _InvalidValue("holds credentials in a file that other users can read", advice)
    return ProxyAddress(url, Secret(f"{user}:{password}", literal_allowed=True))


def _refuse_exposed(place: TableLocation) -> None:
    if place.exposed is not None:
        raise _InvalidValue(
            f"cannot be trusted: other users may write to {place.exposed}, and could have keys "
            "sent elsewhere or commands run",
            f"Make it yours alone to write: chmod o-w {place.exposed}, or chown it",
        )


def _secret(value: str, place: TableLocation) -> Secret:
    _refuse_exposed(place)
    secret = Secret(value, base=place.file.absolute().parent, literal_allowed=place.private)
    scheme, colon, rest = value.partition(":")
    advice = "Write env:NAME, file:PATH, keyring:SERVICE/NAME or cmd:COMMAND"
    if not value.strip() or (is_reference(value) and not rest.strip()):
        raise _InvalidValue("is empty", f"{advice}, or leave the line out")
    if is_reference(value):
        return secret
    if colon and (close := nearest(scheme, SCHEMES)):
        raise _InvalidValue(f'begins like a reference, but not with "{close}:"', advice)
    if not place.private:
        hint = f"{advice}, or run: chmod 600 {place.file}"
        raise _InvalidValue("is written out in a file that other users can read", hint)
    return secret


def _checkpoint_target(value: str, place: TableLocation) -> CheckpointTarget:
    kind, colon, rest = value.partition(":")
    if kind == "cmd" and colon:
        _refuse_exposed(place)
        if not rest.strip():
            raise _InvalidValue("names no command", "Write cmd:COMMAND")
        return CheckpointTarget(value)
    if kind == "git" and colon:
        return CheckpointTarget(f"git:{_path(rest, place)}")
    return CheckpointTarget(str(_path(value, place)))


@dataclass(frozen=True, slots=True)
class _Kind:
    """A type of settings: its name in plain words, the TOML types it accepts, how it is read."""

    words: str
    accepts: type | tuple[type, ...]
    read: Callable[[Any, TableLocation], Any]
    example: str


_KINDS: dict[Any, _Kind] = {
    str: _Kind("a text in quotes", str, _text, '"text"'),
    bool: _Kind("true or false", bool, lambda value, _place: value, "true"),
    int: _Kind("a whole number", int, lambda value, _place: value, "10"),
    float: _Kind("a number", (int, float), lambda value, _place: float(value), "1.5"),
    Secret: _Kind("a reference to a secret", str, _secret, '"env:NAME"'),
    ProxyAddress: _Kind(
        "an address such as http://proxy.example:3128", str, _proxy, '"http://proxy.example:3128"'
    ),
    BaseUrl: _Kind(
        "an address such as https://api.example.com", str, _base_url, '"https://api.example.com"'
    ),
    Path: _Kind("a path in quotes", str, _path, '"archive"'),
    CheckpointTarget: _Kind(
        "a folder, git:PATH or cmd:COMMAND", str, _checkpoint_target, '"/mnt/checkpoints"'
    ),
    timedelta: _Kind('a length of time such as "7d", "12h" or "30m"', str, _duration, '"7d"'),
    CalendarPeriod: _Kind(
        'a period such as "30 days", "18 months" or "6 years"', str, _period, '"6 years"'
    ),
    Size: _Kind('a size such as "500MB", "4GB" or "2GiB"', (str, int), _size, '"4GB"'),
}


def _mismatch(value: Any, annotation: Any) -> _InvalidValue:
    given = _shown_kind(value) if _holds_secret(annotation) else _shown(value)
    return _InvalidValue(f"must be {kind_of(annotation)}, not {given}")


def _holds_secret(annotation: Any) -> bool:
    return annotation in {Secret, ProxyAddress} or any(
        _holds_secret(part) for part in get_args(annotation)
    )


def _shown_kind(value: Any) -> str:
    kinds = {bool: "true or false", dict: "a table", list: "a list", str: "a text"}
    return kinds.get(type(value), "a number" if isinstance(value, int | float) else "a date")


def _shown(value: Any) -> str:
    """The value in the file, shortened for a message."""
    if isinstance(value, dict | list):
        return _shown_kind(value)
    shown = _as_toml(value, type(value))
    if isinstance(value, str):
        shown = f"the text {shown}"
        if (at := first_invisible(value)) is not None:
            return f"a text that holds a {describe_character(value[at])}"
    return shown if len(shown) <= _MAX_SHOWN else f"{shown[:_MAX_SHOWN]}…"


def _example(spec: Field[Any], annotation: Any) -> str:
    if "example" in spec.metadata:
        return str(spec.metadata["example"])
    default = _default(spec)
    if default is not MISSING and default not in (None, (), []):
        return _as_toml(default, annotation)
    return _example_of(annotation)


def _example_of(annotation: Any) -> str:
    option = _alternatives(annotation)[0]
    if get_origin(option) is Literal:
        return _as_toml(get_args(option)[0], str)
    if get_origin(option) in {list, tuple}:
        return f"[{_example_of(get_args(option)[0])}]"
    return _KINDS[option].example


def _as_toml(value: Any, annotation: Any) -> str:
    """A value as it is written in TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if annotation is Size:
        return f'"{_size_text(value)}"'
    if isinstance(value, timedelta):
        return f'"{_duration_text(value)}"'
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_as_toml(item, type(item)) for item in value) + "]"
    if isinstance(value, str | Path):
        text = str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{text}"'
    return str(value)


def _size_text(value: int) -> str:
    for unit, power in (("TB", 4), ("GB", 3), ("MB", 2), ("KB", 1)):
        if value and value % 1000**power == 0:
            return f"{value // 1000**power}{unit}"
    return f"{value}B"


def _duration_text(value: timedelta) -> str:
    seconds = value.total_seconds()
    for unit in ("d", "h", "m"):
        if seconds and seconds % _SECONDS[unit] == 0:
            return f"{seconds / _SECONDS[unit]:g}{unit}"
    return f"{seconds:g}s"
