"""`archiver fleet demo`: all of it on one machine, from nothing."""

from pathlib import Path

import pytest

from archiver.errors import UsageError
from archiver.fleet.demo import TENANTS, write_demo
from support.running import RunArchiver


@pytest.mark.peers
def test_the_demo_leaves_an_archive_for_each_tenant(
    run_archiver: RunArchiver, tmp_path: Path
) -> None:
    done = run_archiver("fleet", "demo", str(tmp_path / "fleet-demo"))
    assert done.returncode == 0, done.stderr
    assert "The demo is done: 3 tenants, 10 accounts" in done.stdout
    assert "rm -r" in done.stdout.splitlines()[-1], "what to do next is not said last"
    folders = [tmp_path / "fleet-demo" / tenant for tenant in TENANTS]
    assert all((folder / "archive.db").exists() for folder in folders)
    assert run_archiver("verify", folders[0]).returncode == 0
    with pytest.raises(UsageError, match="an earlier demo") as failure:
        write_demo(tmp_path / "fleet-demo", "")
    assert "rm -r" in str(failure.value)


def test_the_demo_takes_no_folder_with_files_of_others(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="not of a demo"):
        write_demo(tmp_path, "")
