"""`archiver login`: log in to an account whose source needs it."""

import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from archiver.cli.shell import Shell, disable_core_dumps, pass_shell, secret_of, subcommand
from archiver.cli.text import safe, wrap
from archiver.cli.values import WholeNumber
from archiver.errors import ArchiverError, UsageError

if TYPE_CHECKING:
    from archiver.auth import OAuth
    from archiver.hookspecs import Kit
    from archiver.login import LoginRequest
    from archiver.tokens import Token, TokenStore

_TIMEOUT = 600.0  # seconds in which a person finds their password


@subcommand(
    "login",
    short_help="Log in to an account whose source needs it.",
    example="archiver login acme-mastodon\narchiver login acme-mastodon --paste",
)
@click.argument("account")
@click.option("--paste", is_flag=True, help="Ask for the code: the browser is on another machine.")
@click.option("--no-browser", is_flag=True, help="Print the address, and open no browser.")
@click.option(
    "--port", type=WholeNumber(0, 65535), default=0, metavar="N",
    help="The port on this machine that the browser comes back to; by default any free one.",
)  # fmt: skip
@click.option(
    "--token",
    metavar="REFERENCE",
    help="Keep a token that you made on the server's own pages; a reference such as env:TOKEN.",
)
@click.option("--forget", is_flag=True, help="Log out: revoke the token and delete it.")
@pass_shell
def command(
    shell: Shell, account: str, paste: bool, no_browser: bool, port: int, token: str | None,
    forget: bool,
) -> None:  # fmt: skip
    """Log in to an account, so that a backup sees what only its owner may see.

    The browser opens a page of the account's server, on which you say yes. The token that the
    server then hands out is kept in a private file beside the config, or in the keyring, and never
    shown. It may read, and nothing else.
    """
    if paste + (token is not None) + forget > 1:
        raise UsageError("--paste, --token and --forget exclude each other")
    disable_core_dumps()
    login = _Login(shell, account)
    if forget:
        login.forget()
    elif token is not None:
        login.keep(token)
    else:
        login.log_in(paste=paste, opens_browser=not no_browser, port=port)


