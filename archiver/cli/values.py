"""Types of values on the command line, with errors that explain what is expected."""

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    _DatetimeType = click.ParamType[datetime]
else:
    _DatetimeType = click.ParamType  # older versions of Click do not say what it gives

_PARTIAL = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?", re.ASCII)


class WholeNumber(click.IntRange):
    """A whole number of at least `min`, and at most `max` where there is one."""

    def fail(self, message: str, param: Any = None, ctx: Any = None) -> NoReturn:  # noqa: ARG002 — Click's words are of ranges
        """Raise BadParameter."""
        most = "or more" if self.max is None else f"to {self.max}"
        super().fail(f"It must be a whole number, {self.min} {most}.", param, ctx)


class Minutes(click.FloatRange):
    """A number of minutes, with or without a fraction."""

    def __init__(self) -> None:
        super().__init__(min=0)

    def fail(self, message: str, param: Any = None, ctx: Any = None) -> NoReturn:  # noqa: ARG002 — Click's words are of ranges
        """Raise BadParameter."""
        super().fail("It must be a number of minutes, such as 30 or 0.5.", param, ctx)


class Date(_DatetimeType):
    """A day, a month, a year or a time, in UTC unless it says otherwise.

    Gives the moment at which what was written begins: `2026` is the first of January.
    """

    name = "date"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Convert a date to a time in UTC."""
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
