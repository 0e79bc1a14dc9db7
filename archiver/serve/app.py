"""The ASGI application: media where a request names a hash, the API below `/api`."""

import json
import logging
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

from anyio import to_thread
from starlette.responses import Response

from archiver.apis import AsgiApp, AsgiReceive, AsgiScope, AsgiSend
from archiver.archive.database import reader
from archiver.errors import StorageError
from archiver.media.folder_store import FolderStore
from archiver.serve.addresses import PARAMETER
from archiver.serve.files import answer_with_file
from archiver.serve.histories import ArchiveHistories, Serving
from archiver.served_records import ApiAnswer, ApiRequest

log = logging.getLogger(__name__)

_UNREADABLE = "The archive cannot be read just now."
_UNREADABLE_JSON = json.dumps({"status": "error", "code": 503, "message": _UNREADABLE}).encode()
_HOST = re.compile(r"[\w.\[\]:-]{1,255}", re.ASCII)


class ArchiveServer:
    """An API answered from an archive, over HTTP."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving

    async def __call__(self, scope: AsgiScope, receive: AsgiReceive, send: AsgiSend) -> None:
        """Answer one request; the archive is read in a thread, on a connection of its own."""
        headers, params = _headers(scope), _params(scope)
        path, sha256 = scope["path"], dict(params).get(PARAMETER)
        if self._serving.media and sha256 is not None and scope["method"] in {"GET", "HEAD"}:
            serving = self._serving
            store = serving.store or FolderStore(serving.directory)
            await answer_with_file(
                scope["method"], headers, receive, send, serving.directory, store, sha256
            )  # fmt: skip
            return
        inside = path.startswith("/api/")
        name = path.removeprefix("/api/") if inside else ""
        request = ApiRequest(scope["method"], name, tuple(params), headers)
        respond = await to_thread.run_sync(self._answer, request, _origin(scope, headers))
        await respond(scope, receive, send)

    def _answer(self, request: ApiRequest, origin: str) -> Response:
        try:
            with reader(self._serving.directory) as connection:
                connection.execute("BEGIN")  # one state of the archive for all of one answer
                histories = ArchiveHistories(connection, self._serving, origin)
                answer = self._serving.answer(request, histories)
        except StorageError as error:
            log.warning("A request could not be answered: %s", error)
            answer = ApiAnswer(503, _UNREADABLE_JSON)
        heads = {"content-type": "application/json; charset=utf-8", "cache-control": "no-store"}
        return Response(answer.body, answer.status, {**heads, **answer.headers})


def application(serving: Serving) -> AsgiApp:
    """The application."""
    return ArchiveServer(serving)


def _origin(scope: AsgiScope, headers: Mapping[str, str]) -> str:
    """How the client calls this server, so that it can follow the addresses it is given."""
    host = headers.get("host", "")
    if not _HOST.fullmatch(host):
        name, port = scope["server"]
        host = f"{name}:{port}"
    return f"{scope['scheme']}://{host}"


def _headers(scope: AsgiScope) -> dict[str, str]:
    """The request's headers, names in lower case."""
    return {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
    }


def _params(scope: AsgiScope) -> list[tuple[str, str]]:
    """The query's pairs, decoded, in order."""
    return parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
