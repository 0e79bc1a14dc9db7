"""The ASGI application: the API below `/api`, the media server everywhere else."""

from email.utils import format_datetime

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from archiver.api.manners import ApiRequest, HistoryApi
from archiver.api.wire import headers_of, params_of
from archiver.demo.library import WorldLibrary
from archiver.demo.logs import ApiLog
from archiver.demo.media import MediaServer
from archiver.demo.world import World


class ApiServer:
    """The history API of a world, over HTTP."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._library = WorldLibrary(world)
        self._manners = HistoryApi(self._library)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, and write it down."""
        path = scope["path"].removeprefix(scope.get("root_path", "")).lstrip("/")
        headers, params = headers_of(scope), tuple(params_of(scope))
        request = ApiRequest(scope["method"], path, params, headers)
        with self._world.lock:
            answer = self._manners.answer(request)
            content = answer.content()
            rate = self._library.rate_headers(headers.get("profile-key", ""))
            self._world.api_requests.append(
                ApiLog(
                    self._world.now(),
                    request.method,
                    path,
                    dict(params),
                    headers,
                    answer.status,
                    len(content),
                )
            )
            dated = {"date": format_datetime(self._world.now(), usegmt=True)}
        kind = {"content-type": "application/json; charset=utf-8"}
        heads = {**kind, **(dated if self._world.dates else {}), **rate, **answer.headers}
        await Response(content, answer.status, heads)(scope, receive, send)


def application(world: World) -> Starlette:
    """Both, as one application."""
    return Starlette(
        routes=[Mount("/api", app=ApiServer(world)), Mount("/", app=MediaServer(world))]
    )
