"""What a plugin gives is of the contract's shape, or refused; its text fits a column."""

from dataclasses import replace
from typing import Any, cast

import pytest

from archiver.backup.validation import (
    validate_identity,
    validate_page,
    validate_post,
    validate_profiles,
)
from archiver.errors import RecordError
from archiver.models import (
    Alias,
    Attachment,
    Identity,
    Metric,
    Page,
    Post,
    Record,
    Relation,
    Rendition,
    Response,
    SourceProfile,
)
from archiver.plugin_calls import ContractViolation
from archiver.secrets import Secret

RESPONSE = Response("s", "https://a.example/", 200, {}, b"{}", "2026-03-01T00:00:00.000Z")
PAGE = Page((Record('{"id": "1"}', {"id": "1"}),), RESPONSE)
POST = Post(
    "1", created_at="2026-03-01T00:00:00.000Z", aliases=(Alias("cid", "2"),),
    relations=(Relation("reply_to", "3"),), metrics=(Metric("likes", 3), Metric("rate", 0.5)),
    attachments=(Attachment("image", "4", renditions=(Rendition("original", "https://a/"),)),),
    content={"text": "Hello", "tags": ["a", 1, None, True, 0.5, {"b": ()}]},
)  # fmt: skip
ODD: Any = object()


def test_what_is_right_is_the_same_object() -> None:
    assert validate_page(PAGE) == PAGE
    assert validate_page(None) is None
    assert validate_post(POST) is POST
    identity = Identity("threads", "1", handle="acme")
    assert validate_identity(identity) == identity
    assert validate_identity(None) is None


@pytest.mark.parametrize(
    "page",
    [
        {}, "page", replace(PAGE, records=ODD), replace(PAGE, records=(ODD,)),
        replace(PAGE, records=(Record(ODD, {}),)), replace(PAGE, records=(Record(b"{}", {}),)),  # type: ignore[arg-type]  # wrong on purpose
        replace(PAGE, cursor=ODD), replace(PAGE, cursor=7), replace(PAGE, end_reason=ODD),  # type: ignore[arg-type]  # as above
        replace(PAGE, notes="a note"), replace(PAGE, notes=(1,)), replace(PAGE, updated_at=1),  # type: ignore[arg-type]  # as above
        replace(PAGE, response=ODD), replace(PAGE, response=replace(RESPONSE, body="text")),  # type: ignore[arg-type]  # as above
        replace(PAGE, response=replace(RESPONSE, status="200")),  # type: ignore[arg-type]  # as above
        replace(PAGE, response=replace(RESPONSE, status=True)),
        replace(PAGE, response=replace(RESPONSE, url=None)),  # type: ignore[arg-type]  # as above
        replace(PAGE, response=replace(RESPONSE, headers={"a": 1})),  # type: ignore[dict-item]  # as above
    ],
)  # fmt: skip
def test_a_page_of_another_shape_is_refused(page: object) -> None:
    with pytest.raises(ContractViolation):
        validate_page(page)


@pytest.mark.parametrize(
    "identity",
    [
        "acme", Identity("threads", ""), Identity("threads", cast("Any", 7)),
        Identity("threads", "1", handle=ODD), Identity("threads", "1", title=cast("Any", b"x")),
    ],
)  # fmt: skip
def test_an_identity_of_another_shape_is_refused(identity: object) -> None:
    with pytest.raises(ContractViolation):
        validate_identity(identity)


def attached(**values: Any) -> Post:
    return replace(POST, attachments=(replace(POST.attachments[0], **values),))


def rendered(**values: Any) -> Post:
    return attached(renditions=(replace(POST.attachments[0].renditions[0], **values),))


RECURSIVE: list[Any] = []
RECURSIVE.append(RECURSIVE)


