"""Exports of Pinterest: one HTML file with all pins, but without their files.

A pin is a link to it with lines of keys and values. Values are not escaped, and may hold what looks
like a key: known keys are looked for in their order, and the longest chain of them counts.
"""

import codecs
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from archiver import (
    Account,
    Attachment,
    ExportedPost,
    Extra,
    Identity,
    Package,
    Post,
    Recognition,
    Record,
    RecordError,
    Rendition,
    timestamp,
    write_json,
)
from archiver_exports.values import id_of, object_of, text_of, url_of, with_record

_HEAD = 64 << 10  # bytes
_PIECE = 1 << 20  # characters
_LONGEST_PIN = 1 << 20
_MOST_MATCHES = 100
_KEYS = (
    "Title", "Details", "Image", "Is Native", "Board Id", "Board Name", "Is Video", "Ip Address",
    "Username", "Alt Text", "Canonical Link", "Story Pin Media", "Video", "Created at", "Alive",
    "Is a repin", "Private",
)  # fmt: skip
_PRIVATE_KEYS = frozenset({"Ip Address"})
_PIN = re.compile(
    r'<a\s[^>]*href="https?://(?:[\w-]+\.)*pinterest\.[\w.]{2,6}/pin/(\d+)/?"[^>]*>[^<]{0,300}</a>'
    r"\s*(?=<br\s*/?>\s*(?:" + "|".join(_KEYS) + r"):)"
)
_KEY = re.compile(r"<br\s*/?>\s*(" + "|".join(_KEYS) + r"):[ \t]*")
_BLANK_END = re.compile(r"(?:\s|<br\s*/?>)+\Z")
_HEADING = re.compile(r"<h1[\s>]")
_TAG = re.compile(r"<[^<>]*>")
_ADDRESS = re.compile(r"https?://[^\s\"'<>]+")
_IMAGE = re.compile(r"[0-9a-f]{32}")


class PinterestExport:
    """An `archiver.ExportReader`; see there."""

    name = "pinterest"
    title = "an export of Pinterest as HTML"
    content_version = 1

    def recognize(self, package: Package) -> Recognition | None:
        """What it is, by the pins in its HTML file."""
        files = _files(package)
        if not files:
            return None
        names = Counter(
            pin["Username"] for name in files for pin in _pins(package, name)
            if "Username" in pin and pin.get("Is a repin") != "Yes"
        )  # fmt: skip
        handle = names.most_common(1)[0][0] if names else None
        return Recognition(
            None if handle is None else Identity(
                "pinterest", f"@{handle}".lower(), handle=handle,
                url=f"https://www.pinterest.com/{handle}/",
            ),
            layout="HTML",
            not_read=("addresses from which pins were made: private",),
        )  # fmt: skip

    def records(self, package: Package, recognition: Recognition) -> Iterator[ExportedPost]:  # noqa: ARG002 — contract
        """All pins, each once."""
        seen: set[str] = set()
        for name in _files(package):
            for pin in _pins(package, name):
                if pin["id"] not in seen:
                    seen.add(pin["id"])
                    raw = write_json(pin)
                    yield ExportedPost(Record(with_record(raw), {"record": pin}))

    def read(self, record: Mapping[str, Any], account: Account) -> Post:  # noqa: ARG002 — contract
        """The post of a pin. Raises RecordError."""
        return _read(object_of(record.get("record")))


def _files(package: Package) -> list[str]:
    found = []
    for name in package.find("*.html"):
        with package.open(name) as file:
            head = file.read(_HEAD).lower()
        if b"pinterest" in head and re.search(rb"id=[\"']?contents", head):
            found.append(name)
    return found


