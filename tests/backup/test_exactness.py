"""What people wrote is kept to the byte."""

import json
from functools import partial
from html import escape
from pathlib import Path

import pytest

from archiver_ayrshare.demo.networks.base import JsonObject
from archiver_ayrshare.demo.posts import WorldPost
from support.nights import nights, rewrite

TEXTS = [
    "Fish &amp; chips &lt;b&gt; &#39;x&#39; & <i>y</i> &nbsp;",
    "one\r\ntwo\nthree\rfour\u2028five\u0085six\n\n",
    "  spaces around and\ttabs  ",
    "caf\u00e9 cafe\u0301 \u212b \ufb01 \u200d\U0001f468\u200d\U0001f469",
    "\\n \\u00e9 %20 \"quoted\" 'single'",
]


def put_id(spelling: object, _post: WorldPost, record: JsonObject) -> None:
    record["id"] = spelling


@pytest.mark.parametrize("platform", ["threads", "twitter", "linkedin", "facebook"])
def test_texts_are_kept_to_the_byte(tmp_path: Path, platform: str) -> None:
    with nights(tmp_path, platform) as world:
        for text in TEXTS:
            world.account(platform).publish(text)
        world.backup(media=False)

        assert world.column("SELECT text FROM posts ORDER BY id DESC") == TEXTS
        raws = world.column("SELECT raw FROM revisions ORDER BY post_id DESC")
        for raw, text in zip(raws, TEXTS, strict=True):
            sent = escape(text, quote=False) if platform == "twitter" else text
            assert sent in json.loads(raw).values()


def test_a_number_and_its_digits_are_one_id(tmp_path: Path) -> None:
    with nights(tmp_path, "threads") as world:
        account = world.account("threads")
        account.publish("Hello")
        for spelling in (1, "1", 1):
            rewrite(account, partial(put_id, spelling))
            world.backup(media=False)
            world.next_night()

        assert world.query("SELECT platform_id, removed_at FROM posts") == [("1", None)]
        assert world.column("SELECT what FROM events") == ["seen"]
        assert world.column("SELECT count(*) FROM revisions") == [1]
