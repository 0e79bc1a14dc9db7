"""Files of a package: copied into the store's `tmp/`, and checked as downloads are."""

import mimetypes
from collections.abc import Callable
from pathlib import Path

from archiver.errors import MediaError, PackageError
from archiver.imports.package import OpenPackage
from archiver.media.disk import CHUNK_SIZE
from archiver.media.download import Download, finish_download
from archiver.media.temp_file import TempFile

SAME_LENGTH = 1000
"""Milliseconds that the length of a film may differ from what its post says."""


def copy_file(
    package: OpenPackage,
    member: str,
    tmp: Path,
    on_bytes: Callable[[int], None],
    *,
    expects: str | None,
    content_type: str | None = None,
    duration_ms: int | None = None,
) -> Download:
    """A copy of a file of a package, in `tmp`.

    `expects` is the kind that it has to be, as of `expected_kind`, `content_type` what its post
    says, and `duration_ms` how long it has to be, where only its name says whose it is. No size is
    too large: it is on a disk of the user already. Raises MediaError, StorageError.
    """
    # what no signature tells is believed to be what its name says: nobody else will offer it
    declared = content_type or mimetypes.guess_type(member)[0] or ""
    with TempFile(tmp) as part:
        copy_into(part, package, member, on_bytes)
        download = finish_download(part, expects, {"content-type": declared}, proven=True)
    _check_length(download, duration_ms)
    return download


def copy_into(
    part: TempFile, package: OpenPackage, member: str, on_bytes: Callable[[int], object] = int
) -> None:
    """Write the bytes of a file of a package into `part`. Raises MediaError, StorageError."""
    try:
        with package.open(member) as file:
            while data := file.read(CHUNK_SIZE):
                part.write(data)
                on_bytes(len(data))
    except PackageError as error:
        raise MediaError(f"{member} could not be read", why=error.why, code="unreadable") from error


def _check_length(download: Download, duration_ms: int | None) -> None:
    """Raise MediaError for a film of another length; one whose length is not known is believed."""
    found = download.duration_ms
    if found is None or duration_ms is None:
        return
    if abs(found - duration_ms) > SAME_LENGTH:
        download.discard()
        raise MediaError(
            "It is another film",
            why=f"It has the title of the post, and is {found / 1000:.0f} s long, not "
            f"{duration_ms / 1000:.0f} s",
            code="not_in_package",
        )
