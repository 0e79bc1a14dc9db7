"""Addresses of files in the text of a record are replaced, and not a byte of anything else."""

import json
from functools import partial

from archiver.serve.addresses import Files, served_url
from archiver_ayrshare.emulation.media_addresses import with_file_urls

ORIGIN = "http://127.0.0.1:8585"
HASH, OTHER = "ab" * 32, "cd" * 32


def pointed(record: str, files: Files) -> str:
    """A record as it is served with media."""
    return with_file_urls(record, partial(served_url, files=files, origin=ORIGIN))


def test_an_address_keeps_what_names_the_file_and_all_else_keeps_its_bytes() -> None:
    files = Files()
    files.add("https://cdn.example/v/a%20b.jpg?e=1790000001", "/v/a%20b.jpg", HASH)
    raw = (
        '{ "url" :"https:\\/\\/b.example\\/v\\/a%20b.jpg?e=1790000002", "n": 1.50, "é":"\\u00e9" }'
    )
    new = f'{{ "url" :"{ORIGIN}/v/a%20b.jpg?archived={HASH}", "n": 1.50, "é":"\\u00e9" }}'
    assert pointed(raw, files) == new


def test_words_and_pages_are_never_touched() -> None:
    files = Files()
    url = "https://cdn.example/a.jpg"
    files.add(url, "/a.jpg", HASH)
    record = {"post": url, "postUrl": url, "link": url, "text": f"see {url}", "x": "/a.jpg"}
    raw = json.dumps(record)
    assert pointed(raw, files) == raw
    assert HASH in pointed(json.dumps({"mediaUrls": [{"mediaUrl": url}]}), files)


def test_two_files_of_one_path_are_distinguished_by_the_query() -> None:
    files = Files()
    files.add("https://cdn.example/i?id=1", "/i?id=1", HASH)
    files.add("https://cdn.example/i?id=2", "/i?id=2", OTHER)
    raw = json.dumps(["https://cdn.example/i?id=2&token=0123456789abcdef", "https://cdn.example/i"])
    assert json.loads(pointed(raw, files)) == [
        f"{ORIGIN}/i?archived={OTHER}&id=2", "https://cdn.example/i",
    ]  # fmt: skip


def test_two_files_of_one_name_are_distinguished_by_their_whole_address() -> None:
    files = Files()
    files.add("https://cdn.example/i?token=0123456789abcdef", "/i", HASH)
    files.add("https://cdn.example/i?token=fedcba9876543210", "/i", OTHER)
    raw = json.dumps(["https://cdn.example/i?token=fedcba9876543210", "https://cdn.example/i"])
    assert json.loads(pointed(raw, files)) == [
        f"{ORIGIN}/i?archived={OTHER}", "https://cdn.example/i",
    ]  # fmt: skip
