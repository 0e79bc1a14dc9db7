"""Pages in a real browser: Debian's Chromium, driven by Playwright, and what it should not do."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Dialog, Page, Response, expect, sync_playwright

expect.set_options(timeout=30_000)  # ms; that of a navigation, since it often follows one
SERIOUS = {"serious", "critical"}
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip


def chromium() -> str | None:
    """Where Chromium is."""
    names = (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if name and (found := shutil.which(name))), None)


@contextmanager
def chromium_running() -> Iterator[Browser]:
    """A Chromium for as long as the block lasts. On CI it must be there."""
    path = chromium()
    if path is None:
        reason = "Chromium is missing: apt-get install chromium, or name it in CHROMIUM"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        started.close()


class Watched:
    """A page, and all that it should not have done."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.complaints: list[str] = []
        page.on("console", lambda message: self._console(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self._request(request.url))
        page.on("dialog", self._dialog)

    def _console(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.complaints.append(f"{kind}: {text}")

    def _dialog(self, dialog: Dialog) -> None:
        self.complaints.append("a dialog")
        dialog.dismiss()

    def _request(self, url: str) -> None:
        if not url.startswith((self.address + "/", "data:")):
            self.complaints.append(f"asked {url}")

    def goto(self, path: str) -> Response | None:
        """Open a page and wait until its scripts have run and it has all it wants."""
        answer = self.page.goto(self.address + path)  # a slow machine is idle before scripts run
        self.page.wait_for_load_state("networkidle")
        return answer


def check_own(page: Page, path: str) -> None:
    """What must hold of our own pages: axe finds nothing of any impact, target sizes included."""
    assert_fits(page, path)
    found = [
        (violation["id"], violation["impact"], violation["nodes"][0]["html"][:160])
        for violation in _violations(page, {"target-size": {"enabled": True}})
    ]
    assert found == [], path


def check(page: Page, path: str) -> None:
    """What must hold of every page, Datasette's own included."""
    assert_fits(page, path)
    assert_images_are_shown(page, path)
    found = [
        (violation["id"], violation["nodes"][0]["html"][:160])
        for violation in _violations(page, {})
        if violation["impact"] in SERIOUS
    ]
    assert found == [], path


def _violations(page: Page, rules: dict[str, dict[str, bool]]) -> list[dict[str, Any]]:
    """What axe finds; of all else it says less, which takes it less time."""
    options = {"rules": rules, "resultTypes": ["violations"]}
    found: list[dict[str, Any]] = Axe().run(page, options=options).response["violations"]
    return found


def assert_images_are_shown(page: Page, path: str) -> None:
    broken = page.evaluate(
        "[...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src)"
    )
    assert broken == [], path


def assert_fits(page: Page, path: str) -> None:
    width = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert width <= 0, f"{path} is wider than the screen"
