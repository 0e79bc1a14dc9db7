"""The health of an archive as monitoring systems read it: one line, or Prometheus text."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from archiver.human import ago, counted, parse_time, size_text
from archiver.unattended.health import ArchiveHealth, Concern, Severity

_MAX_SHOWN = 3
_IN_LABELS = {"\\": r"\\", '"': r"\"", "\n": r"\n"}


def worst(concerns: Iterable[Concern]) -> Severity:
    """The severity of the whole: a known problem counts more than an unknown state."""
    found = {concern.severity for concern in concerns}
    order = (Severity.CRITICAL, Severity.WARNING, Severity.UNKNOWN)
    return next((severity for severity in order if severity in found), Severity.OK)


def check_line(health: ArchiveHealth, concerns: Sequence[Concern], now: datetime) -> str:
    """One line, such as `ARCHIVER OK: last run 3 hours ago, 2 accounts, 12 files`.

    Source: https://www.monitoring-plugins.org/doc/guidelines.html
    """
    head = f"ARCHIVER {worst(concerns).name}"
    if not concerns:
        accounts = counted(len(health.accounts), "account")
        size = f"{counted(health.files, 'file')} ({size_text(health.size)})"
        return f"{head}: last run {ago(health.run_started, now)}, {accounts}, {size}"
    texts = [concern.text for concern in concerns]
    more = [f"{len(texts) - _MAX_SHOWN} more"] if len(texts) > _MAX_SHOWN else []
    line = "; ".join([*texts[:_MAX_SHOWN], *more])
    return f"{head}: {line.replace('|', '/')}"  # what follows a bar is performance data


def prometheus_text(health: ArchiveHealth, concerns: Sequence[Concern]) -> str:
    """The metrics in Prometheus's text format; what is not known is left out.

    Source: https://prometheus.io/docs/instrumenting/exposition_formats/
    """
    lines: list[str] = []
    for name, text, samples in _metrics(health, concerns):
        found = [(labels, value) for labels, value in samples if value is not None]
        if found:
            lines += [f"# HELP {name} {text}", f"# TYPE {name} gauge"]
            lines += [f"{name}{_labels(labels)} {value}" for labels, value in found]
    return "\n".join(lines)


_Samples = list[tuple[dict[str, str], int | None]]


def _metrics(
    health: ArchiveHealth, concerns: Sequence[Concern]
) -> Iterator[tuple[str, str, _Samples]]:
    yield (
        "archiver_last_run_timestamp_seconds", "When the last backup began.",
        [({}, _seconds(health.run_started))],
    )  # fmt: skip
    yield "archiver_last_run_exit_code", "Its exit code.", [({}, health.exit_code)]
    good: _Samples = []
    for account in health.accounts:
        streams = (("posts", account.last_good), ("stories", account.stories_at))
        good += [
            ({"account": account.name, "stream": stream}, _seconds(moment))
            for stream, moment in streams
        ]
    yield (
        "archiver_last_good_timestamp_seconds", "When a stream of an account was last read well.",
        good,
    )  # fmt: skip
    care = [entry for entry in health.care if entry.outcome != "failed"]
    yield (
        "archiver_last_care_timestamp_seconds", "When the archive was last looked after.",
        [(_care_labels(entry.what, entry.target), _seconds(entry.finished_at)) for entry in care],
    )  # fmt: skip
    yield (
        "archiver_integrity_errors", "Damage that the last verify or copy found.",
        [(_care_labels(entry.what, entry.target), entry.damaged) for entry in care],
    )  # fmt: skip
    yield "archiver_files", "Media files in the archive.", [({}, health.files)]
    yield "archiver_media_bytes", "Their size.", [({}, health.size)]
    counts: _Samples = [
        (
            {"severity": severity.name.lower()},
            sum(concern.severity is severity for concern in concerns),
        )
        for severity in (Severity.WARNING, Severity.CRITICAL)
    ]
    yield "archiver_concerns", "What somebody should look at; see archiver status --check.", counts


def _care_labels(what: str, target: str | None) -> dict[str, str]:
    return {"what": what} if target is None else {"what": what, "target": target}


def _seconds(moment: str | None) -> int | None:
    parsed = parse_time(moment)
    return None if parsed is None else int(parsed.timestamp())


def _labels(labels: dict[str, str]) -> str:
    if not labels:
        return ""
    pairs = (f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return "{" + ",".join(pairs) + "}"


def _escaped(value: str) -> str:
    return re.sub(r'[\\"\n]', lambda match: _IN_LABELS[match[0]], value)
