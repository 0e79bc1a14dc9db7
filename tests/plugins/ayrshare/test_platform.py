"""What the platforms share: a record without an id, an edit, an id alone."""

from typing import Any

import pytest

from archiver import Account, RecordError
from archiver_ayrshare.accounts import PLATFORMS
from archiver_ayrshare.threads import archiver_platforms

(THREADS,) = archiver_platforms()
ACCOUNT = Account("acme", "threads", "ayrshare", None)


def read(**record: Any) -> Any:
    return THREADS.read({"id": "1", "post": "Bowls", "created": "2026-03-01T00:00:00Z"} | record,
                        ACCOUNT)  # fmt: skip


@pytest.mark.parametrize("id_", [None, "", True, {}, []])
def test_a_record_without_an_id_is_quarantined(id_: Any) -> None:
    with pytest.raises(RecordError, match="has no usable id"):
        read(id=id_)


def test_a_record_becomes_a_post_with_its_content() -> None:
    post = read(visibility="PUBLIC")
    assert (post.platform_id, post.text, post.created_at) == (
        "1", "Bowls", "2026-03-01T00:00:00.000Z"
    )  # fmt: skip
    assert post.content["text"] == "Bowls"
    assert THREADS.record_id({"id": 17}) == "17"


def test_a_record_with_an_id_alone_has_no_content() -> None:
    post = THREADS.read({"id": "1"}, ACCOUNT)
    assert post.id_only
    assert post.content == {}


def test_every_platform_is_in_the_list_of_those_whose_accounts_can_be_found() -> None:
    assert "threads" in PLATFORMS
