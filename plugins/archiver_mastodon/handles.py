"""Handles of accounts, `user@host`, in all the forms that people write."""

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from archiver import BadUrl, normalize_url

_HANDLE = re.compile(r"(?:acct:)?@?(?P<user>[\w.-]+)@(?P<host>[^\s@/?#]+)", re.ASCII)
_PROFILE_PATH = re.compile(r"/(?:@|users/|u/|profile/)?(?P<user>[\w.-]+)/?", re.ASCII)
_MAX_LENGTH = 320  # characters


class Handle(NamedTuple):
    """A user's name on a server; the host in ASCII and lower case, with its port if it has one."""

    user: str
    host: str

    def __str__(self) -> str:
        """`press@social.example`."""
        return f"{self.user}@{self.host}"

    @property
    def origin(self) -> str:
        """The address where its server is looked for first."""
        return f"https://{self.host}"


def handle_of(text: str) -> Handle | None:
    """The handle in `user@host`, `@user@host`, `acct:user@host` or a profile's address, or None.

    >>> str(handle_of("https://Social.Example/@press"))
    'press@social.example'
    """
    text = text.strip()
    if len(text) > _MAX_LENGTH:
        return None
    if text.startswith(("https://", "http://")):
        return _handle_of_profile(text)
    match = _HANDLE.fullmatch(text)
    return _handle(match["user"], match["host"]) if match else None


def _handle_of_profile(address: str) -> Handle | None:
    try:
        parts = urlsplit(normalize_url(address))
    except BadUrl:
        return None
    if full := _HANDLE.fullmatch(parts.path.strip("/")):  # one server's page about another's
        return _handle(full["user"], full["host"])
    match = _PROFILE_PATH.fullmatch(parts.path)
    return _handle(match["user"], parts.netloc) if match else None


def _handle(user: str, host: str) -> Handle | None:
    try:
        netloc = urlsplit(normalize_url(f"https://{host}/")).netloc
    except BadUrl:
        return None
    return Handle(user, netloc)
