"""The contract of a platform, for those read through the Ayrshare API, and a server for it."""

import base64
import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from archiver import Account, Post, RecordError, Secret
from archiver.testing import (
    FakeHttp,
    FakeKit,
    Request,
    SourceContract,
    TreePath,
    dotted,
    leaves,
    with_value,
    without,
)
from archiver_ayrshare import Ayrshare
from archiver_ayrshare.client import AyrshareClient, Settings
from archiver_ayrshare.platform import AyrsharePlatform

DATA = Path(__file__).parents[1] / "plugins" / "data"
LATEST = "2026-11-01T00:00:00.000Z"
CHANGES: tuple[Any, ...] = (
    "https://other.example/path?x=1", "other", "2001-02-03T04:05:06.000Z", 7, "04:05", "video",
    "photo", "story", "replied_to", "Length", True, False, None,
)  # fmt: skip
STRANGE: tuple[Any, ...] = (-1, True, 1e300, "?!", {"strange": 1}, [["strange"]])


def samples(name: str) -> list[dict[str, Any]]:
    """The documented records of a platform, then those of shapes that no page shows."""
    files = (DATA / f"{name}.json", DATA / f"{name}-unseen.json")
    return [record for file in files if file.exists() for record in json.loads(file.read_text())]


def client_for(
    answer: Callable[[Request], tuple[int, Any]], **settings: Any
) -> tuple[AyrshareClient, FakeHttp]:
    """A client with all its keys, and the server that it talks to."""
    http = FakeHttp(answer)
    keys = {
        "api_key": Secret("key-of-the-operator"),
        "x_api_key": Secret("x-consumer-key"),
        "x_api_secret": Secret("x-consumer-secret"),
    }

    account = Account("any", "threads", "ayrshare", None)
    return Ayrshare().open(Settings(**{**keys, **settings}), account, FakeKit(http)), http


def account_for(platform: AyrsharePlatform, **options: Any) -> Account:
    """An account of a platform with these options."""
    return Account(f"my-{platform.name}", platform.name, "ayrshare", platform.options(**options))


def serve(
    history: Sequence[Mapping[str, Any]], *, paged: bool = True
) -> Callable[[Request], tuple[int, Any]]:
    """An API that holds a history, newest first, with or without paging."""

    def answer(request: Request) -> tuple[int, Any]:
        if not request.path.startswith("/history/"):
            return 404, {"status": "error", "code": 404, "message": "No such path"}
        limit = int(request.params["limit"])
        start = int(base64.b64decode(request.params.get("next", "")).decode() or 0)
        posts = list(history[start : start + limit])
        body: dict[str, Any] = {"status": "success", "posts": posts, "lastUpdated": LATEST}
        if paged:
            more = start + limit < len(history)
            onward = {"next": base64.b64encode(str(start + limit).encode()).decode()}
            body["meta"] = {
                "pagination": {"hasMore": more, "limit": limit, **(onward if more else {})}
            }
        return 200, body

    return answer


class AyrshareContract(SourceContract):
    """What every platform keeps, and that its table says what its code does."""

    platform: ClassVar[AyrsharePlatform]

    def client(self, history: Sequence[Mapping[str, Any]]) -> AyrshareClient:
        return client_for(serve(history))[0]

    def failing(self, status: int, body: bytes) -> AyrshareClient:
        return client_for(lambda _request: (status, body))[0]

    def read(self, record: Mapping[str, Any]) -> Post:
        return self.platform.read(record, self.account)

    def test_each_path_goes_where_the_table_says(self) -> None:
        """What is raw only changes nothing; what is read changes the post, if need be alone."""
        targets: dict[str, set[str]] = {}
        for name, target in self.platform.fields.rows():
            targets.setdefault(name, set()).add(target)
        idle = set()
        moved = set()
        for sample in samples(self.platform.name):
            for path, _ in leaves(sample):
                name = dotted(path)
                known = _known(name, targets)
                assert known, f"{name} is on no list"
                if self._moves(sample, path, targets, known):
                    moved.add(name)
                    assert not all(target.startswith("raw only") for target in known), (
                        f"{name} is said to stay in the record, but changes the post"
                    )
                elif not any(target.startswith("raw only") for target in known):
                    idle.add(name)
        assert idle - moved == set(), "said to be read, but changing them changes nothing"

    def test_what_no_form_understands_is_unmapped(self) -> None:
        """A value of another form than its path has is named, whatever is made of it."""
        forms = self.platform.fields.forms_of_paths()
        for sample in self.samples:
            for path, _ in leaves(sample):
                name = dotted(path)
                is_whole = any(f"{name[:end]}.*" in forms for end in range(len(name)))
                for value in STRANGE:
                    if (
                        is_whole
                        or name not in forms
                        or any(
                            type(value) in form.accepted_types or form.parse(value) is not None
                            for form in forms[name]
                        )
                    ):
                        continue
                    try:
                        unmapped = self.read(with_value(sample, path, value)).unmapped
                    except RecordError:
                        continue
                    assert any(found.startswith(name) for found in unmapped), (name, value)

    def _moves(
        self,
        sample: Mapping[str, Any],
        path: TreePath,
        targets: Mapping[str, set[str]],
        known: set[str],
    ) -> bool:
        """Whether a change of one value shows, also where other spellings of it are missing."""
        rivals = {
            other for other, theirs in targets.items() if theirs & known and other != dotted(path)
        }
        alone = sample
        for other, _ in sorted(leaves(sample), key=lambda leaf: str(leaf[0]), reverse=True):
            if dotted(other) in rivals and isinstance(other[-1], str):
                alone = without(alone, other)
        return any(
            _seen(self.read(with_value(record, path, value))) != _seen(self.read(record))
            for record in (sample, alone)
            for value in CHANGES
        )

    def test_old_records_of_ids_alone_say_that_the_posts_are_there(self) -> None:
        """What `skipAnalytics` may give says that the post is there, and nothing else."""
        sample = self.samples[0]
        keys = ("id", "created", "postUrl", "lastUpdated", "nextUpdate")
        for record in ({"id": sample["id"]}, {k: sample[k] for k in keys if k in sample}):
            post = self.read(record)
            assert post.id_only
            assert not post.attachments
            assert not post.content
        assert not any(self.read(sample).id_only for sample in self.samples)

    def test_an_id_in_digits_keeps_all_of_them(self) -> None:
        assert self.read({"id": 12345678901234567890123}).platform_id == "12345678901234567890123"


def _known(name: str, targets: Mapping[str, set[str]]) -> set[str]:
    """Where the table sends a path, itself or with everything below one of its parents."""
    found = set(targets.get(name, ()))
    parts = name.replace("[]", ".[]").split(".")
    for index in range(1, len(parts) + 1):
        found |= targets.get(".".join(parts[:index]).replace(".[]", "[]") + ".*", set())
    return found


def _seen(post: Post) -> Post:
    return dataclasses.replace(post, unmapped=())
