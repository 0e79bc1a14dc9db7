"""`accounts.json`: the accounts of an export's posts, what they called themselves, and pictures.

It also says which format the export has, so that who reads it knows what to expect.
"""

import json
from typing import Any

from archiver.archive.row_objects import mappings
from archiver.export.folder import ExportFolder
from archiver.export.snapshot import Snapshot
from archiver.saved_posts import ACCOUNTS_FILE, LINES_FORMAT, SavedFile
from archiver.version import version

_PROFILES = """
    SELECT source, seen_at, handle, title, url, description, avatar, banner FROM account_profiles
     WHERE account_id = :account AND seen_at <= :moment ORDER BY id
"""
_PICTURES = """
    SELECT account_pictures.source, account_pictures.kind, media_key, state, reason_code, reason,
           account_pictures.first_seen_at, content_type, width, height, sha256, path, size
      FROM account_pictures
      LEFT JOIN media ON sha256 = media_sha256 AND state = 'stored' AND lost_at IS NULL
     WHERE account_id = :account AND account_pictures.first_seen_at <= :moment
     ORDER BY account_pictures.id
"""


def write_accounts(snapshot: Snapshot, folder: ExportFolder) -> None:
    """Write the file, and the pictures of the accounts. Raises StorageError."""
    about = {"format": LINES_FORMAT, "made_by": f"archiver {version()}"}
    accounts = [_account(snapshot, folder, each.id) for each in snapshot.accounts()]
    text = json.dumps({**about, "accounts": accounts}, ensure_ascii=False, indent=1)
    folder.write(ACCOUNTS_FILE, [text.encode("utf-8", "backslashreplace"), b"\n"])


def _account(snapshot: Snapshot, folder: ExportFolder, account_id: int) -> dict[str, Any]:
    wanted = {"account": account_id, "moment": snapshot.moment or "9"}
    names = "name, platform, platform_id, handle, title, url, first_seen_at"
    query = f"SELECT {names} FROM accounts WHERE id = :account"
    (found,) = mappings(snapshot.connection.execute(query, wanted))
    profiles = list(mappings(snapshot.connection.execute(_PROFILES, wanted)))
    pictures = list(mappings(snapshot.connection.execute(_PICTURES, wanted)))
    for each in pictures:
        if each["path"] is not None:
            folder.add_media(each["path"], _file(each))
        del each["size"]
    return {**found, "profiles": profiles, "pictures": pictures}


def _file(row: dict[str, Any]) -> SavedFile:
    """The file of a picture, as files of posts are given to the folder."""
    names = (
        "state", "reason_code", "reason", "content_type", "width", "height", "sha256", "path",
        "size",
    )  # fmt: skip
    return SavedFile(
        id=0, attachment_id=0, role="original", bitrate=None, duration_ms=None,
        **{name: row[name] for name in names},
    )  # fmt: skip