@pytest.mark.parametrize(
    "post",
    [
        {"platform_id": "1"}, replace(POST, platform_id=""), replace(POST, platform_id=ODD),
        replace(POST, platform_id=None),  # type: ignore[arg-type]  # wrong on purpose
        replace(POST, kind=ODD), replace(POST, created_at="2026-03-01"),
        replace(POST, created_at="2026-03-01T00:00:00.000Z\n"), replace(POST, edited_at=ODD),
        replace(POST, text=ODD), replace(POST, aliases=(ODD,)), replace(POST, aliases=ODD),
        replace(POST, relations=(Relation(ODD, "1"),)), replace(POST, metrics=(ODD,)),
        replace(POST, metrics=(Metric("likes", float("nan")),)),
        replace(POST, metrics=(Metric("likes", 1 << 63),)),
        replace(POST, metrics=(Metric("likes", True),)), replace(POST, metrics=(Metric("", ODD),)),
        replace(POST, metrics=(Metric("a\nb", 1),)), replace(POST, attachments=(ODD,)),
        attached(kind=ODD), attached(width=-1), attached(height=1.5), attached(duration_ms="1"),
        attached(width=True), rendered(role=ODD), rendered(absent="lost"), rendered(url=ODD),
        rendered(bitrate=1 << 63), replace(POST, content=ODD), replace(POST, content={"a": ODD}),
        replace(POST, content={1: "a"}), replace(POST, content={"a": b"bytes"}),  # type: ignore[dict-item]  # as above
        replace(POST, content={"a": RECURSIVE}), replace(POST, unmapped=cast("Any", "path")),
    ],
)  # fmt: skip
def test_a_post_of_another_shape_goes_to_quarantine(post: object) -> None:
    with pytest.raises(RecordError):
        validate_post(post)


def test_the_reason_says_what_is_wrong() -> None:
    with pytest.raises(RecordError, match="It returned a value of type dict instead of a Post"):
        validate_post({})
    with pytest.raises(RecordError, match="'blog' is not a kind of post"):
        validate_post(replace(POST, kind=cast("Any", "blog")))


def test_text_that_no_column_holds_is_made_fit_everywhere() -> None:
    post = replace(
        POST, text="a\0b\ud800", aliases=(Alias("cid", "\udc00"),),
        attachments=(
            Attachment("image", renditions=(Rendition("original", member="a"),), alt_text="\0"),
        ),
    )  # fmt: skip
    found = validate_post(post)
    for text in (found.text, found.aliases[0].value, found.attachments[0].alt_text):
        assert text is not None
        text.encode()
        assert "\0" not in text
    assert found.attachments[0].renditions[0].member == "a"
    assert found.content == POST.content


def test_a_page_gives_no_key_away() -> None:
    Secret("key-in-a-page").reveal()
    page = Page(
        (Record('{"id": "key-in-a-page"}', {}),),
        replace(RESPONSE, url="https://a/?k=key-in-a-page", headers={"x": "key-in-a-page"}),
        cursor="key-in-a-page", notes=("key-in-a-page",),
    )  # fmt: skip
    found = validate_page(page)
    assert found is not None
    assert found.response is not None
    assert found.cursor == found.notes[0] == found.response.headers["x"] == "[secret]"
    assert found.response.url == "https://a/?k=[secret]"
    assert found.records == page.records, "the record keeps what was sent"


def test_titles_of_profiles_are_cleaned_as_all_text_is() -> None:
    assert validate_profiles([SourceProfile("1", "A\x00b")]) == [SourceProfile("1", "A\u2400b")]


@pytest.mark.parametrize(
    "profiles",
    [None, 7, "text", [None], [SourceProfile(cast("Any", 1), "")],
     [SourceProfile("1", cast("Any", None))], [SourceProfile("1", "", cast("Any", "threads"))],
     [SourceProfile("1", "", (cast("Any", 7),))]],
)  # fmt: skip
def test_profiles_of_another_shape_are_refused(profiles: object) -> None:
    with pytest.raises(ContractViolation):
        validate_profiles(profiles)
