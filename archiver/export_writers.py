"""What a plugin needs to add a format to `archiver export`: what it gives, and what it is given."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # each run knows this contract, and only exports make what it is about
    from archiver.saved_posts import PostRevision, SavedAccount, SavedFile, SavedPost


class PostSnapshot(Protocol):
    """The chosen posts of an archive at one moment, read as a stream.

    Everything may be asked for several times, and is the same each time. Posts come oldest first,
    those without a time before all others.
    """

    def accounts(self) -> "Iterator[SavedAccount]":
        """The accounts of the chosen posts, by name."""

    def posts(self) -> "Iterator[SavedPost]":
        """Every chosen post, with attachments, newest metrics and relations."""

    def revisions(self) -> "Iterator[PostRevision]":
        """Every revision of every chosen post: those of a post together, the first one first."""

    def of_account(self, account: int) -> "PostSnapshot":
        """The chosen posts of one account, by its `id`."""


class ExportTarget(Protocol):
    """The folder that an export is written into, which gets its name when it is complete.

    Names of files are relative to it, with `/` between their parts.
    """

    def note_missing(self, line: str) -> None:
        """Note a file that could not be included, and why; README.txt has these lines."""

    def write(self, name: str, pieces: Iterable[bytes]) -> None:
        """Write a file. Raises StorageError; PluginError for a name that leads elsewhere."""

    def add_media(self, name: str, file: "SavedFile") -> bool:
        """Copy a media file, whose `path` is not None; False where its bytes are damaged or lost.

        That is noted as `note_missing` does it. Raises as `write`.
        """

    def count_posts(self, count: int = 1) -> None:
        """Count so many more posts that are written, for the progress bar and README.txt."""


class ExportWriter(Protocol):
    """A format of `archiver export`."""

    @property
    def name(self) -> str:
        """Its name on the command line, one lower-case word."""

    @property
    def contents(self) -> Sequence[str]:
        """Lines that explain its files to whoever opens the folder; README.txt has them."""

    @property
    def is_public(self) -> bool:
        """Whether it is made to be published, so that it gets only what is public by default."""

    def write(self, snapshot: PostSnapshot, target: ExportTarget) -> None:
        """Write all posts of the snapshot. Raises what `target` raises."""
