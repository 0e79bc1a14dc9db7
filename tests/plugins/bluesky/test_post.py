"""Records, read: every embed, every facet, and what stands beside a post."""

from typing import Any

import pytest

from archiver import Extra, Post, RecordError
from archiver_bluesky.cid import cid_of_block, cid_of_file
from archiver_bluesky.dag_cbor import encode
from archiver_bluesky.post import read_post
from archiver_bluesky.records import describe, key_of, make_record, proves_its_cid
from support.bluesky.samples import (
    ALICE,
    BOB_POST,
    GALLERY,
    GIF,
    IMAGE,
    LINK,
    OLD,
    QUOTE_WITH_IMAGE,
    REPLY,
    REPOST,
    SAMPLES,
    VIDEO,
    record,
)


def extras(post: Post) -> dict[str, Any]:
    return {extra.name: extra.value for extra in post.extra}


def read(value: dict[str, Any], **beside: Any) -> Post:
    return read_post(record(value, **beside))


class TestPosts:
    def test_the_at_uri_is_the_id_and_the_cid_is_the_content(self) -> None:
        written = record({"$type": "app.bsky.feed.post", "text": "Hi",
                          "createdAt": "2024-06-01T14:00:00.123+02:00"})  # fmt: skip
        post = read_post(written)
        assert (
            post.platform_id == written["uri"] == f"at://{ALICE}/app.bsky.feed.post/3ktuffizgm22l"
        )
        assert post.content == {"cid": written["cid"]}
        assert (post.kind, post.text, post.visibility) == ("post", "Hi", "public")
        assert post.created_at == "2024-06-01T12:00:00.123Z"
        assert post.url == f"https://bsky.app/profile/{ALICE}/post/3ktuffizgm22l"

    def test_a_post_without_a_time_has_that_of_its_key(self) -> None:
        assert read({"text": "Hi"}).created_at == "2024-06-01T12:00:00.123Z"
        assert read({"text": "Hi"}, rkey="own-name").created_at is None

    def test_a_reply_names_what_it_answers_and_its_thread(self) -> None:
        post = read(REPLY)
        assert post.kind == "reply"
        (relation,) = post.relations
        assert (relation.kind, relation.platform_id) == ("reply_to", BOB_POST)
        assert (
            relation.url
            == "https://bsky.app/profile/did:plc:bbbbbbbbbbbbbbbbbbbbbbbb/post/3ktuffizgm22m"
        )
        assert extras(post)["thread"] == [f"at://{ALICE}/app.bsky.feed.post/3ktuffizgm222"]

    def test_a_quote_may_have_pictures_of_its_own(self) -> None:
        post = read(QUOTE_WITH_IMAGE)
        assert post.kind == "quote"
        assert post.relations[0].platform_id == BOB_POST
        assert [attachment.kind for attachment in post.attachments] == ["image"]
        assert extras(post)["quoted_version"] == [
            "bafyreihldkhcwijkde7gx4rpkkuw7pl6lbyu5gieunyc7ihactn5bkd2nm"
        ]

    def test_a_repost_is_a_fact_and_a_link(self) -> None:
        post = read(REPOST, collection="app.bsky.feed.repost")
        assert (post.kind, post.text, post.attachments) == ("repost", None, ())
        assert [(r.kind, r.platform_id) for r in post.relations] == [("reposts", BOB_POST)]
        assert post.url == post.relations[0].url

    def test_a_quoted_list_is_no_post(self) -> None:
        quoted = {"uri": f"at://{ALICE}/app.bsky.graph.list/3k", "cid": "x"}
        post = read({"text": "A list", "embed": {"record": quoted}})
        assert post.kind == "post"
        assert post.relations == ()

    def test_links_mentions_and_tags_are_those_of_the_facets(self) -> None:
        found = extras(read(LINK))
        assert found["links"] == ["https://example.org/a/long/path", "https://example.org/page"]
        assert found["mentions"] == ["did:plc:bbbbbbbbbbbbbbbbbbbbbbbb"]
        assert found["tags"] == ["hidden", "köln"]
        assert found["languages"] == ["de", "en"]
        assert found["self_labels"] == ["nudity"]

    def test_links_of_early_2023_are_read(self) -> None:
        assert extras(read(OLD))["links"] == ["https://example.org/old"]

    def test_who_may_answer_is_shown_and_is_no_edit(self) -> None:
        gate = {"$type": "app.bsky.feed.threadgate", "allow": []}
        post = read(REPLY, threadgate={"uri": "at://x", "cid": "x", "value": gate})
        assert Extra("threadgate", gate, is_content=False) in post.extra
        assert post.content == read(REPLY).content
        assert post.unmapped == ()


