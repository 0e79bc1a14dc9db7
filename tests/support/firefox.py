"""Pages in Debian's Firefox, which is driven by WebDriver BiDi, the protocol that it speaks itself.

https://www.w3.org/TR/webdriver-bidi/: JSON over a WebSocket, a command at a time.
"""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

PATIENCE = 120
"""Seconds for a page on a busy machine."""
_LISTENS = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
_LEFT_BEHIND = "Image corrupt or truncated."
"""Of an image that was still loading when the page was left; tests look at images themselves."""
_QUIET = (
    "app.update.enabled", "browser.safebrowsing.malware.enabled", "extensions.update.enabled",
    "browser.safebrowsing.phishing.enabled", "network.captive-portal-service.enabled",
    "network.connectivity-service.enabled", "datareporting.policy.dataSubmissionEnabled",
    "browser.aboutHomeSnippets.updateUrl", "media.gmp-manager.updateEnabled",
)  # fmt: skip
"""Settings that would have it ask servers by itself."""
_PROMPT = (
    "dom.input_events.security.minNumTicks", "dom.input_events.security.minTimeElapsedInMS",
)  # fmt: skip
"""For how long after a page has come keys and clicks are ignored, so that nobody is tricked."""


def firefox() -> str | None:
    """Where Firefox is."""
    names = (os.environ.get("FIREFOX"), "firefox-esr", "firefox")
    return next((found for name in names if name and (found := shutil.which(name))), None)


class CommandError(Exception):
    """A command failed, with what was said about it."""


class Tab:
    """One tab of a Firefox, and all that it should not have done."""

    def __init__(self, connection: ClientConnection, address: str) -> None:
        self.address = address
        self.complaints: list[str] = []
        self._connection = connection
        self._commands = 0
        self._command("session.new", capabilities={})
        self._command("session.subscribe", events=["log.entryAdded", "network.beforeRequestSent"])
        self._context = self._command("browsingContext.create", type="tab")["context"]

    def resize(self, width: int, height: int) -> None:
        """Give the page another size, in CSS pixels."""
        size = {"width": width, "height": height}
        self._command("browsingContext.setViewport", context=self._context, viewport=size)

    def goto(self, path: str) -> None:
        """Open a page and wait until it is loaded."""
        self._command(
            "browsingContext.navigate", context=self._context, url=self.address + path,
            wait="complete",
        )  # fmt: skip

    def evaluate(self, expression: str) -> Any:
        """The value of an expression on the page, which is turned into JSON; awaited if need be."""
        found = self._command(
            "script.evaluate", expression=f"(async () => JSON.stringify(await ({expression})))()",
            target={"context": self._context}, awaitPromise=True,
        )  # fmt: skip
        if found["type"] != "success":
            raise CommandError(found)
        value = found["result"].get("value")
        return None if value is None else json.loads(value)

    def wait_until(self, condition: str) -> None:
        """Ask until an expression is true on the page, through changes of the page."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                if self.evaluate(condition):
                    return
            except CommandError as error:  # the page has just been left
                if time.monotonic() > end:
                    raise AssertionError(condition) from error
            assert time.monotonic() < end, condition

    def press(self, *keys: str) -> None:
        """Press keys one after the other; of WebDriver's own, such as `\\uE007` for Enter, too."""
        actions = [{"type": what, "value": key} for key in keys for what in ("keyDown", "keyUp")]
        keyboard = {"type": "key", "id": "keyboard", "actions": actions}
        self._command("input.performActions", context=self._context, actions=[keyboard])

    def _command(self, method: str, **params: Any) -> Any:
        self._commands += 1
        command = {"id": self._commands, "method": method, "params": params}
        self._connection.send(json.dumps(command))
        while True:
            said = json.loads(self._connection.recv(timeout=PATIENCE))
            if said.get("type") == "event":
                self._watch(said["method"], said["params"])
            elif said.get("id") == self._commands:
                if said["type"] != "success":
                    raise CommandError(said)
                return said["result"]

    def _watch(self, event: str, params: dict[str, Any]) -> None:
        is_complaint = event == "log.entryAdded" and params["level"] in {"error", "warn"}
        if is_complaint and params["text"] != _LEFT_BEHIND:
            self.complaints.append(f"{params['level']}: {params['text']}")
        if event == "network.beforeRequestSent":
            url = params["request"]["url"]
            if not url.startswith((self.address + "/", "data:")):
                self.complaints.append(f"asked {url}")


@contextmanager
def firefox_running(folder: Path, address: str) -> Iterator[Tab]:
    """A Firefox with a new profile in a folder, for as long as the block lasts."""
    path = firefox()
    if path is None:
        pytest.skip("Firefox is missing: apt-get install firefox-esr, or name it in FIREFOX")
    settings = {**dict.fromkeys(_QUIET, "false"), **dict.fromkeys(_PROMPT, "0")}
    lines = [f'user_pref("{name}", {value});\n' for name, value in settings.items()]
    (folder / "user.js").write_text("".join(lines), "utf-8")
    command = [path, "--headless", "--profile", str(folder), "--remote-debugging-port", "0"]
    home = {**os.environ, "HOME": str(folder), "MOZ_CRASHREPORTER_DISABLE": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=home
    ) as running:
        try:
            assert running.stderr
            found = next((told for line in running.stderr if (told := _LISTENS.search(line))), None)
            assert found, "Firefox ended before it could be driven"
            with connect(found[1] + "/session", max_size=None, open_timeout=PATIENCE) as connection:
                yield Tab(connection, address)
        finally:
            running.terminate()
