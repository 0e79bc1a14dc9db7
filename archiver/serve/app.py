"""The ASGI application: media where a request names a hash, the API below `/api`."""

import logging
import re
from collections.abc import Mapping

from anyio import to_thread
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from archiver.archive.database import reader
from archiver.errors import StorageError
from archiver.serve.addresses import PARAMETER
from archiver.serve.files import file_response
from archiver.serve.library import ArchiveLibrary, Serving
from archiver_ayrshare.emulation.answers import ApiAnswer, error_body
from archiver_ayrshare.emulation.history_api import ApiRequest, HistoryApi
from archiver_ayrshare.emulation.wire import headers_of, params_of

log = logging.getLogger(__name__)

_HOST = re.compile(r"[\w.\[\]:-]{1,255}", re.ASCII)


class ArchiveServer:
    """The history API of an archive, over HTTP."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; the archive is read in a thread, on a connection of its own."""
        headers, params = headers_of(scope), params_of(scope)
        path, sha256 = scope["path"], dict(params).get(PARAMETER)
        if self._serving.media and sha256 is not None and scope["method"] in {"GET", "HEAD"}:
            respond = await to_thread.run_sync(self._file, sha256, headers)
        else:
            inside = path.startswith("/api/")
            name = path.removeprefix("/api/") if inside else ""
            request = ApiRequest(scope["method"], name, tuple(params), headers)
            respond = await to_thread.run_sync(self._answer, request, _origin(scope, headers))
        await respond(scope, receive, send)

    def _answer(self, request: ApiRequest, origin: str) -> Response:
        try:
            with reader(self._serving.directory) as connection:
                connection.execute("BEGIN")  # one state of the archive for all of one answer
                library = ArchiveLibrary(connection, self._serving, origin)
                answer = HistoryApi(library, lenient=True).answer(request)
        except StorageError as error:
            log.warning("A request could not be answered: %s", error)
            answer = ApiAnswer(503, error_body(503, "The archive cannot be read just now."))
        heads = {"content-type": "application/json; charset=utf-8", "cache-control": "no-store"}
        return Response(answer.content(), answer.status, {**heads, **answer.headers})

    def _file(self, sha256: str, headers: Mapping[str, str]) -> Response:
        directory = self._serving.directory
        try:
            with reader(directory) as connection:
                return file_response(connection, directory, sha256, headers.get("if-none-match"))
        except StorageError as error:
            log.warning("A file could not be given out: %s", error)
            return Response("The archive cannot be read just now.", 503, media_type="text/plain")


def application(serving: Serving) -> ASGIApp:
    """The application."""
    return ArchiveServer(serving)


def _origin(scope: Scope, headers: Mapping[str, str]) -> str:
    """How the client calls this server, so that it can follow the addresses it is given."""
    host = headers.get("host", "")
    if not _HOST.fullmatch(host):
        name, port = scope["server"]
        host = f"{name}:{port}"
    return f"{scope['scheme']}://{host}"
