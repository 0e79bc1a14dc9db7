"""Mastodon keeps the contract of a platform."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from archiver import Account
from archiver.testing import FakeHttp, FakeKit, Request, SourceContract
from archiver_mastodon import MastodonSettings, MastodonSource
from archiver_mastodon.client import MastodonClient
from archiver_mastodon.platform import Mastodon, MastodonOptions
from support.mastodon.samples import statuses

ACCOUNT = Account(
    "press", "mastodon", "mastodon",
    MastodonOptions(handle="press@social.example", server="https://social.example"),
)  # fmt: skip
FakeAnswer = tuple[int, Any, Mapping[str, str]]
PROFILE = {"id": "109", "acct": "press", "uri": "https://social.example/users/press"}


STATUSES = statuses()


def history_server(history: Sequence[Mapping[str, Any]]) -> Callable[[Request], FakeAnswer]:
    """A server that holds these statuses, newest first, and two versions of each."""

    def answer(request: Request) -> FakeAnswer:
        if request.path.endswith("/lookup"):
            return 200, PROFILE, {}
        if "/api/v1/statuses/" in request.path:
            parts = request.path.split("/")
            status = next(status for status in history if status["id"] == parts[4])
            edit = {"content": "<p>Before</p>", "created_at": "2026-03-01T00:00:00.000Z"}
            return 200, [edit, status] if parts[5:] == ["history"] else status, {}
        at = 0
        if older := request.params.get("max_id"):
            at = next(i for i, status in enumerate(history) if status["id"] == older) + 1
        page = list(history[at : at + int(request.params["limit"])])
        if not page:
            return 200, page, {}
        link = f'<https://social.example/?max_id={page[-1]["id"]}>; rel="next"'
        return 200, page, {"link": link}

    return answer


class TestMastodon(SourceContract):
    platform: ClassVar[Mastodon] = Mastodon()
    account: ClassVar[Account] = ACCOUNT
    samples: ClassVar[Sequence[Mapping[str, Any]]] = STATUSES
    source: ClassVar[MastodonSource] = MastodonSource()
    settings: ClassVar[MastodonSettings] = MastodonSettings()

    def kit(self, history: Sequence[Mapping[str, Any]]) -> FakeKit:
        return FakeKit({"https://social.example": history_server(history)})

    def client(self, history: Sequence[Mapping[str, Any]]) -> MastodonClient:
        return self.source.open(self.settings, self.account, self.kit(history))

    def failing(self, status: int, body: bytes) -> MastodonClient:
        kit = FakeKit(FakeHttp(lambda _request: (status, body)))
        return self.source.open(self.settings, self.account, kit)

    def test_earlier_versions_come_oldest_first(self) -> None:
        history = [self.record(0)]
        found = asyncio.run(self.platform.history(self.client(history), self.account, "10000"))
        assert found[0].source_time == "2026-03-01T00:00:00.000Z"
        assert self.platform.read(found[0].record.data, self.account).text == "Before"


class TestMastodonElsewhere(TestMastodon):
    """The handle's host is not that of the server, which WebFinger names.

    Its records are read as those of others, so that one of them is enough.
    """

    samples: ClassVar[Sequence[Mapping[str, Any]]] = STATUSES[:1]
    account: ClassVar[Account] = Account(
        "press", "mastodon", "mastodon", MastodonOptions(handle="press@example.org")
    )

    def kit(self, history: Sequence[Mapping[str, Any]]) -> FakeKit:
        links = [{"rel": "self", "type": "application/activity+json", "href": PROFILE["uri"]}]

        def home(request: Request) -> FakeAnswer:
            is_webfinger = request.path == "/.well-known/webfinger"
            return (200, {"links": links}, {}) if is_webfinger else (404, {}, {})

        servers = {"https://example.org": home, "https://social.example": history_server(history)}
        return FakeKit(servers)
