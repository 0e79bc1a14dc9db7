"""An ApiBackend over an archive: finds the account of a request, and its posts."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import islice

from archiver import (
    Account,
    AnswerRequest,
    ApiAnswer,
    ApiRequest,
    HistoryAccount,
    HistoryBackend,
    HistoryContent,
    HistoryPost,
    HistoryQuery,
)
from archiver_ayrshare.emulation.answers import Json, JsonObject, answer_error, not_found, to_json
from archiver_ayrshare.emulation.archived_profiles import (
    ArchivedProfile,
    ProfileKeys,
    own_profile,
    profile_of,
)
from archiver_ayrshare.emulation.history_api import HistoryApi
from archiver_ayrshare.emulation.media_addresses import with_file_urls
from archiver_ayrshare.emulation.profiles import profiles_body
from archiver_ayrshare.emulation.queries import Caller, Listing, Plan, Query
from archiver_ayrshare.platform import SOURCE

_IDS_ONLY = frozenset({"facebook", "instagram"})
"""Where `skipAnalytics` has a meaning: the API then gives the ids of posts and nothing else."""


def begin_answering(accounts: Sequence[Account]) -> AnswerRequest:
    """A function that answers requests from an archive; `accounts` are those of the config."""
    keys = ProfileKeys(accounts)

    def answer(request: ApiRequest, archive: HistoryBackend) -> ApiAnswer:
        return HistoryApi(ArchiveBackend(archive, keys), lenient=True).answer(request)

    return answer


class ArchiveBackend:
    """An ApiBackend over an archive, for one request."""

    plan = Plan()

    def __init__(self, archive: HistoryBackend, keys: ProfileKeys) -> None:
        self._archive = archive
        self._keys = keys

    @property
    def cursor_secret(self) -> bytes:
        """The key that cursors are signed with."""
        return self._archive.cursor_secret

    def admits(self, api_key: str) -> bool:
        """Whether this is the token of the server."""
        return self._archive.admits(api_key)

    def caller(self, profile_key: str) -> Caller | None:
        """The caller that the Profile-Key names."""
        return Caller(profile_key) if self._profile(profile_key) else None

    def lacks_x_keys(self, _key: str | None, _secret: str | None) -> tuple[str, ...]:
        """None: X is not asked."""
        return ()

    def history(self, query: Query) -> Listing:
        """A page of an account's posts."""
        account = self._account(query)
        wanted = _wanted(query, account)
        found = _published(query, account, self._archive.posts(wanted))
        page = list(islice(found, query.limit + 1))
        after = page[query.limit - 1].mark if len(page) > query.limit else None
        freshness = self._archive.freshness(wanted)
        records = tuple(_record(query, post) for post in page[: query.limit])
        return Listing(records, freshness.updated_at, freshness.fresh_until, after=after)

    def post(self, query: Query) -> Json | None:
        """One post's record, as it is."""
        found = next(self._archive.posts(_wanted(query, self._account(query))), None)
        return _record(query, found) if found else None

    def user(self, profile_key: str) -> JsonObject:
        """The accounts of a profile, as the endpoint `/user` gives them."""
        profile = self._profile(profile_key)
        if profile is None:
            raise not_found()
        return profile.as_profile().user()

    def profiles(self) -> JsonObject:
        """Each account as a profile: its title is the Profile-Key that chooses it."""
        newest = max((account.first_seen_at for account in self._archived), default="")
        return profiles_body(map(own_profile, self._archived), newest, newest)

    @cached_property
    def _archived(self) -> Sequence[HistoryAccount]:
        return self._archive.accounts()

    def _profile(self, profile_key: str) -> ArchivedProfile | None:
        return profile_of(profile_key, self._archived, self._keys)

    def _account(self, query: Query) -> HistoryAccount:
        if query.user_id or query.user_name:
            return self._foreign_account(query)
        profile = self._profile(query.profile_key)
        account = profile.accounts.get(query.platform) if profile else None
        if account is None:
            text = f"{query.platform} is not linked: the archive has no such account here."
            raise answer_error(400, 156, text, action="history")
        return account

    def _foreign_account(self, query: Query) -> HistoryAccount:
        """An account on X by its id or handle, whatever profile it was read with."""
        for account in self._archived:
            if account.platform == query.platform and (
                account.platform_id == query.user_id
                if query.user_id
                else account.platform_id == f"@{query.user_name}".lower()
                or (account.handle or "").casefold() == (query.user_name or "").casefold()
            ):
                return account
        raise not_found()


def _wanted(query: Query, account: HistoryAccount) -> HistoryQuery:
    wanted = HistoryQuery(
        account,
        after=query.after,
        since=query.since,
        until=query.until,
        as_of=query.as_of,
        removed=query.removed,
        platform_id=query.post_id,
        source=SOURCE,
    )
    if query.data_type is None:
        return wanted
    return replace(wanted, stream="stories" if query.data_type == "stories" else "posts")


def _record(query: Query, post: HistoryPost) -> bytes:
    if query.skip_analytics and query.platform in _IDS_ONLY:
        return to_json({"id": post.platform_id})
    if post.record is None:
        return to_json({"id": post.platform_id} | (_made(post.content) if post.content else {}))
    if post.file_url is None:
        return post.record.encode()
    return with_file_urls(post.record, post.file_url).encode()


def _made(content: HistoryContent) -> JsonObject:
    """The fields that the API has of every post, of one that it has not shown itself."""
    files = [file.url for file in content.files if file.kind != "link"]
    fields: JsonObject = {
        "post": content.text, "title": content.title, "created": content.created_at,
        "postUrl": content.url, "mediaUrls": files or None,
    }  # fmt: skip
    return {name: value for name, value in fields.items() if value is not None}


def _published(
    query: Query, account: HistoryAccount, found: Iterable[HistoryPost]
) -> Iterator[HistoryPost]:
    """The posts; with `page_published`, without those of visitors, where the author is known."""
    for post in found:
        if query.page_published and post.author and not _is_name_of(account, post.author):
            continue
        yield post


def _is_name_of(account: HistoryAccount, name: str) -> bool:
    """Whether a name is this account's handle or title, whatever its case."""
    names = {
        known.casefold().removeprefix("@") for known in (account.handle, account.title) if known
    }
    return name.casefold().removeprefix("@") in names
