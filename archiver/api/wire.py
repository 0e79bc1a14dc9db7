"""What an application that answers the API needs of HTTP."""

from collections.abc import Iterator
from urllib.parse import parse_qsl

from starlette.types import Scope


def headers_of(scope: Scope) -> dict[str, str]:
    """The request's headers, names in lower case."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in _raw(scope)}


def params_of(scope: Scope) -> list[tuple[str, str]]:
    """The query's pairs, decoded, in order."""
    return parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)


def _raw(scope: Scope) -> Iterator[tuple[bytes, bytes]]:
    yield from scope["headers"]
