"""What is on record of a tenant is shown and served, wherever it lies, while workers go on."""

import hashlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import obstore
import pytest

from archiver.archive.database import DATABASE, reader
from archiver.errors import StorageError, UsageError
from archiver.fleet import reading
from archiver.fleet.reading import read_tenant
from archiver.fleet.settings import load_fleet
from archiver.fleet.tenant_backup import run_job
from archiver.fleet.versions import read_version
from archiver.media.store import hash_in_path
from support.fleet.fleets import FleetBench
from support.fleet.machines import Machine

pytestmark = pytest.mark.peers

TOKEN = "a-token-from-the-environment"


def reading_folders(machine: Machine) -> list[Path]:
    return sorted(machine.storage().directory.glob("reading-*"))


def posts_in(directory: Path) -> int:
    with reader(directory) as connection:
        found: int = connection.execute("SELECT count(*) FROM posts").fetchone()[0]
        return found


def test_a_worker_goes_on_beside_a_reader_and_an_erasure_ends_it(
    bucket_machines: list[Machine], fleet: FleetBench
) -> None:
    """Whoever begins to read later sees what the worker put there meanwhile."""
    one, _ = bucket_machines
    (account,) = fleet.accounts[:1]
    own = one.storage().directory
    with read_tenant(load_fleet(one.file), "acme") as found:
        folder = found.config.archive.directory
        assert folder.parent == own
        assert found.version == 1
        assert [entry.name for entry in found.config.accounts] == [account.name]
        shown = (folder / DATABASE).read_bytes()
        run_job(replace(fleet.job("acme", account), fleet=str(one.file)))
        with read_tenant(load_fleet(one.file), "acme") as later:
            assert later.version == 2
            assert len(reading_folders(one)) == 4  # each has its lock beside it
        assert (folder / DATABASE).read_bytes() == shown
        assert posts_in(folder) == posts_in(own)
        ((post,),) = one.rows("SELECT id FROM posts LIMIT 1")
        one.erase(post, "--basis", "Art. 17")
        assert folder.exists()
        one.erase("--confirm", 1)
        assert reading_folders(one) == []
    with read_tenant(load_fleet(one.file), "acme") as found:
        assert posts_in(found.config.archive.directory) == posts_in(own)
    assert reading_folders(one) == []


@contextmanager
def running(machine: Machine, *words: str) -> Iterator["tuple[subprocess.Popen[str], str, str]"]:
    """A command in acme as a program, with the first line that it prints and the address in it."""
    command = [sys.executable, "-m", "archiver", *words, "--port", "0"]
    with subprocess.Popen(
        [*command, "--tenant", "acme", "--fleet", str(machine.file)], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "ARCHIVE_TOKEN": TOKEN},
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            (origin,) = re.findall(r"http://[\d.]+:\d+", line) or [""]
            yield process, line, origin
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            process.communicate(timeout=120)


def test_browse_and_serve_give_out_what_lies_in_a_bucket(
    bucket_machines: list[Machine], fleet: FleetBench, tmp_path: Path
) -> None:
    """Their copies of the database go with them, and what a killed one left with the next."""
    _, two = bucket_machines
    ((path, size),) = [(file.path, file.size) for file in two.storage().media.list()][:1]
    sha256 = hash_in_path(path)
    with running(two, "browse", "--no-open") as (process, line, origin):
        assert line.startswith("acme, version 1 of 20")
        answer = httpx.get(f"{origin}/archive/-/media/{sha256}", headers={"Range": "bytes=2-9"})
        assert (answer.status_code, len(answer.content)) == (206, 8)
        assert answer.headers["content-range"] == f"bytes 2-9/{size}"
        whole = httpx.get(f"{origin}/archive/-/media/{sha256}").content
        assert hashlib.sha256(whole).hexdigest() == sha256
        process.kill()
    assert len(reading_folders(two)) == 2
    serve = ("serve", "--media", "--token", "env:ARCHIVE_TOKEN")
    with running(two, *serve) as (process, line, origin):
        assert "answers from acme, version 1 of 20" in line
        answer = httpx.get(f"{origin}/a.jpg", params={"archived": str(sha256)})
        assert answer.content == whole
        assert len(reading_folders(two)) == 2  # its own
    assert process.returncode == 0
    assert reading_folders(two) == []
    done = two.run("browse", "--published", tmp_path / "public")
    assert done.exit_code == 0, done.output
    published = [each for each in (tmp_path / "public" / "media").rglob("*") if each.is_file()]
    assert published
    assert reading_folders(two) == []
    assert (fleet.rows()["acme"].version, fleet.rows()["acme"].holder) == (1, None)
    assert not (two.storage().directory / DATABASE).exists()


def test_a_version_that_is_removed_meanwhile_is_no_error_unless_none_is_there(
    bucket_machines: list[Machine], fleet: FleetBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = bucket_machines
    (account,) = fleet.accounts[:1]
    bucket = one.storage().bucket

    def read_late(*given: object) -> object:
        if fleet.rows()["acme"].version == 1:
            run_job(replace(fleet.job("acme", account), fleet=str(one.file)))
            obstore.delete(bucket, str(given[1]))
        return read_version(*given)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(reading, "read_version", read_late)
    with read_tenant(load_fleet(two.file), "acme") as found:
        assert found.version == 2
        assert posts_in(found.config.archive.directory) > 0
    obstore.delete(bucket, fleet.rows()["acme"].manifest)
    with pytest.raises(StorageError), read_tenant(load_fleet(two.file), "acme"):
        pass
    assert reading_folders(two) == []


def test_where_the_store_is_a_folder_that_is_read(machine: Machine, fleet: FleetBench) -> None:
    with read_tenant(load_fleet(machine.file), "acme") as found:
        assert found.config.archive.directory == machine.storage().directory
        assert {file.path for file in found.store.list()} != set()
        assert reading_folders(machine) == []
    fleet.add("city")
    for tenant, message in (("city", "no archive yet"), ("nobody", "no tenant")):
        with (
            pytest.raises(UsageError, match=message),
            read_tenant(load_fleet(machine.file), tenant),
        ):
            pass
