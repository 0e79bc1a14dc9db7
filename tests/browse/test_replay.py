"""A WACZ in ReplayWeb.page, in a browser that has no network: its pages and pictures are shown."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

from archiver.export.formats.wacz import MADE_HERE
from archiver.webserver import listen, origin_of, running
from support import exporting
from support.fresh import ROOT
from support.media.samples import picture

pytestmark = pytest.mark.peers

PROGRAM = ROOT / "tests/support/replay/node_modules/replaywebpage"
PAGE = f"""
<!doctype html>
<script src="/ui.js"></script>
<replay-web-page source="/posts.wacz" url="{MADE_HERE}/post/1" embed="replayonly"></replay-web-page>
"""
SIZE = (64, 48)


@contextmanager
def served(package: Path) -> Iterator[str]:
    """The web archive, and the two scripts of ReplayWeb.page, which it wants at these places."""

    async def answer(request: Request) -> Response:
        files = {"/ui.js": PROGRAM / "ui.js", "/replay/sw.js": PROGRAM / "sw.js"}
        file = files.get(request.url.path, package)
        return FileResponse(file)

    async def page(_: Request) -> Response:
        return HTMLResponse(PAGE)

    paths = ("/ui.js", "/replay/sw.js", "/posts.wacz")
    app = Starlette(routes=[Route("/", page), *(Route(path, answer) for path in paths)])
    sock = listen("127.0.0.1", 0)
    with running(app, [sock], quiet=True):
        yield origin_of(sock)


def test_a_post_and_its_picture_are_replayed(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not PROGRAM.is_dir():
        pytest.skip("ReplayWeb.page is not installed: run make replay-peers, which needs npm")
    monkeypatch.setattr(exporting, "PICTURE", picture("JPEG", SIZE))
    exporting.make_archive(tmp_path)
    done = exporting.exported(tmp_path / "archive", tmp_path / "out", "wacz")
    with served(done.folder / "posts.wacz") as origin:
        page = browser.new_page()
        page.goto(origin)
        replayed = page.frame_locator("replay-web-page iframe").frame_locator("iframe")
        expect(replayed.get_by_text("Good evening")).to_be_visible()
        shown = replayed.locator("img").first
        expect(shown).to_have_js_property("naturalWidth", SIZE[0])
        assert shown.evaluate("image => image.src").endswith("https://a.example/m1.jpg")
        page.close()
