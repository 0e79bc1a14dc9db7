"""Dates on the command line: a day, a month, a year or a time, in UTC unless they say otherwise."""

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    _DatetimeType = click.ParamType[datetime]
else:
    _DatetimeType = click.ParamType  # older versions of Click do not say what it gives

_PARTIAL = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?", re.ASCII)


class Date(_DatetimeType):
    """Gives the moment at which what was written begins: `2026` is the first of January."""

    name = "date"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """The moment, in UTC."""
        text = str(value).strip()
        try:
            if match := _PARTIAL.fullmatch(text):
                year, month, day = (int(part or 1) for part in match.groups())
                return datetime(year, month, day, tzinfo=UTC)
            moment = datetime.fromisoformat(text)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(
                f'"{text}" is not a date. Write 2026-03-17, 2026-03 or 2026-03-17T12:00.',
                param, ctx,
            )  # fmt: skip