class TestAttachments:
    def test_a_picture_has_the_hash_and_size_that_its_cid_says(self) -> None:
        (image,) = read(IMAGE).attachments
        cid = cid_of_file(b"a picture")
        assert (image.kind, image.alt_text, image.width, image.height) == ("image", "A cat", 4, 3)
        assert image.platform_id == str(cid)
        (original,) = image.renditions
        assert original.role == "original"
        assert original.sha256 == cid.sha256.hex()
        assert original.size == 9
        assert original.media_key == str(cid)
        assert original.content_type == "image/jpeg"
        assert original.url == (
            f"https://pds.example/xrpc/com.atproto.sync.getBlob?did={ALICE}&cid={cid}"
        )

    def test_another_server_is_another_address_of_the_same_file(self) -> None:
        before, after = read(IMAGE), read(IMAGE, pds="https://new.example")
        assert before.content == after.content
        assert before.attachments[0].renditions[0].media_key == (
            after.attachments[0].renditions[0].media_key
        )

    def test_without_a_server_a_file_is_not_offered(self) -> None:
        (rendition,) = read(IMAGE, pds=None).attachments[0].renditions
        assert (rendition.url, rendition.absent) == (None, "not_offered")

    def test_a_gallery_has_all_its_items(self) -> None:
        assert [a.alt_text for a in read(GALLERY).attachments] == ["one", "two", "three"]

    def test_a_video_is_one_or_a_gif(self) -> None:
        (video,) = read(VIDEO).attachments
        assert (video.kind, video.alt_text, video.width) == ("video", "A film", 1080)
        assert extras(read(VIDEO))["captions"] == ["en"]
        embed = {**VIDEO["embed"], "presentation": "gif"}
        assert read({**VIDEO, "embed": embed}).attachments[0].kind == "gif"

    def test_a_link_has_a_preview_and_what_it_leads_to_is_not_fetched(self) -> None:
        (link,) = read(LINK).attachments
        assert (link.kind, link.alt_text) == ("link", "A page")
        assert [rendition.role for rendition in link.renditions] == ["preview"]

    def test_a_link_to_a_gif_is_a_gif(self) -> None:
        (gif,) = read(GIF).attachments
        assert gif.kind == "gif"
        assert gif.renditions[0].url == "https://media.tenor.com/abc/cat.gif?hh=1&ww=2"
        assert [rendition.role for rendition in gif.renditions] == ["original", "thumbnail"]

    def test_a_blob_of_early_2023_is_one(self) -> None:
        (image,) = read(OLD).attachments
        assert image.renditions[0].size is None
        assert image.renditions[0].sha256 == cid_of_file(b"a picture").sha256.hex()


class TestUnknown:
    def test_an_embed_that_is_not_known_is_unmapped_and_kept(self) -> None:
        post = read({"text": "New", "embed": {"$type": "app.bsky.embed.hologram", "depth": 3}})
        assert post.unmapped == ("value.embed.depth",)
        assert post.text == "New"

    def test_a_field_of_another_type_is_unmapped(self) -> None:
        assert read({"text": "Hi", "langs": "en"}).unmapped == ("value.langs",)
        assert read({"text": "Hi", "langs": [True]}).unmapped == ("value.langs[]",)

    @pytest.mark.parametrize(
        "broken",
        [{}, {"uri": "at://x"}, {"uri": "https://x/y/z"}, {"uri": f"at://{ALICE}/a.b/c"},
         {"uri": f"at://{ALICE}/app.bsky.feed.like/3k", "value": {}},
         {"uri": f"at://{ALICE}/app.bsky.feed.post/3k", "block": "AA", "why": "It is odd"}],
    )  # fmt: skip
    def test_what_is_no_post_is_refused(self, broken: dict[str, Any]) -> None:
        with pytest.raises(RecordError):
            read_post(broken)


class TestRecords:
    @pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample["uri"][-20:])
    def test_the_text_in_the_archive_proves_its_cid(self, sample: dict[str, Any]) -> None:
        assert proves_its_cid(make_record(sample).data)
        assert not proves_its_cid({**sample, "value": {**sample["value"], "text": "forged"}})

    def test_a_record_that_json_cannot_hold_keeps_its_bytes(self) -> None:
        block = encode({"$type": "app.bsky.feed.post", "text": "x", "odd": {"$link": "no link"}})
        said = describe(ALICE, "app.bsky.feed.post/3k", cid_of_block(block), block)
        assert "value" not in said
        with pytest.raises(RecordError, match="would take for a link"):
            read_post(said)

    def test_a_block_that_is_no_dag_cbor_keeps_its_bytes(self) -> None:
        said = describe(ALICE, "app.bsky.feed.post/3k", cid_of_block(b"\xff"), b"\xff")
        assert said["block"] == "/w=="
        assert not proves_its_cid(said)

    def test_uris_have_one_form(self) -> None:
        assert key_of(f"at://{ALICE}/a.b.c/1") == "a.b.c/1"
        assert key_of(f"at://{ALICE}/a.b.c/1", ALICE) == "a.b.c/1"
        for uri in (None, 5, "", "at://", f"at://{ALICE}", f"at://{ALICE}/a", f"at://{ALICE}/a/",
                    f"at://{ALICE}/a/b/c"):  # fmt: skip
            assert key_of(uri) is None
        assert key_of(f"at://{ALICE}/a.b.c/1", "did:plc:other") is None
