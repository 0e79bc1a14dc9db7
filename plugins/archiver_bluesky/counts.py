"""Metrics of posts from the AppView: the accounts' own servers do not have any."""

from collections.abc import AsyncIterator, Mapping, Sequence

from archiver import Http, Metric, SourceDown
from archiver_bluesky.directory import json_of
from archiver_bluesky.records import POST, key_of

_AT_ONCE = 25  # app.bsky.feed.getPosts takes no more
_NAMES = {
    "likeCount": "likes",
    "repostCount": "reposts",
    "replyCount": "replies",
    "quoteCount": "quotes",
    "bookmarkCount": "bookmarks",
}


async def count(http: Http, uris: Sequence[str]) -> AsyncIterator[Mapping[str, Sequence[Metric]]]:
    """The metrics of these posts by URI, in batches; reposts have none.

    Raises SourceError.
    """
    posts = [uri for uri in uris if (key_of(uri) or "").startswith(f"{POST}/")]
    for begin in range(0, len(posts), _AT_ONCE):
        params = {"uris": posts[begin : begin + _AT_ONCE]}
        answer = await http.get("/xrpc/app.bsky.feed.getPosts", params=params)
        if answer.status != 200:
            raise SourceDown(f"The AppView answers {answer.status}")
        views = json_of(answer).get("posts")
        found: dict[str, Sequence[Metric]] = {}
        for view in views if isinstance(views, list) else ():
            if isinstance(view, dict) and isinstance(uri := view.get("uri"), str):
                found[uri] = [
                    Metric(name, value)
                    for field, name in _NAMES.items()
                    if type(value := view.get(field)) is int and value >= 0
                ]
        yield found
