"""A server of files that an export links to."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from archiver.webserver import listen_on_loopback, origin_of, running


@dataclass
class ServedFiles:
    """Files by their paths; `asked` are the paths that were asked for."""

    base_url: str
    files: Mapping[str, bytes]
    asked: list[str] = field(default_factory=list)
    is_refusing: bool = False

    async def answer(self, request: Request) -> Response:
        self.asked.append(request.url.path)
        if self.is_refusing:
            return Response(status_code=403)
        data = self.files.get(request.url.path)
        return Response(status_code=404) if data is None else Response(data)


@contextmanager
def serve_files(files: Mapping[str, bytes]) -> Iterator[ServedFiles]:
    sockets = listen_on_loopback(0)
    served = ServedFiles(origin_of(sockets[0]), files)
    app = Starlette(routes=[Route("/{path:path}", served.answer)])
    with running(app, sockets, quiet=True):
        yield served
