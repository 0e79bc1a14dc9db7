"""The backup of a tenant, against the demo's world."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from archiver.archive.database import reader
from archiver.evidence.files import MediaRow, check_file
from archiver.fleet import tenant_archive, versions
from archiver.fleet.database import LeaseLost, connected, take_lease
from archiver.fleet.settings import load_fleet
from archiver.fleet.storage import open_storage
from archiver.fleet.tenant_backup import TenantJob, run_job
from support.erasing import erase_where
from support.fleet.fleets import FleetBench
from support.fleet.moto import moto_server
from support.fleet.objects import objects_with
from support.time_stamping import Authority

pytestmark = pytest.mark.peers


def test_another_machine_goes_on_from_what_was_put_back(
    fleet: FleetBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two machines without a common folder: what one put into the bucket, the other one has."""
    monkeypatch.setenv("STORE_KEY", "any key will do")
    first, second = fleet.add("acme", 2)
    with moto_server(tmp_path) as server:
        server.bucket("fleet")
        here, there = (
            str(fleet.at(tmp_path / name, "s3://fleet-media/tenants", server.origin))
            for name in ("here", "there")
        )
        run_job(replace(fleet.job("acme", first), fleet=here))
        run_job(replace(fleet.job("acme", second), fleet=there))
        assert not (tmp_path / "here" / "acme" / "media").exists()
        media = open_storage(load_fleet(Path(there)), "acme").media
        with reader(tmp_path / "there" / "acme") as connection:
            names = {name for (name,) in connection.execute("SELECT name FROM accounts")}
            rows = connection.execute("SELECT sha256, path, size, NULL FROM media").fetchall()
            assert len(rows) > 1
            assert [check_file(media, MediaRow(*row)) for row in rows] == [None] * len(rows)
    assert names == {first.name, second.name}
    assert fleet.rows()["acme"].version == 2


def test_a_job_that_is_repeated_does_only_what_is_left(fleet: FleetBench) -> None:
    first, second = fleet.add("acme", 2)
    job = fleet.job("acme", first, second)
    run_job(replace(job, accounts=(first.name,)))
    tried_at = fleet.account_rows()[first.name].tried_at
    run_job(job)
    rows = fleet.account_rows()
    assert rows[first.name].tried_at == tried_at
    assert rows[second.name].outcome == "done"


def test_a_worker_that_wakes_up_late_changes_nothing(
    fleet: FleetBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one takes the tenant between its run and the moment when it puts it back."""
    (account,) = fleet.add("acme")
    save = versions.save_version

    def save_late(*given: object, **named: object) -> object:
        with connected(fleet.address) as connection:
            assert take_lease(connection, "acme", "another worker") is not None
        return save(*given, **named)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(tenant_archive, "save_version", save_late)
    with pytest.raises(LeaseLost):
        run_job(fleet.job("acme", account))
    row = fleet.rows()["acme"]
    assert (row.version, row.holder, row.good) == (0, "another worker", 0)


def test_an_account_that_fails_does_not_stop_the_next(fleet: FleetBench) -> None:
    first, second = fleet.add("acme", 2)
    with connected(fleet.address) as connection:
        connection.execute(
            "UPDATE fleet.accounts SET options = %s WHERE name = %s",
            ('{"profile_key": "env:NOT_SET_ANYWHERE"}', first.name),
        )
    run_job(fleet.job("acme", first, second))
    rows = fleet.account_rows()
    assert rows[first.name].error_code == "secret"
    assert rows[first.name].failures == 1
    assert rows[second.name].outcome == "done"


def test_the_process_does_its_job_and_holds_no_secret_in_it(fleet: FleetBench) -> None:
    (account,) = fleet.add("acme")
    job = fleet.job("acme", account)
    assert TenantJob.from_json(job.as_json()) == job
    assert fleet.address not in job.as_json()
    done = subprocess.run(
        [sys.executable, "-m", "archiver.fleet.tenant_backup"], input=job.as_json(), text=True,
        capture_output=True, check=False, timeout=300,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert fleet.account_rows()[account.name].outcome == "done"


def test_a_checkpoint_is_given_away_and_stamped_after_the_job(
    fleet: FleetBench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And where no authority answers, that is told, and the job is done all the same."""
    (account,) = fleet.add("acme")
    settings = load_fleet(fleet.file)
    authority, copies = Authority(tmp_path / "authority", status=503), tmp_path / "copies"
    with authority.served() as address, settings.settings.open("a") as file:
        file.write(f'\n[evidence]\ncheckpoint_copies = ["{copies}"]\ntimestamp = ["{address}"]\n')
        file.write(f'timestamp_roots = "{authority.root}"\n')
        file.flush()
        run_job(fleet.job("acme", account))
        assert "was not stamped" in capsys.readouterr().err
        assert (len(list(copies.iterdir())), fleet.rows()["acme"].version) == (1, 1)
        authority.status = 200
        run_job(fleet.job("acme", account, asked_at="2020-01-01T00:00:00+00:00"))
    assert sorted(path.suffix for path in copies.iterdir()) == [".checkpoint", ".tsr"]
    assert fleet.rows()["acme"].version == 2
    with reader(open_storage(settings, "acme").directory) as connection:
        assert connection.execute("SELECT count(*) FROM time_stamps").fetchone() == (1,)
    assert fleet.account_rows()[account.name].outcome == "done"


def test_what_is_erased_goes_from_older_versions_though_a_worker_was_killed(
    fleet: FleetBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store has the erased version on record before anything of the older ones goes."""
    (account,) = fleet.add("acme")
    run_job(fleet.job("acme", account))
    run_job(fleet.job("acme", account))
    storage = open_storage(load_fleet(fleet.file), "acme")
    with reader(storage.directory) as archive:
        query = "SELECT text FROM posts WHERE length(text) > 20 ORDER BY id LIMIT 1"
        text = archive.execute(query).fetchone()[0]
    erase_where(storage.directory, "id IN (SELECT id FROM posts WHERE text = (" + query + "))")
    held = objects_with(storage.bucket, text.encode())
    assert held
    assert {name.partition("/")[0] for name in held} == {"versions"}

    def killed(*_: object) -> None:
        assert objects_with(storage.bucket, text.encode()) == held
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(tenant_archive, "remove_old_versions", killed)
        with pytest.raises(KeyboardInterrupt):
            run_job(fleet.job("acme", account))
    assert fleet.rows()["acme"].version == 3
    run_job(fleet.job("acme", account))
    assert objects_with(storage.bucket, text.encode()) == []
    assert fleet.rows()["acme"].version == 4
