"""The OAuth parameters of a source, with which the core logs in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from archiver.models import Trust
from archiver.secrets import Secret


@dataclass(frozen=True, slots=True)
class OAuth:
    """OAuth 2.0 (RFC 6749) with an authorization code and PKCE (RFC 7636), on one server.

    Paths are below `base_url`; `trust` says where that address comes from. A program that the
    server knows already has a `client_id`, and maybe a `client_secret`; otherwise it is registered
    by a POST of `register_form` and of the names `redirect_uris` and `scopes` to `register_path`,
    whose answer has a `client_id` and a `client_secret`. `paste_redirect` is the redirect for a
    code that is shown to the user. `user_path` answers with the user of a token, under
    `user_key`. `user` is the name that is expected there: nobody else's posts are meant.
    """

    base_url: str
    authorize_path: str
    token_path: str
    scopes: tuple[str, ...]
    trust: Trust = "configured"
    client_id: str = ""
    client_secret: Secret | None = None
    register_path: str = ""
    register_form: Mapping[str, str] = field(default_factory=dict)
    revoke_path: str = ""
    paste_redirect: str = "urn:ietf:wg:oauth:2.0:oob"
    user_path: str = ""
    user_key: str = "username"
    user: str | None = None
