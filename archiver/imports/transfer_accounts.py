"""`accounts.json` of `jsonl` and `bagit` exports: their format, and names of accounts."""

from collections.abc import Mapping
from typing import Any

import msgspec

from archiver.archive.transfer import TransferredAccount
from archiver.errors import PackageError
from archiver.imports.package import OpenPackage
from archiver.saved_posts import ACCOUNTS_FILE, LINES_FORMAT

_LARGEST = 64 << 20  # bytes


class _Profile(msgspec.Struct):
    source: str
    seen_at: str
    handle: str | None
    title: str | None
    url: str | None
    description: str | None
    avatar: str | None
    banner: str | None


class _Picture(msgspec.Struct):
    source: str
    kind: str
    media_key: str
    state: str
    reason_code: str | None
    reason: str | None
    first_seen_at: str
    sha256: str | None
    path: str | None


class _Account(msgspec.Struct):
    name: str
    platform: str
    platform_id: str | None
    handle: str | None
    title: str | None
    url: str | None
    first_seen_at: str
    profiles: list[_Profile]
    pictures: list[_Picture]


class _Format(msgspec.Struct):
    format: int
    made_by: str = "archiver"


class _AccountsFile(msgspec.Struct):
    accounts: list[_Account]


def refuse_newer_format(package: OpenPackage) -> None:
    """Raise PackageError for an export in a format that a later version of archiver brought."""
    for name in package.find(ACCOUNTS_FILE):
        about = _about(package, name)
        if about is not None and about.format > LINES_FORMAT:
            raise PackageError(
                f"{name} was written by a newer version of archiver",
                why=f"Its format is number {about.format}, by {about.made_by[:80]}, and this "
                f"version knows those up to {LINES_FORMAT}",
                kept="Nothing was imported",
                hint="Upgrade archiver to that version, or a newer one",
                code="other_version",
            )


def _about(package: OpenPackage, name: str) -> _Format | None:
    """The format of an export; None for a file of that name that is something else."""
    if package.size(name) > _LARGEST:
        return None
    with package.open(name) as file:
        try:
            return msgspec.json.decode(file.read(), type=_Format)
        except (msgspec.DecodeError, RecursionError):
            return None


def accounts_told(package: OpenPackage, folder: str) -> dict[tuple[str, str], TransferredAccount]:
    """The accounts by label and platform; none in an export of the first format.

    Raises PackageError for a file that cannot be read.
    """
    name = f"{folder}{ACCOUNTS_FILE}"
    if name not in package or _about(package, name) is None:
        return {}
    with package.open(name) as file:
        try:
            found = msgspec.json.decode(file.read(), type=_AccountsFile)
        except (msgspec.DecodeError, RecursionError) as error:
            raise PackageError(
                f"{name} cannot be read", why=str(error), kept="Nothing was imported",
                hint="Write the export again; its manifest-sha256.txt tells whether it is damaged",
                code="damaged",
            ) from error  # fmt: skip
    return {(each.name, each.platform): _transferred(each, folder) for each in found.accounts}


def _transferred(account: _Account, folder: str) -> TransferredAccount:
    row = msgspec.structs.asdict(account)
    del row["profiles"], row["pictures"]
    profiles = [msgspec.structs.asdict(each) for each in account.profiles]
    pictures = [_picture_row(each) for each in account.pictures]
    files = {
        each.sha256: f"{folder}{each.path}" for each in account.pictures
        if each.sha256 and each.path
    }  # fmt: skip
    return TransferredAccount(
        0, row, {"account_profiles": profiles, "account_pictures": pictures}, files
    )


def _picture_row(picture: _Picture) -> Mapping[str, Any]:
    row = msgspec.structs.asdict(picture)
    del row["path"]
    row["media_sha256"] = row.pop("sha256")
    nothing = {"expected_sha256": None, "setting": None, "next_try_at": None}
    return {**row, **nothing, "url": "", "tries": 0}