def _pins(package: Package, name: str) -> Iterator[dict[str, str]]:
    """The pins of a file, read piece by piece."""
    decode = codecs.getincrementaldecoder("utf-8-sig")("replace").decode
    text = ""
    with package.open(name) as file:
        is_over = False
        while not is_over:
            data = file.read(_PIECE)
            is_over = not data
            text += decode(data, final=is_over)
            starts = list(_PIN.finditer(text))
            for match, following in zip(starts, [*starts[1:], None][: len(starts)], strict=True):
                if following is None and not is_over and len(text) - match.end() < _LONGEST_PIN:
                    break  # it may go on in the next piece
                end = following.start() if following else len(text)
                yield _fields(match[1], text[match.end() : end])
            rest = starts[-1].start() if starts else max(len(text) - _HEAD, 0)
            text = text[rest:] if not is_over else ""
            if len(text) > 2 * _LONGEST_PIN:  # this pin is done
                text = text[-_HEAD:]


def _fields(number: str, text: str) -> dict[str, str]:
    """The values of a pin by their keys, less what is private and what there is no data for."""
    heading = _HEADING.search(text)
    text = text[: heading.start()] if heading else text
    chain = _longest_chain(list(_KEY.finditer(text))[:_MOST_MATCHES])
    if not chain:
        return {"id": number}
    ends = [*(match.start() for match in chain[1:]), len(text)]
    values = [
        (match[1], _BLANK_END.sub("", text[match.end() : end]))
        for match, end in zip(chain, ends, strict=True)
    ]
    if values and all(value.endswith(",") for _, value in values[:-1]):  # some write them so
        values = [(key, value.removesuffix(",").rstrip()) for key, value in values]
    return {"id": number} | {
        key: value for key, value in values
        if value and value != "No data" and key not in _PRIVATE_KEYS
    }  # fmt: skip


def _longest_chain(matches: list[re.Match[str]]) -> list[re.Match[str]]:
    """The longest chain of keys in their order: what a value only looks like breaks it."""
    chains: list[list[re.Match[str]]] = []
    for match in matches:
        place = _KEYS.index(match[1])
        before = [chain for chain in chains if _KEYS.index(chain[-1][1]) < place]
        chains.append([*max(before, key=len, default=[]), match])
    return max(chains, key=len, default=[])


def _read(pin: Mapping[str, Any]) -> Post:
    number = id_of(pin.get("id"))
    if number is None:
        raise RecordError("The pin has no id")
    title, text = text_of(pin.get("Title")), text_of(pin.get("Details"))
    private = {"yes": "private", "no": "public"}.get(str(pin.get("Private")).lower(), "unknown")
    content = {"title": title, "text": text}
    return Post(
        platform_id=number,
        created_at=timestamp(str(pin.get("Created at", "")).replace("/", "-")),
        kind="repost" if str(pin.get("Is a repin")).lower() == "yes" else "pin",
        text=text,
        title=title,
        url=f"https://www.pinterest.com/pin/{number}",
        visibility=private,
        author=text_of(pin.get("Username")),
        attachments=tuple(_attachments(pin)),
        content={name: value for name, value in content.items() if value},
        extra=tuple(_extra(pin)),
    )


def _attachments(pin: Mapping[str, Any]) -> Iterator[Attachment]:
    """The picture or video, which the export does not have: only the hash in its address."""
    image = _IMAGE.search(str(pin.get("Image")))
    is_video = str(pin.get("Is Video")).lower() == "yes"
    if image or is_video:
        yield Attachment(
            "video" if is_video else "image",
            platform_id=image[0] if image else None,
            alt_text=text_of(pin.get("Alt Text")),
            renditions=(Rendition("original", absent="not_offered"),),
        )


def _extra(pin: Mapping[str, Any]) -> Iterator[Extra]:
    link = _ADDRESS.search(str(pin.get("Canonical Link")))
    if link and (url := url_of(link[0])):
        yield Extra("link", url, is_content=True)
    if board := text_of(_TAG.sub("", str(pin.get("Board Name") or ""))):
        yield Extra("board", board, is_content=False)
    if alive := text_of(pin.get("Alive")):
        yield Extra("alive", alive, is_content=False)
