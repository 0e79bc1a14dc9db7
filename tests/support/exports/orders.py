"""One small world that an archive sees by nights of the API and by exports, in any order.

order = [Step("publish", 1), Step("export"), Step("night"), Step("edit"), Step("import")]
with lived_through(folder, "twitter", order) as lived:
    assert lived.faults() == []
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from support.exports.importing import import_now
from support.exports.packing import write_zip
from support.exports.stages import STAGES, Shown, Stage

_NEWEST = """
    post_id = ? AND last_revision = (
        SELECT max(number) FROM revisions WHERE revisions.post_id = attachments.post_id)
"""


@dataclass(frozen=True)
class Step:
    """One thing that happens; `which` chooses among what there is to choose from.

    publish, edit, remove: the owner does it. night: a backup, and a day passes. year: a year
    passes. export: the platform makes one. import: one of those that were made is imported.
    """

    what: str
    which: int = 0


@dataclass
class Lived:
    """An account, its archive, and the exports that were made of it.

    `exported` are the ids of posts that an imported export had, `backed_up` those that a night saw.
    """

    stage: Stage
    exports: list[tuple[Path, set[str]]] = field(default_factory=list)
    published: list[Shown] = field(default_factory=list)
    exported: set[str] = field(default_factory=set)
    backed_up: set[str] = field(default_factory=set)
    edits: dict[str, int] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=count)

    @property
    def shown(self) -> list[Shown]:
        """The posts that the network shows now."""
        return [post for post in self.published if not post.removed]

    def do(self, step: Step) -> None:
        getattr(self, f"_{step.what}")(step.which)

    def _publish(self, which: int) -> None:
        text = f"Post {next(self.numbers)} & „more“"
        self.published.append(self.stage.publish(text, which))
        self.stage.clock.advance(hours=1)

    def _edit(self, which: int) -> None:
        can_be = [post for post in self.shown if self.stage.is_known_edited(post)]
        if can_be:
            post = can_be[which % len(can_be)]
            self.edits[post.id] = self.edits.get(post.id, 0) + 1
            post.text = f"{post.text} – edit {next(self.numbers)}"
            self.stage.edit(post, post.text)

    def _remove(self, which: int) -> None:
        if len(self.shown) > 1:  # of an account that has none any more nothing is believed
            post = self.shown[which % len(self.shown)]
            self.stage.remove(post)
            post.removed = True

    def _night(self, _: int) -> None:
        assert self.stage.backup() == 0
        self.backed_up.update(post.id for post in self.shown)
        self.stage.let_pass(1)

    def _year(self, _: int) -> None:
        self.stage.let_pass(365)

    def _export(self, _: int) -> None:
        if self.shown:
            path = self.stage.archive.folder / f"export-{len(self.exports)}.zip"
            now = self.stage.clock.now()
            when = (now.year, now.month, now.day, now.hour, now.minute, now.second)
            write_zip(path, self.stage.export(self.shown), when=when)
            self.exports.append((path, {post.id for post in self.shown}))
            self.stage.clock.advance(hours=30)

    def _import(self, which: int) -> None:
        if self.exports:
            path, held = self.exports[which % len(self.exports)]
            stage = self.stage
            report = import_now(stage.config(), path, account=stage.label, clock=stage.clock)
            right = {"done", "partial"} if stage.links_expire else {"done"}
            assert report.outcome in right, report.packages
            self.exported.update(held)

    def finish(self) -> None:
        """Import every export once more, and let two nights pass: all is known then."""
        for number in range(len(self.exports)):
            self._import(number)
        self._night(0)
        self._night(0)

    def faults(self) -> list[str]:
        """What is wrong in the archive, in words."""
        archive = self.stage.archive
        rows = archive.query("SELECT id, platform_id, text, removed_at FROM posts")
        known = {post.id: post for post in self.published
                 if post.id in self.exported | self.backed_up}  # fmt: skip
        found = []
        if len(rows) != len(known):
            found.append(f"{len(rows)} posts of {len(known)}: {sorted(row[1] for row in rows)}")
        for post_id, name, text, removed_at in rows:
            if name in known:
                found += self._faults_of(post_id, known[name], text, is_removed=bool(removed_at))
            elif removed_at:  # only an export that has no ids showed it, and it is gone now
                found.append(f"{name} is removed by nobody")
        held = archive.column("SELECT count(DISTINCT path) - count(*) FROM media")
        return found + ([] if held == [0] else ["a file is there twice"])

    def _faults_of(
        self, post_id: int, post: Shown, text: str | None, *, is_removed: bool
    ) -> Iterator[str]:
        if is_removed and not post.removed:
            yield f"{post.id} is removed, and is not"
        edits = self._count("events WHERE what = 'edited' AND post_id = ?", post_id)
        if edits > self.edits.get(post.id, 0):
            yield f"{post.id} has {edits} edits of {self.edits.get(post.id, 0)}"
        if not post.removed and text != post.text:
            yield f"{post.id} is {text!r} and should be {post.text!r}"
        files = self._count("attachments WHERE kind <> 'link' AND post_id = ?", post_id)
        if files != post.files and (self.stage.has_files or post.id in self.backed_up):
            yield f"{post.id} has {files} attachments of {post.files}"
        attached = self._count(f"attachments WHERE kind <> 'link' AND {_NEWEST}", post_id)
        if attached != files:
            yield f"{post.id} has {attached} attachments now, and {files} in all"

    def _count(self, rows: str, post_id: int) -> int:
        number: int = self.stage.archive.column(f"SELECT count(*) FROM {rows}", post_id)[0]
        return number


@contextmanager
def lived_through(folder: Path, platform: str, steps: Sequence[Step]) -> Iterator[Lived]:
    """The world after these steps, and after all its exports and two more nights."""
    with STAGES[platform].open(folder) as stage:
        lived = Lived(stage)
        lived.do(Step("publish", 1))
        for step in steps:
            lived.do(step)
        lived.finish()
        yield lived
