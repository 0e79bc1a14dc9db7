"""The URL path of each page."""

import hashlib
from typing import Any

from archiver.browse.downloads import download, download_post
from archiver.browse.errors import no_such_page
from archiver.browse.evidence_sheet import evidence
from archiver.browse.frame import ASSETS, asset, asset_type
from archiver.browse.home import home
from archiver.browse.media import answer_bytes, media, thumb
from archiver.browse.memories import memories
from archiver.browse.missing import missing
from archiver.browse.numbers import numbers
from archiver.browse.post import post
from archiver.browse.post_metrics import metric
from archiver.browse.print_view import print_view
from archiver.browse.runs import runs
from archiver.browse.table_frame import post_of_attachment
from archiver.browse.threads import thread
from archiver.browse.timeline import gallery, timeline
from archiver.browse.viewer import viewer
from archiver.media.serving import send_error


async def assets(request: Any, send: Any) -> Any:
    """Our style sheets and scripts."""
    name = request.url_vars["name"]
    if name not in ASSETS:
        return await send_error(send, 404, "There is no such file")
    etag = f'"{hashlib.sha256(asset(name)).hexdigest()[:32]}"'
    return await answer_bytes(request, send, asset(name), asset_type(name), etag=etag)


ROUTES: dict[str, Any] = {
    r"/(?P<database>[^/.]+)/-/home$": home,
    r"/(?P<database>[^/.]+)/-/timeline$": timeline,
    r"/(?P<database>[^/.]+)/-/gallery$": gallery,
    r"/(?P<database>[^/.]+)/-/gallery/(?P<attachment>[0-9]{1,18})$": viewer,
    r"/(?P<database>[^/.]+)/-/post/(?P<post>[0-9]{1,18})$": post,
    r"/(?P<database>[^/.]+)/-/post/(?P<post>[0-9]{1,18})/metric$": metric,
    r"/(?P<database>[^/.]+)/-/post/(?P<post>[0-9]{1,18})\.(?P<form>csv|json|zip)$": download_post,
    r"/(?P<database>[^/.]+)/-/post/(?P<post>[0-9]{1,18})/evidence$": evidence,
    r"/(?P<database>[^/.]+)/-/print$": print_view,
    r"/(?P<database>[^/.]+)/-/posts\.(?P<form>csv|json|zip)$": download,
    r"/(?P<database>[^/.]+)/-/thread/(?P<post>[0-9]{1,18})$": thread,
    r"/(?P<database>[^/.]+)/-/numbers$": numbers,
    r"/(?P<database>[^/.]+)/-/attachment/(?P<attachment>[0-9]{1,18})$": post_of_attachment,
    r"/(?P<database>[^/.]+)/-/on-this-day$": memories,
    r"/(?P<database>[^/.]+)/-/missing$": missing,
    r"/(?P<database>[^/.]+)/-/runs$": runs,
    r"/(?P<database>[^/.]+)/-/media/(?P<sha256>[0-9a-f]{64})(/(?P<name>[^/]{1,600}))?$": media,
    r"/(?P<database>[^/.]+)/-/thumb/(?P<size>[sml])/(?P<sha256>[0-9a-f]{64})$": thumb,
    r"/(?P<database>[^/.]+)/-(/.*)?$": no_such_page,
    r"/-/archiver/[0-9a-f]{12}/(?P<name>[a-z.]+)$": assets,
}
"""Paths below Datasette's base URL, as regular expressions, and their views."""
