"""Which accounts of an archive a Profile-Key stands for."""

import hmac
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from threading import Lock

from archiver import Account, HistoryAccount, Secret, SecretError
from archiver_ayrshare.emulation.profiles import LinkedAccount, Profile
from archiver_ayrshare.options import ProfileOptions

log = logging.getLogger(__name__)


@dataclass(slots=True)
class ProfileKeys:
    """The profile keys of the config. Each is revealed once, when a request first needs it."""

    accounts: Sequence[Account]
    _revealed: dict[Secret, str] = field(default_factory=dict, repr=False)
    _lock: Lock = field(default_factory=Lock)

    def named_by(self, key: str) -> list[str]:
        """The labels of the accounts that belong to the profile of this key."""
        return [
            account.name
            for account in self.accounts
            if isinstance(account.options, ProfileOptions)
            and account.options.profile_key is not None
            and hmac.compare_digest(self._reveal(account.options.profile_key), key.encode())
        ]

    def _reveal(self, secret: Secret) -> bytes:
        with self._lock:
            if secret not in self._revealed:
                try:
                    self._revealed[secret] = secret.reveal()
                except SecretError as error:
                    log.warning("A profile key cannot be resolved and matches nothing: %s", error)
                    self._revealed[secret] = ""
            return self._revealed[secret].encode()


@dataclass(frozen=True, slots=True)
class ArchivedProfile:
    """What a Profile-Key stands for: one account a platform at most, by platform."""

    title: str
    accounts: dict[str, HistoryAccount]

    def as_profile(self) -> Profile:
        """The profile as the API shows it."""
        accounts = sorted(self.accounts.values(), key=lambda account: account.platform)
        created = min((account.first_seen_at for account in accounts), default=None)
        return Profile(self.title, created, [linked(account) for account in accounts])


def profile_of(
    key: str, archived: Sequence[HistoryAccount], keys: ProfileKeys
) -> ArchivedProfile | None:
    """The profile that a key names, or None.

    "" is the primary profile: of each platform the first account in the config, else in the
    archive. An account's label names that account. A profile key of the config names the accounts
    that have it there.
    """
    names = [account.name for account in keys.accounts]
    if not key:
        place = {name: number for number, name in enumerate(names)}
        ordered = sorted(archived, key=lambda account: place.get(account.name, len(place)))
        return ArchivedProfile("Primary Profile", _firsts(ordered))
    label = _as_utf8(key)
    labelled = [account for account in archived if account.name == label]
    if labelled or label in names:
        return ArchivedProfile(label, _firsts(labelled))
    named = keys.named_by(key)
    if not named:
        return None
    by_name = {account.name: account for account in archived}
    accounts = _firsts(by_name[name] for name in named if name in by_name)
    return ArchivedProfile(", ".join(named), accounts)


def own_profile(account: HistoryAccount) -> Profile:
    """An account as a profile of its own, whose title is the Profile-Key that chooses it."""
    return Profile(account.name, account.first_seen_at, [linked(account)])


def linked(account: HistoryAccount) -> LinkedAccount:
    """An account of the archive as one that a profile has linked."""
    return LinkedAccount(
        account.platform,
        account.platform_id,
        account.title or account.handle or account.name,
        account.handle,
        account.url,
        account.first_seen_at,
    )


def _firsts(accounts: Iterable[HistoryAccount]) -> dict[str, HistoryAccount]:
    chosen: dict[str, HistoryAccount] = {}
    for account in accounts:
        chosen.setdefault(account.platform, account)
    return chosen


def _as_utf8(header: str) -> str:
    """A header's text, which arrives as Latin-1, as the UTF-8 that clients send labels in."""
    try:
        return header.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return header
