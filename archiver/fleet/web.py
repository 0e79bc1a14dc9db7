"""The page of a fleet, and its metrics, for a browser and for Prometheus."""

from datetime import timedelta

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from archiver.errors import StorageError
from archiver.fleet.database import connected
from archiver.fleet.overview import FleetState, fleet_state, metrics, page

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def fleet_app(address: str, silent_after: timedelta) -> Starlette:
    """`/` for people, `/metrics` for Prometheus, `/status.json` for programs; nothing else."""

    def read() -> FleetState:
        with connected(address) as connection:
            return fleet_state(connection, silent_after)

    async def answer(request: Request) -> Response:
        try:
            state = await run_in_threadpool(read)
        except StorageError as error:
            return PlainTextResponse(f"{error.what}\n", 503, _HEADERS)
        match request.url.path:
            case "/metrics":
                kind = "text/plain; version=0.0.4"
                return PlainTextResponse(metrics(state), headers=_HEADERS, media_type=kind)
            case "/status.json":
                return JSONResponse(state.as_json(), headers=_HEADERS)
            case _:
                return HTMLResponse(page(state), headers=_HEADERS)

    return Starlette(routes=[Route(path, answer) for path in ("/", "/metrics", "/status.json")])
