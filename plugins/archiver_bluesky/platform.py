"""The platform Bluesky, read from the accounts' own servers."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any

from archiver import (
    Account,
    Identity,
    Listing,
    Metric,
    Page,
    Post,
    Proof,
    Record,
    Response,
    Stream,
    Window,
)
from archiver_bluesky.baddata import BadData
from archiver_bluesky.car import CarFile
from archiver_bluesky.client import BlueskyClient, BlueskyOptions, check_options
from archiver_bluesky.counts import count
from archiver_bluesky.directory import ResolvedIdentity, invalid_data_error
from archiver_bluesky.mst import entries_of
from archiver_bluesky.post import read_post
from archiver_bluesky.proofs import SavedProofs
from archiver_bluesky.records import describe, key_of, make_record
from archiver_bluesky.repository import parse_commit, signing_key
from archiver_bluesky.scan import scan
from archiver_bluesky.server import AccountUnavailable


class AtprotoBluesky:
    """An `archiver.hookspecs.Platform`; see there."""

    name = "bluesky"
    source = "bluesky"
    options = BlueskyOptions
    streams: Sequence[Stream] = ("posts",)
    content_version = 1
    listing: Listing = "all"

    def check_options(self, options: BlueskyOptions) -> None:
        """Raise ConfigError for what is neither a handle nor a DID."""
        check_options(options)

    async def identify(self, client: BlueskyClient, account: Account) -> Identity | None:
        """The DID, where the archive does not know it: perhaps as another label's, of an import.

        What the account says of itself comes with its pages. Raises SourceError, AccountGone.
        """
        if account.platform_id is not None:
            return None
        return Identity("bluesky", (await client.resolve(None)).document.did)

    def record_id(self, record: Mapping[str, Any]) -> str | None:
        """The at-URI."""
        uri = record.get("uri")
        return uri if isinstance(uri, str) and key_of(uri) is not None else None

    def pages(self, client: BlueskyClient, account: Account, window: Window) -> AsyncIterator[Page]:
        """All records of the account's newest commit; none where it was scanned before."""
        return scan(client, account.platform_id, window)

    def read(self, record: Mapping[str, Any], account: Account) -> Post:  # noqa: ARG002 — the contract's
        """A post or repost."""
        return read_post(record)

    async def refetch(
        self, client: BlueskyClient, account: Account, platform_id: str
    ) -> Record | None:
        """The current record of a post, verified; None where the server does not have it."""
        resolved = await client.resolve(account.platform_id)
        document = resolved.document
        key = key_of(platform_id, document.did)
        if key is None or document.pds is None:
            return None
        try:
            body = await client.server(document.did, document.pds).proven_record(key)
            return await asyncio.to_thread(_one_record, body, resolved, key)
        except AccountUnavailable:
            return None
        except BadData as error:
            raise invalid_data_error(
                error, f"The record {platform_id} could not be proved"
            ) from error

    def proofs(
        self, platform_id: str, evidence: Iterable[Response]
    ) -> Callable[[Mapping[str, Any]], Proof]:
        """Proofs of records by the signed commits and trees that are kept."""
        return SavedProofs(platform_id, evidence)

    def metrics(
        self,
        client: BlueskyClient,
        account: Account,  # noqa: ARG002 — the contract's
        platform_ids: Sequence[str],
    ) -> AsyncIterator[Mapping[str, Sequence[Metric]]]:
        """Likes, reposts, replies, quotes and bookmarks, as the AppView counts them."""
        return count(client.appview, platform_ids)


def _one_record(body: bytes, resolved: ResolvedIdentity, key: str) -> Record | None:
    """The record in a CAR file that proves it; None where it is not in the tree."""
    did = resolved.document.did
    car = CarFile(io.BytesIO(body))
    commit = parse_commit(car.root, car.block(car.root) or b"")
    if commit.did != did:
        raise BadData(f"The commit is of another account, {commit.did}", "identity")
    signing_key(commit, resolved.keys)
    for name, cid in entries_of(commit.data, car.block, set()):
        if name == key and (block := car.block(cid)) is not None:
            return make_record({**describe(did, key, cid, block), "pds": resolved.document.pds})
    return None
