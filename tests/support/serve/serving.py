"""An archive that has lived a little, served; and somebody who asks it things."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from archiver.models import Account
from archiver.plugins import load_plugins
from archiver.secrets import Secret
from archiver.serve.app import application
from archiver.serve.histories import Serving
from archiver.webserver import listen, running
from archiver_ayrshare.demo.specs import photo, video
from archiver_ayrshare.options import ProfileOptions
from support.nights import PLATFORMS, Nights

TOKEN = "the-token-of-this-archive"


class Asking:
    """A client of a served archive. `get` takes a path below the base URL."""

    def __init__(self, client: httpx.Client, origin: str) -> None:
        self.client = client
        self.origin = origin
        self.base_url = f"{origin}/api"

    def get(
        self, path: str, params: Mapping[str, Any] | None = None, *, token: str = TOKEN,
        profile_key: str | None = None, **headers: str,
    ) -> httpx.Response:  # fmt: skip
        """One answer, whatever its status."""
        sent = {"Authorization": f"Bearer {token}", **headers}
        if profile_key is not None:
            sent["Profile-Key"] = profile_key
        return self.client.get(f"{self.base_url}/{path}", params=params, headers=sent)

    def history(self, platform: str, *, profile_key: str | None = None, **params: Any) -> Any:
        """The envelope of a page."""
        answer = self.get(f"history/{platform}", params, profile_key=profile_key)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ids(self, platform: str, *, profile_key: str | None = None, **params: Any) -> list[str]:
        """The ids of all posts, page by page."""
        found: list[str] = []
        while True:
            answer = self.history(platform, profile_key=profile_key, **params)
            found += [record["id"] for record in answer["posts"]]
            paging = answer["meta"]["pagination"]
            if not paging["hasMore"]:
                return found
            params["next"] = paging["next"]


def configured_account(name: str, platform: str, profile_key: Secret | None = None) -> Account:
    """An account as the config has it."""
    return Account(name, platform, "ayrshare", ProfileOptions(profile_key))


@contextmanager
def served(
    directory: Path, configured: tuple[Account, ...] | None = None, **options: Any
) -> Iterator[Asking]:
    """An archive on a free port of this machine; its accounts are named after their platforms."""
    if configured is None:
        configured = tuple(configured_account(platform, platform) for platform in PLATFORMS)
    sock = listen("127.0.0.1", 0)
    origin = f"http://127.0.0.1:{sock.getsockname()[1]}"
    answer = load_plugins().served_api().begin(configured)
    app = application(Serving(directory, TOKEN, answer, **options))
    with running(app, [sock]), httpx.Client(timeout=120) as client:
        yield Asking(client, origin)


def live(world: Nights) -> None:
    """Four nights with edits, a removal, withheld media, and carousels that change."""
    instagram = world.account("instagram")
    for platform in PLATFORMS:
        world.account(platform).populate(14, stories=platform in {"facebook", "instagram"})
    reel = instagram.publish("A reel with a song", kind="reel", media=[video()])
    album = instagram.publish("An album", media=[photo(), video(), photo("shared 1")])
    lost = world.account("twitter").publish("A regret", media=[photo()])
    typo = world.account("facebook").publish("Oepn on Monday", media=[photo(alt="A door")])
    reel.withhold()
    album.withhold(child=1)
    world.backup()
    world.next_night()
    typo.edit(text="Open on Monday")
    lost.remove()
    album.edit_media(order=[2, 1, 0], add=[photo("new")])
    world.account("bluesky").posts()[0].edit(text="Another text, with 朝の光 and \u2028 in it")
    world.tick()
    world.backup(full=True)
    world.next_night()
    typo.edit(text="Open on Monday and on Tuesday")
    reel.release()
    world.backup(full=True)
    world.next_night()
    instagram.publish("The newest", media=[photo("shared 1")])
    world.tick()
    world.backup(full=True)
