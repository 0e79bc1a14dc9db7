"""The bytes that hashes are taken over."""

import hashlib
import json
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from archiver.canonical import (
    attachment_keys,
    canonical_json,
    content_sha256,
    fingerprint,
    row_sha256,
    sha256_of,
    sha256_of_plain,
)
from archiver.models import Attachment, Metric, Post, Rendition

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
PHOTO = Attachment("image", renditions=(Rendition("original", "https://a.example/1.jpg?sig=1"),))
POST = Post("p", text="Hi", content={"text": "Hi"}, attachments=(PHOTO,))


def signed_anew(post: Post) -> Post:
    other = Rendition("original", "https://b.example/1.jpg?X-Amz-Signature=2")
    first = Rendition("original", "https://a.example/1.jpg?X-Amz-Signature=1")
    own = post.attachments[0].renditions[0]
    photo = replace(PHOTO, renditions=(first if own.url != first.url else other,))
    return replace(post, attachments=(photo,))


@pytest.mark.slow
@given(value=JSON)
def test_canonical_json_is_ascii_and_reads_back(value: object) -> None:
    text = canonical_json(value)
    assert text.isascii()
    assert json.loads(text) == value
    assert sha256_of(value) == hashlib.sha256(text).hexdigest()


@given(value=JSON)
@example(value="\x7f")
@example(value=2**70)
@example(value=['a"\\/\x00\t\u2028', {"b": "é", "a": "\ud800"}])
def test_the_faster_hash_is_that_of_the_canonical_bytes(value: object) -> None:
    assert sha256_of_plain(value) == sha256_of(value)


@pytest.mark.parametrize("value", ["\x7f", "é", "\ud800", 2**70, 1e16, [1e-7], {"b": 0.1}, True])
def test_a_content_of_any_values_is_hashed_as_canonical_json(value: object) -> None:
    attached = [["image", attachment_keys([PHOTO])[0], None]]
    expected = sha256_of({"attachments": attached, "fields": {"text": value}})
    assert content_sha256(replace(POST, content={"text": value})) == expected


@given(value=st.dictionaries(st.text(), st.integers()))
def test_the_order_of_keys_means_nothing(value: dict[str, int]) -> None:
    turned = dict(reversed(list(value.items())))
    assert canonical_json(turned) == canonical_json(value)


def test_keys_of_attachments_are_ids_then_addresses_then_kinds_and_repeated_ones_are_numbered() -> (
    None
):
    by_id = replace(PHOTO, platform_id="7")
    bare = Attachment("link")
    keys = attachment_keys([by_id, PHOTO, bare, by_id, bare])
    assert (keys[0], keys[2:]) == ("7", ["link", "7#2", "link#2"])
    assert keys[1].startswith("/1.jpg")


def test_hosts_and_signatures_are_neither_content_nor_in_the_fingerprint() -> None:
    one, other = signed_anew(POST), signed_anew(signed_anew(POST))
    assert one != other
    assert content_sha256(one) == content_sha256(other)
    assert fingerprint(one, 1) == fingerprint(other, 1)


@pytest.mark.parametrize(
    ("other", "is_content"),
    [
        (replace(POST, content={"text": "Ho"}), True),
        (replace(POST, attachments=(replace(PHOTO, alt_text="A bowl"),)), True),
        (replace(POST, attachments=()), True),
        (replace(POST, metrics=(Metric("likes", 1),)), False),
        (replace(POST, author="somebody"), False),
    ],
)
def test_what_is_content_changes_both_and_what_is_not_the_fingerprint_alone(
    other: Post, is_content: bool
) -> None:
    assert fingerprint(other, 1) != fingerprint(POST, 1)
    assert (content_sha256(other) != content_sha256(POST)) is is_content


def test_another_list_of_content_fields_has_another_fingerprint() -> None:
    assert fingerprint(POST, 1) != fingerprint(POST, 2)


def test_a_number_too_large_for_the_fast_encoder_still_has_a_fingerprint() -> None:
    assert fingerprint(replace(POST, content={"n": 1 << 80}), 1)


def test_a_column_that_is_null_changes_no_row_hash() -> None:
    row = {"id": 1, "text": "x"}
    assert row_sha256("posts", row) == row_sha256("posts", {**row, "new": None})
    assert row_sha256("posts", row) != row_sha256("media", row)
