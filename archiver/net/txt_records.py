"""TXT records of DNS names, asked of the resolvers that the operating system is configured with."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

import anyio

from archiver.errors import MediaRefused, SourceDown
from archiver.net.guard import AddressGuard
from archiver.secrets import redact

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver

INSTALL = 'pip install "social-archiver[dns]"'

_SECONDS = 5.0
"""For one name, with all resolvers and retries, by the clock of the machine."""

_MOST_SECONDS = 2 * _SECONDS
"""By the event loop, should that clock be set back meanwhile."""


async def txt_records(
    name: str, guard: AddressGuard, resolver: "Resolver | None" = None
) -> Sequence[str]:
    """The TXT records of a name, each in one piece; empty where it has none.

    An answer has at most 64 KiB, as DNS over TCP does (RFC 1035 section 4.2.2). Without `resolver`,
    that of the operating system is asked. Raises SourceDown: with the code `address` for a name
    that may not be asked for, with `not_installed` where the extra is missing.
    """
    try:
        guard.check_lookup(name)
    except MediaRefused as error:
        _fail(name, error.why or "", hint=error.hint, code="address")
    try:
        from dns import asyncresolver, exception  # noqa: PLC0415 — an extra
        from dns.resolver import NXDOMAIN, NoAnswer  # noqa: PLC0415 — an extra
    except ImportError:
        _fail(name, "dnspython is not installed", hint=INSTALL, code="not_installed")
    try:
        with anyio.fail_after(_MOST_SECONDS):
            asked = resolver or asyncresolver.Resolver()
            found = await asked.resolve(f"{name.removesuffix('.')}.", "TXT", lifetime=_SECONDS)
    except (NXDOMAIN, NoAnswer):
        return ()
    except (TimeoutError, exception.Timeout):
        _fail(name, "No name server answers; is this machine online?")
    except (exception.DNSException, OSError) as error:
        _fail(name, str(error))
    return [b"".join(record.strings).decode("utf-8", "replace") for record in found]


def _fail(name: str, why: str, *, hint: str | None = None, code: str | None = None) -> NoReturn:
    raise SourceDown(f"DNS: {redact(name)} was not resolved", why=why, hint=hint, code=code)
