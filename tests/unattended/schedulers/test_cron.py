"""Lines of a crontab, which belongs to others too."""

from pathlib import Path

from archiver.unattended.schedulers import cron
from support.schedules import job_in

OTHERS = "MAILTO=you@example.com\n5 4 * * * /usr/bin/other % of\n"


def test_a_night_and_what_was_missed_while_the_machine_was_off(tmp_path: Path) -> None:
    job = job_in(tmp_path, program=("/usr/bin/archiver",), hour=3)
    command = f"/usr/bin/archiver -q --config {tmp_path}/archive.toml backup"
    assert cron.lines(job).splitlines()[1:3] == [f"17 3 * * * {command}", f"@reboot {command}"]


def test_every_hour_is_one_line_for_what_is_due(tmp_path: Path) -> None:
    job = job_in(tmp_path, program=("/usr/bin/archiver",), minutes=50)
    command = f"/usr/bin/archiver -q --config {tmp_path}/archive.toml backup --due --minutes 50"
    assert cron.lines(job).splitlines()[1:-1] == [f"17 * * * * {command}"]


def test_the_lines_of_others_stay_as_they_are(tmp_path: Path) -> None:
    job = job_in(tmp_path)
    both = cron.with_lines(OTHERS, job)
    assert both == OTHERS + cron.lines(job)
    assert cron.own_lines(both, "archiver") == cron.lines(job)
    assert cron.without_lines(both, "archiver") == OTHERS
    assert cron.own_lines(OTHERS, "archiver") == ""


def test_installing_again_replaces_and_another_name_adds(tmp_path: Path) -> None:
    first, later = job_in(tmp_path, hour=3), job_in(tmp_path, hour=5)
    other = job_in(tmp_path, name="archiver-2")
    crontab = cron.with_lines(cron.with_lines(cron.with_lines(OTHERS, first), other), later)
    assert crontab == OTHERS + cron.lines(other) + cron.lines(later)
    assert cron.without_lines(crontab, "archiver") == OTHERS + cron.lines(other)


def test_a_percent_sign_is_no_new_line(tmp_path: Path) -> None:
    lines = cron.lines(job_in(tmp_path / "100 %"))
    assert lines.count("%") == lines.count("\\%") == 1


def test_on_mains_asks_the_machine_where_it_can_be_asked(tmp_path: Path) -> None:
    assert "on_ac_power" in cron.lines(job_in(tmp_path, on_mains=True))
    assert "on_ac_power" not in cron.lines(job_in(tmp_path))
