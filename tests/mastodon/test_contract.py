"""Mastodon keeps the contract of a platform."""

from collections.abc import Mapping, Sequence
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
PROFILE = {"id": "109", "acct": "press", "uri": "https://social.example/users/press"}


def client_of(http: FakeHttp) -> MastodonClient:
    return MastodonSource().open(MastodonSettings(), ACCOUNT, FakeKit(http))


class TestMastodon(SourceContract):
    platform: ClassVar[Mastodon] = Mastodon()
    account: ClassVar[Account] = ACCOUNT
    samples: ClassVar[Sequence[Mapping[str, Any]]] = statuses()

    def client(self, history: Sequence[Mapping[str, Any]]) -> MastodonClient:
        def answer(request: Request) -> tuple[int, Any, Mapping[str, str]]:
            if request.path.endswith("/lookup"):
                return 200, PROFILE, {}
            at = 0
            if older := request.params.get("max_id"):
                at = next(i for i, status in enumerate(history) if status["id"] == older) + 1
            page = list(history[at : at + int(request.params["limit"])])
            if not page:
                return 200, page, {}
            link = f'<https://social.example/?max_id={page[-1]["id"]}>; rel="next"'
            return 200, page, {"link": link}

        return client_of(FakeHttp(answer))

    def failing(self, status: int, body: bytes) -> MastodonClient:
        return client_of(FakeHttp(lambda _request: (status, body)))
