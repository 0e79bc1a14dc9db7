"""Signatures of file addresses are left out of the hash of a record; nothing else is."""

import json
import random
import re
from hashlib import sha256
from typing import Any

import pytest

from archiver.media_keys import unsigned_address
from archiver.models import Extra, Post, Record, Relation
from archiver.record_hashes import exact_sha256, second_hash, unsigned_sha256

META = "https://scontent-{0}.cdninstagram.com/v/t51/4712_n.jpg?stp=dst&_nc_ht={0}&oh=00_{0}&oe=677D1234"
TIKTOK = "https://v16.tiktokcdn.com/{0:0>32}/{1:0>8}/video/tos/a/?a=1233&x-expires=17{1}&x-signature={0}%3D"
S3 = "https://media.example/a.jpg?X-Amz-Date=20260{1}01T000000Z&X-Amz-Signature={0}"
CLOUDFRONT = "https://d1.example/a.mp4?Expires=179000000{1}&Signature={0}~&Key-Pair-Id=APKA"


def record(**values: Any) -> Record:
    data = {"id": "1", "likes": 3, **values}
    return Record(json.dumps(data), data)


def escaped(found: Record) -> Record:
    """The same value, as encoders write it that escape slashes and ampersands."""
    return Record(found.raw.replace("/", "\\/").replace("&", "\\u0026"), found.data)


@pytest.mark.parametrize("address", [META, TIKTOK, S3, CLOUDFRONT])
def test_a_file_signed_anew_leaves_the_hash_as_it_is(address: str) -> None:
    one, two = (record(mediaUrls=[address.format(*signed)]) for signed in (("abc", 1), ("def", 2)))
    assert one.raw != two.raw
    assert unsigned_sha256(one) == unsigned_sha256(two)
    assert unsigned_sha256(escaped(one)) == unsigned_sha256(escaped(two))


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({"likes": 3}, {"likes": 4}),
        ({"post": "One"}, {"post": "one"}),
        ({"mediaUrls": [META.format("abc")]}, {"mediaUrls": [META.format("abc")] * 2}),
        ({"url": "https://a.example/?media_id=4"}, {"url": "https://a.example/?media_id=5"}),
        ({"url": "https://a.example/x?oe=1"}, {"url": "https://b.example/x?oe=1"}),
        ({"url": META.format("abc")}, {"url": META.format("abc").replace("4712", "4713")}),
        ({"post": f"See {S3.format('abc', 1)}"}, {"post": f"See {S3.format('def', 2)}"}),
        ({"post": f"{S3.format('abc', 1)} !"}, {"post": f"{S3.format('def', 2)} !"}),
    ],
)
def test_every_other_change_changes_the_hash(one: dict[str, Any], two: dict[str, Any]) -> None:
    assert unsigned_sha256(record(**one)) != unsigned_sha256(record(**two))


SIGNED = S3.format("abc", 1)
FILES = record(post="One", mediaUrls=[SIGNED], link=SIGNED)


@pytest.mark.parametrize(
    "post",
    [
        Post("1", text=SIGNED), Post("1", title=SIGNED), Post("1", url=SIGNED),
        Post("1", content={"links": [{"url": SIGNED}]}),
        Post("1", relations=(Relation("quotes", url=SIGNED),)),
        Post("1", extra=(Extra("card", {"url": SIGNED}, is_content=True),)),
    ],
)  # fmt: skip
def test_a_signed_address_that_was_published_is_only_hashed_whole(post: Post) -> None:
    assert second_hash(FILES, post) is None


def test_the_second_hash_of_a_post_without_one_leaves_out_its_signatures() -> None:
    plain = Post("1", text="One", url="https://a.example/p/1?page=2")
    assert second_hash(FILES, plain) == unsigned_sha256(FILES) != exact_sha256(FILES)


def test_a_record_in_which_nothing_is_signed_has_no_second_hash() -> None:
    assert second_hash(record(url="https://a.example/p/1?id=2"), Post("1")) is None


@pytest.mark.parametrize(
    "raw",
    [
        "", "?", '"https:?"', '"https://?x"', '{"a":"https://[::1/?Signature=x"}',
        '"https://a.example/?\\ud800"', '"http://a.example:99999/%zz?&&=&sig"',
        '"https://a.example/?a\\"b"', "\ud800",
    ],
)  # fmt: skip
def test_any_text_has_a_hash(raw: str) -> None:
    assert len(unsigned_sha256(Record(raw, None))) == 32


_ADDRESS = re.compile(r'"(https?:(?:/|\\/){2}[^"?\s]+\?[^"\s]+)"')
"""A JSON text that is nothing but an address with a query."""
_PIECES = (
    '"', '"', "?", "http", "https", ":", "//", "\\/\\/", "/\\/", " ", "\u00a0", "\x1c", "\n", "\\",
    "a", "b?c", '"https://', '"https://a.example/?x=1"', "https://a.fbcdn.net/x?oh=1&oe=7FFFFFFF",
    '"https://a.example/a.jpg?Signature=abc', "/", "&", "=",
)  # fmt: skip


def test_addresses_are_those_texts_that_a_regular_expression_finds() -> None:
    def unsigned(match: re.Match[str]) -> str:
        address = match[1].replace("\\/", "/").replace("\\u0026", "&")
        return f'"{unsigned_address(address)}"'

    chance = random.Random(1)
    for _ in range(5_000):
        raw = "".join(chance.choices(_PIECES, k=chance.randint(1, 12)))
        expected = sha256(_ADDRESS.sub(unsigned, raw).encode()).digest()
        assert unsigned_sha256(Record(raw, None)) == expected, raw
