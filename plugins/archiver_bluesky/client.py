"""The client of one account during a run."""

from dataclasses import dataclass, field

from archiver import Account, BaseUrl, ConfigError, Http, Kit, SourceError
from archiver_bluesky.did import clean_handle, is_did
from archiver_bluesky.directory import Directory, ResolvedIdentity, check_names
from archiver_bluesky.server import Server


@dataclass(frozen=True)
class BlueskySettings:
    """The table `[bluesky]`."""

    plc: BaseUrl = field(
        default="https://plc.directory",
        metadata={"help": "Address of the PLC directory, which names the server of each DID"},
    )
    appview: BaseUrl = field(
        default="https://public.api.bsky.app",
        metadata={
            "help": "Address of the AppView, which resolves handles and counts likes; identities "
            "are verified"
        },
    )


@dataclass(frozen=True)
class BlueskyOptions:
    """An `[[accounts]]` entry with `source = "bluesky"`."""

    handle: str = field(
        default="",
        metadata={"help": 'The account\'s handle, such as "acme.example", or its DID'},
    )


class BlueskyClient:
    """Fetches the data of one account, and caches its identity."""

    def __init__(self, settings: BlueskySettings, account: Account, kit: Kit) -> None:
        self._settings = settings
        self._options: BlueskyOptions = account.options
        self._kit = kit
        self._directory = Directory(kit, settings.plc, settings.appview)
        self._resolved: ResolvedIdentity | None = None

    @property
    def appview(self) -> Http:
        """A client for the AppView."""
        return self._kit.http(self._settings.appview)

    def server(self, did: str, base_url: str) -> Server:
        """A client for an account's server, as its DID document names it. Raises SourceDown."""
        return Server(self._kit.http(base_url, trust="discovered"), did, base_url)

    async def resolve(self, known_did: str | None) -> ResolvedIdentity:
        """The identity of the account. If its DID is known, `handle` must not contradict it.

        Asked once in a run. Raises SourceError, AccountGone.
        """
        if self._resolved is None:
            self._resolved = await self._resolve(known_did)
        return self._resolved

    async def _resolve(self, known_did: str | None) -> ResolvedIdentity:
        handle = self._options.handle
        named = handle.strip() if is_did(handle.strip()) else None
        if known_did is None or (named is not None and named != known_did):
            return await self._resolve_option(handle, named)
        resolved = await self._directory.resolve(known_did)
        if named is None and clean_handle(handle) not in resolved.document.handles:
            return await self._resolve_renamed(handle, resolved)
        return resolved

    async def _resolve_option(self, handle: str, named: str | None) -> ResolvedIdentity:
        did = named or await self._directory.did_of_handle(clean_handle(handle) or handle)
        resolved = await self._directory.resolve(did)
        if named is None:
            check_names(resolved, handle)
        return resolved

    async def _resolve_renamed(self, handle: str, known: ResolvedIdentity) -> ResolvedIdentity:
        """Check a handle that the known account no longer has.

        The archive refuses another person. A handle that leads nowhere is only an old one.
        """
        try:
            did = await self._directory.did_of_handle(clean_handle(handle) or handle)
        except SourceError:
            return known
        if did == known.document.did:
            return known
        other = await self._directory.resolve(did)
        return other if clean_handle(handle) in other.document.handles else known


def check_options(options: BlueskyOptions) -> None:
    """Raise ConfigError for what is neither a handle nor a DID."""
    handle = options.handle.strip()
    if not handle:
        raise ConfigError(
            "A Bluesky account needs its handle", hint='Add handle = "name.bsky.social"'
        )
    if not is_did(handle) and clean_handle(handle) is None:
        raise ConfigError(
            f'handle = "{options.handle}" is neither a handle nor a DID',
            hint='A handle looks like "name.bsky.social", a DID like "did:plc:…"',
        )
