"""Parsing JSON without losing digits of numbers.

A fast parser splits an answer into its records and keeps each one's exact text. Where it refuses
the answer (a lone surrogate, a byte order mark, a record that is no JSON), brackets alone tell the
records apart, and each is read by itself, if need be by the standard parser. Whole numbers keep all
their digits with both. `NaN` and `Infinity` are not JSON, and are refused by both.
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NoReturn

import msgspec

from archiver.jsonpieces import BadJson, split_items, split_members
from archiver.models import Record

__all__ = ["BadJson", "read_json", "read_records", "write_json"]


def read_json(body: bytes | str) -> Any:
    """The value that the text says.

    Raises BadJson.
    """
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return _read_slowly(body)


def read_records(body: bytes, key: str) -> tuple[dict[str, Any], tuple[Record, ...]]:
    """An answer that is an object: its other fields, and the records of the list under `key`.

    Each record's `raw` is its exact text in the answer. A missing list is an empty one; a list
    that is something else stays among the other fields. Where something in the answer is no JSON
    (nested too deep, not UTF-8, NaN), the records are separated all the same: each of the others
    is read, and that one has no data. Raises BadJson for an answer that is not even in one piece.
    """
    try:
        fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        items = msgspec.json.decode(fields.pop(key, b"[]"), type=list[msgspec.Raw])
        envelope = {name: read_json(bytes(value)) for name, value in fields.items()}
        return envelope, _records(items)
    except (msgspec.DecodeError, ValueError, RecursionError):
        pass
    with suppress(BadJson):
        return _read_by_pieces(body, key)
    return _read_records_slowly(body, key)


def write_json(value: Any) -> str:
    """Compact JSON text that any database column can hold: ASCII escapes for lone surrogates."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text if _is_unicode(text) else json.dumps(value, separators=(",", ":"))


def _records(items: Sequence[msgspec.Raw]) -> tuple[Record, ...]:
    with suppress(msgspec.DecodeError, ValueError, RecursionError):
        return tuple([Record(str(item, "utf-8"), msgspec.json.decode(item)) for item in items])
    return tuple(_record(bytes(item)) for item in items)


def _record(raw: bytes) -> Record:
    try:
        return Record(raw=raw.decode(), data=read_json(raw))
    except (BadJson, UnicodeDecodeError):
        return Record(raw=raw.decode(errors="backslashreplace"), data=None)


def _read_records_slowly(body: bytes, key: str) -> tuple[dict[str, Any], tuple[Record, ...]]:
    envelope = _read_slowly(body)
    if not isinstance(envelope, dict):
        raise BadJson("not an object")
    items = envelope.pop(key, [])
    if not isinstance(items, list):
        envelope[key] = items
        items = []
    return envelope, tuple(Record(raw=write_json(item), data=item) for item in items)


def _read_by_pieces(body: bytes, key: str) -> tuple[dict[str, Any], tuple[Record, ...]]:
    """What can be read of an answer that as a whole cannot. Fields that cannot are left out."""
    envelope: dict[str, Any] = {}
    records: tuple[Record, ...] = ()
    for name, value in split_members(body):
        if name == key and value[:1] == b"[":
            records = tuple(_record(item) for item in split_items(value))
            continue
        with suppress(BadJson):
            envelope[name] = read_json(value)
    return envelope, records


def _read_slowly(body: bytes | str) -> Any:
    try:
        text = body.decode("utf-8-sig") if isinstance(body, bytes) else body
        return json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except RecursionError:
        raise BadJson("nested too deep") from None
    except ValueError as error:
        raise BadJson(str(error)) from None


def _refuse(word: str) -> NoReturn:
    raise BadJson(f"{word} is not JSON")


def _finite(lexeme: str) -> float | str:
    """A float, or its own text where it is too large to be one."""
    value = float(lexeme)
    return lexeme if value in {float("inf"), float("-inf")} else value


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
