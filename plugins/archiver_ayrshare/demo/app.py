"""The ASGI application: the API below `/api`, the media server everywhere else."""

from email.utils import format_datetime

from archiver import ApiRequest, AsgiApp, AsgiReceive, AsgiScope, AsgiSend
from archiver_ayrshare.demo.backend import WorldBackend
from archiver_ayrshare.demo.logs import ApiLog
from archiver_ayrshare.demo.media import MediaServer
from archiver_ayrshare.demo.world import World
from archiver_ayrshare.emulation.history_api import HistoryApi
from archiver_ayrshare.emulation.wire import headers_of, params_of, respond

_BASE = "/api"


class ApiServer:
    """The history API of a world, over HTTP."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._backend = WorldBackend(world)
        self._api = HistoryApi(self._backend)

    async def __call__(self, scope: AsgiScope, _receive: AsgiReceive, send: AsgiSend) -> None:
        """Answer one request below `/api`, and log it."""
        path = scope["path"].removeprefix(_BASE).lstrip("/")
        headers, params = headers_of(scope), tuple(params_of(scope))
        request = ApiRequest(scope["method"], path, params, headers)
        with self._world.lock:
            answer = self._api.answer(request)
            rate = self._backend.rate_headers(headers.get("profile-key", ""))
            now, sent = self._world.now(), len(answer.body)
            self._world.api_requests.append(
                ApiLog(now, request.method, path, dict(params), headers, answer.status, sent)
            )
            dated = {"date": format_datetime(now, usegmt=True)} if self._world.dates else {}
        kind = {"content-type": "application/json; charset=utf-8"}
        heads = {**kind, **dated, **rate, **answer.headers}
        await respond(scope, send, answer.status, heads, answer.body)


def application(world: World) -> AsgiApp:
    """Both, as one application."""
    api, media = ApiServer(world), MediaServer(world)

    async def route(scope: AsgiScope, receive: AsgiReceive, send: AsgiSend) -> None:
        is_api = scope["path"] == _BASE or scope["path"].startswith(f"{_BASE}/")
        await (api if is_api else media)(scope, receive, send)

    return route
