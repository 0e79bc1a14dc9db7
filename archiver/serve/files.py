"""Media of an archive over HTTP: by hash alone, from the folder of media, in ranges."""

import re
import sqlite3
import stat
from pathlib import Path

from starlette.responses import FileResponse, Response

_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_SHOWN = ("image/", "video/", "audio/")
_SAFE = {
    "cache-control": "private, max-age=31536000, immutable",
    "content-security-policy": "default-src 'none'; sandbox",
    "x-content-type-options": "nosniff",
}


def file_response(
    connection: sqlite3.Connection, directory: Path, sha256: str, known: str | None
) -> Response:
    """The file of that hash; `known` is the request's If-None-Match.

    What is neither picture, film nor sound is given as a download. The row is not believed in
    where it points: an archive may come from anywhere.
    """
    row = connection.execute(
        "SELECT path, content_type FROM media WHERE sha256 = ?", (sha256,)
    ).fetchone()
    if row is None or not _SHA256.fullmatch(sha256) or not _is_ours(row[0], sha256):
        return _absent()
    path, content_type = directory / row[0], row[1]
    try:
        status = path.lstat()
    except OSError:
        return _absent()
    if not stat.S_ISREG(status.st_mode):
        return _absent()
    headers = {**_SAFE, "etag": f'"{sha256}"'}
    if known is not None and headers["etag"] in known:
        return Response(status_code=304, headers=headers)
    if not content_type.startswith(_SHOWN):
        headers["content-disposition"] = f'attachment; filename="{path.name}"'
    return FileResponse(path, media_type=content_type, headers=headers, stat_result=status)


def _is_ours(path: str, sha256: str) -> bool:
    return re.fullmatch(rf"media/{sha256[:2]}/{sha256}\.[a-z0-9]{{1,8}}", path) is not None


def _absent() -> Response:
    return Response("There is no such file here.", 404, media_type="text/plain")
