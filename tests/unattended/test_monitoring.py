"""One line for monitoring plugins, and metrics for Prometheus."""

import re
from datetime import UTC, datetime

import pytest

from archiver.unattended.care_log import CareEntry
from archiver.unattended.health import AccountHealth, ArchiveHealth, Concern, Severity
from archiver.unattended.monitoring import check_line, prometheus_text, worst

NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)
AT = "2026-03-03T09:00:00.000Z"
SECONDS = 1_772_528_400
HEALTH = ArchiveHealth(
    AT, 0,
    [AccountHealth("acme", AT, "done", None, AT), AccountHealth('o"d\\d')],
    [CareEntry("copy", AT, "done", 3, 30, target="/mnt/copy"), CareEntry("verify", AT, "done", 3)],
    1_204, 3_100_000_000,
)  # fmt: skip


def concern(severity: Severity, text: str = "acme failed") -> Concern:
    return Concern("failed:acme", severity, text)


def test_all_well_is_one_line_with_what_there_is() -> None:
    line = check_line(HEALTH, [], NOW)
    assert line == "ARCHIVER OK: last run 3 hours ago, 2 accounts, 1,204 files (3.1 GB)"


def test_the_worst_decides_and_the_unknown_hides_no_problem() -> None:
    assert worst([]) is Severity.OK
    assert worst([concern(Severity.UNKNOWN)]) is Severity.UNKNOWN
    assert worst([concern(Severity.UNKNOWN), concern(Severity.WARNING)]) is Severity.WARNING
    assert worst(map(concern, Severity)) is Severity.CRITICAL


def test_many_concerns_are_one_line_too_without_performance_data() -> None:
    texts = ["one | two", "three", "four", "five", "six"]
    line = check_line(HEALTH, [concern(Severity.CRITICAL, text) for text in texts], NOW)
    assert line == "ARCHIVER CRITICAL: one / two; three; four; 2 more"


_SAMPLE = re.compile(r'^[a-z_]+(\{[a-z]+="(\\.|[^"\\\n])*"(,[a-z]+="(\\.|[^"\\\n])*")*\})? -?\d+$')


def test_metrics_are_in_the_text_format_and_leave_out_what_is_unknown() -> None:
    lines = prometheus_text(HEALTH, [concern(Severity.WARNING)]).splitlines()
    samples = [line for line in lines if not line.startswith("#")]
    assert [line for line in samples if not _SAMPLE.match(line)] == []
    assert samples == [
        f"archiver_last_run_timestamp_seconds {SECONDS}",
        "archiver_last_run_exit_code 0",
        f'archiver_last_good_timestamp_seconds{{account="acme",stream="posts"}} {SECONDS}',
        f'archiver_last_good_timestamp_seconds{{account="acme",stream="stories"}} {SECONDS}',
        f'archiver_last_care_timestamp_seconds{{what="copy",target="/mnt/copy"}} {SECONDS}',
        f'archiver_last_care_timestamp_seconds{{what="verify"}} {SECONDS}',
        'archiver_integrity_errors{what="copy",target="/mnt/copy"} 0',
        'archiver_integrity_errors{what="verify"} 0',
        "archiver_files 1204",
        "archiver_media_bytes 3100000000",
        'archiver_concerns{severity="warning"} 1',
        'archiver_concerns{severity="critical"} 0',
    ]
    for name in {sample.partition("{")[0].partition(" ")[0] for sample in samples}:
        assert lines.count(f"# TYPE {name} gauge") == 1


@pytest.mark.parametrize("label", ['o"d', "o\\d", "o\nd"])
def test_no_label_breaks_out_of_its_quotes(label: str) -> None:
    health = ArchiveHealth(None, None, [AccountHealth(label, AT)], [], 0, 0)
    lines = prometheus_text(health, []).splitlines()
    (line,) = [line for line in lines if line.startswith("archiver_last_good")]
    assert _SAMPLE.match(line)
