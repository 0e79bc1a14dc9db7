"""Fetches one known post again, for URLs that are still valid.

Seven platforms have a look-up by native id, on larger plans; the shape of its answer is not
documented, so several are accepted. Otherwise the post is looked for among the newest hundred.
"""

from collections.abc import Iterator
from typing import Any

from archiver import BadJson, Record, Response, read_json, read_records, write_json
from archiver_ayrshare.answers import read_object
from archiver_ayrshare.client import AyrshareClient
from archiver_ayrshare.options import ProfileOptions, TwitterOptions
from archiver_ayrshare.values import id_of, object_of

LOOKED_UP = frozenset(
    {"facebook", "instagram", "linkedin", "threads", "tiktok", "twitter", "youtube"}
)
_KEYS = ("posts", "history", "post")


async def refetch(
    client: AyrshareClient, platform: str, options: ProfileOptions, platform_id: str
) -> Record | None:
    """The post's record as of now, or None where the API does not give it.

    Raises SourceError, SecretError.
    """
    if platform in LOOKED_UP and not _is_foreign(options):
        response = await client.get_post(platform, options, platform_id)
        record = response and _record_in(response, platform, platform_id)
        if record:
            return record
    return await client.find_in_newest(platform, options, platform_id)


def _is_foreign(options: ProfileOptions) -> bool:
    """Whether the account is somebody else's: only the owner may look posts up."""
    return isinstance(options, TwitterOptions) and bool(options.params())


def _record_in(response: Response, platform: str, platform_id: str) -> Record | None:
    if response.status == 401:
        read_object(response)  # raises what it means
    if response.status not in {200, 203}:
        return None
    return next(
        (
            record
            for record in _records(response.body, platform)
            if id_of(object_of(record.data).get("id")) == platform_id
        ),
        None,
    )


def _records(body: bytes, platform: str) -> Iterator[Record]:
    """Every record in an answer: in a list, under a key, or the answer itself."""
    try:
        whole: dict[str, Any] = object_of(read_json(body))
        yield Record(body.decode("utf-8", "replace"), whole)
        for key in (*_KEYS, platform):
            if isinstance(whole.get(key), dict):
                yield Record(write_json(whole[key]), whole[key])
            elif isinstance(whole.get(key), list):
                yield from read_records(body, key)[1]
    except BadJson:
        return
