"""What an account may say about itself in `archive.toml`, and what it asks of the API."""

import re
from dataclasses import dataclass, field
from typing import Any, Literal

from archiver import ConfigError, Secret

_NUMERIC = re.compile(r"\d{1,20}", re.ASCII)


def _help(words: str) -> dict[str, Any]:
    return {"help": words}


@dataclass(frozen=True)
class ProfileOptions:
    """The options that every platform has."""

    profile_key: Secret | None = field(
        default=None,
        metadata=_help("Key of the user profile that the account belongs to; without it, yours"),
    )

    def params(self) -> dict[str, str]:
        """The parameters of the history endpoint that hold for every request."""
        return {}

    def check(self) -> None:
        """Check the combination of options.

        Raises ConfigError.
        """


@dataclass(frozen=True)
class MetaOptions(ProfileOptions):
    """The options that Facebook and Instagram have besides."""

    skip_analytics: bool = field(
        default=False,
        metadata=_help("Ask without analytics: faster, but answers may hold ids only"),
    )
    data_type: Literal["posts", "stories"] | None = field(
        default=None, metadata=_help("Only posts, or only stories; without it, both")
    )

    def params(self) -> dict[str, str]:
        """`skipAnalytics` and `dataType`, where asked for."""
        params = {"skipAnalytics": "true"} if self.skip_analytics else {}
        return params | ({"dataType": self.data_type} if self.data_type else {})


@dataclass(frozen=True)
class FacebookOptions(MetaOptions):
    """The options that Facebook has besides."""

    page_published: bool = field(
        default=False,
        metadata=_help("Only what the page itself published, not its whole feed with visitors"),
    )

    def params(self) -> dict[str, str]:
        """And `pagePublished`."""
        return super().params() | ({"pagePublished": "true"} if self.page_published else {})


@dataclass(frozen=True)
class TwitterOptions(ProfileOptions):
    """The options that X has besides: somebody else's account, read with the API key alone."""

    user_name: str | None = field(
        default=None, metadata=_help("Handle of somebody else's account; without profile_key")
    )
    user_id: str | None = field(
        default=None, metadata=_help("Numeric id of somebody else's account; without profile_key")
    )

    @property
    def handle(self) -> str | None:
        """The handle without its sign."""
        return self.user_name.removeprefix("@") if self.user_name else None

    def params(self) -> dict[str, str]:
        """`userId` or `userName`."""
        if self.user_id:
            return {"userId": self.user_id}
        return {"userName": self.handle} if self.handle else {}

    def check(self) -> None:
        """One of the two, and no profile: the API answers 400 otherwise.

        Raises ConfigError.
        """
        if self.user_name is not None and self.user_id is not None:
            raise ConfigError(
                "user_name and user_id cannot both be given",
                why="Each of them names the account",
                hint="Keep user_id: a handle can change, and pass to somebody else",
            )
        if self.profile_key is not None and (self.user_name or self.user_id) is not None:
            key = "user_name" if self.user_name is not None else "user_id"
            raise ConfigError(
                f"profile_key must be absent where {key} is given",
                why="Somebody else's account is read with the API key alone",
                hint=f"Remove profile_key, or remove {key} to read the profile's own account",
            )
        if self.user_name is not None and not self.handle:
            raise ConfigError("user_name is empty", hint='Write a handle, such as "Google"')
        if self.user_id is not None and not _NUMERIC.fullmatch(self.user_id):
            raise ConfigError(
                "user_id is not a number",
                hint='It looks like "20536157". For a handle such as "Google" use user_name',
            )