class _Login:
    """The login of one account: its source, and the store of its token."""

    def __init__(self, shell: Shell, label: str) -> None:
        from archiver.tokens import token_store

        config, plugins = shell.config(), shell.plugins()
        entry = config.select([label])[0]
        self.shell = shell
        self.network = config.network
        self.account = config.account(entry, plugins)
        self.source = plugins.source(self.account.source)
        self.settings = config.source_settings(self.source)
        self.store: TokenStore = token_store(config)
        auth: Any = getattr(self.source, "auth", None)
        self._ask_auth = auth
        if auth is None:
            raise UsageError(
                f"{self.account.name} needs no login",
                why=f"The source {self.source.name} needs no login",
            )

    def log_in(self, *, paste: bool, opens_browser: bool, port: int) -> None:
        """Get a code, then a token from the server, and save it. Raises ArchiverError."""
        from archiver.login import finish_login

        if paste:
            auth, request = self._begin(None)
            code = self._pasted(request, opens_browser)
        else:
            auth, request, code = self._redirected(opens_browser, port)

        async def finish(kit: "Kit") -> "Token":
            http = kit.http(auth.base_url, trust=auth.trust)
            return await finish_login(request, http, code, datetime.now(UTC))

        self._keep(self._run(finish), auth)

    def keep(self, reference: str) -> None:
        """Save a token that the user made. Raises ArchiverError."""
        from archiver.login import token_by_hand

        made = secret_of("--token", reference, "env:MASTODON_TOKEN").reveal()
        auth = self._run(self._auth)
        self._keep(token_by_hand(auth, made, datetime.now(UTC)), auth)

    def forget(self) -> None:
        """Revoke and delete the token. Raises ArchiverError."""
        from archiver.login import revoke

        name = self.account.name
        token = self.store.load(self.source.name, name)
        if token is None:
            raise UsageError(f"Nobody is logged in to {name}")
        if token.login.revoke_path:

            async def end(kit: "Kit") -> None:
                await revoke(token, kit.http(token.login.base_url, trust=token.login.trust))

            try:
                self._run(end)
            except ArchiverError as error:
                self.shell.warn(f"{error}. The token is deleted here; revoke it on the server too")
        self.store.forget(self.source.name, name)
        self.shell.report(f"Logged out of {safe(name)}. Its token is deleted.")

    def _begin(self, redirect_uri: str | None) -> "tuple[OAuth, LoginRequest]":
        from archiver.login import begin_login

        async def begin(kit: "Kit") -> "tuple[OAuth, LoginRequest]":
            auth = await self._auth(kit)
            http = kit.http(auth.base_url, trust=auth.trust)
            return auth, await begin_login(auth, http, redirect_uri or auth.paste_redirect)

        begun: tuple[Any, LoginRequest] = self._run(begin)
        return begun

    def _redirected(self, opens_browser: bool, port: int) -> "tuple[OAuth, LoginRequest, str]":
        """Wait for the browser to come back with the code."""
        from archiver.loopback import redirect_receiver

        with redirect_receiver(port) as receiver:
            auth, request = self._begin(receiver.redirect_uri)
            receiver.expect(request.state)
            self._show(request, opens_browser)
            self.shell.say("Waiting for the browser to come back; Ctrl-C ends that.")
            return auth, request, receiver.wait(_TIMEOUT)

    def _pasted(self, request: "LoginRequest", opens_browser: bool) -> str:
        from archiver.login import code_of

        self._show(request, opens_browser)
        return code_of(click.prompt("The code", hide_input=True, err=True), request.state)

    def _show(self, request: "LoginRequest", opens_browser: bool) -> None:
        click.echo(f"Open this page and allow the access:\n\n{safe(request.url)}\n", err=True)
        if opens_browser and _has_desktop():
            click.launch(request.url)

    def _keep(self, token: "Token", auth: "OAuth") -> None:
        """Find out who has logged in, and save the token."""
        from archiver.login import with_user

        async def ask(kit: "Kit") -> "Token":
            return await with_user(token, auth, kit.http(auth.base_url, trust=auth.trust))

        known = self._run(ask)
        self.store.save(self.source.name, self.account.name, known)
        user = known.login.user
        if auth.user and user and user.casefold() != auth.user.casefold():
            self.shell.warn(
                f"You are logged in as {safe(user)}, and {self.account.name} is {safe(auth.user)}: "
                "only what that login may see of the account is backed up"
            )
        who = f" as {safe(user)}" if user else ""
        where = "the keyring" if self.store.in_keyring else str(self.store.path)
        text = f"Logged in to {self.account.name}{who}. The token is in {safe(where)}."
        self.shell.report(wrap(text))

    async def _auth(self, kit: "Kit") -> "OAuth":
        """The OAuth parameters of the source. Raises SourceError, PluginError."""
        from archiver.auth import OAuth
        from archiver.errors import PluginError
        from archiver.plugin_calls import cause_of, plugin_errors

        def failed(error: BaseException) -> PluginError:
            return PluginError(f"The plugin for {self.source.name} failed", why=cause_of(error))

        with plugin_errors(failed):
            auth = await self._ask_auth(self.settings, self.account, kit)
            if not isinstance(auth, OAuth):
                raise TypeError("It returned no OAuth")
        return auth

    def _run(self, question: Any) -> Any:
        """Run a function with a kit of this account."""
        import anyio

        from archiver.backup.kits import Kits
        from archiver.backup.routes import route_of
        from archiver.cli.plugin_output import redirect_plugin_output
        from archiver.clock import SystemClock

        async def ask() -> Any:
            route = route_of(self.network)
            kits = Kits(self.network, route, SystemClock(), tokens=self.store)
            try:
                return await question(kits.kit(self.source, self.account))
            finally:
                await kits.aclose()

        with redirect_plugin_output():
            return anyio.run(ask)


def _has_desktop() -> bool:
    """Whether a browser window can be opened."""
    if sys.platform in {"darwin", "win32"}:
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
