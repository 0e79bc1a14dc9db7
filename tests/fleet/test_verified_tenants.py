"""A tenant is verified, repaired and exported where its files and its versions are."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import obstore
import pytest

from archiver.errors import DamageFound, StorageError
from archiver.fleet.settings import load_fleet
from archiver.fleet.tenant_backup import run_job
from archiver.fleet.tenant_export import export_tenant
from support.fleet.fleets import FleetBench
from support.fleet.machines import Machine
from support.fleet.objects import names_in

pytestmark = pytest.mark.peers


def verify(machine: Machine, *words: str, code: int = 0) -> dict[str, Any]:
    """What a verify of acme found, which ended with that exit code."""
    done = machine.run("verify", "--json", *words)
    assert done.exit_code == code, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def damage(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["what"], each["subject"]) for each in found["damage"]]


def media_of(machine: Machine) -> list[str]:
    return [file.path for file in machine.storage().media.list()]


def newest(machine: Machine, suffix: str) -> str:
    names = names_in(machine.storage().bucket)
    return max(name for name in names if name.startswith("versions/") and name.endswith(suffix))


def test_files_in_a_bucket_are_verified_and_what_is_damaged_is_fetched_again(
    bucket_machines: list[Machine], fleet: FleetBench, tmp_path: Path
) -> None:
    """But not where the bucket has no media at all: it may be the wrong one. A copy has it all."""
    one, two = bucket_machines
    assert verify(one)["files"] == len(media_of(one))
    found = verify(two)  # which has no folder of it yet
    assert found["damage"] == found["leftovers"] == found["notes"] == []
    assert one.run("verify", "--slice", "1/2", "--minutes", "5").exit_code == 0
    acme = fleet.rows()["acme"]
    assert (acme.version, acme.holder) == (4, None)
    assert verify(two)["damage"] == []
    assert two.rows("SELECT outcome FROM care ORDER BY id") == [
        ("done",), ("done",), ("partial",), ("done",),
    ]  # fmt: skip
    changed, missing, *_ = media_of(one)
    bucket, stray = one.storage().bucket, f"media/ab/{'ab' * 32}.jpg"
    obstore.put(bucket, changed, b"other bytes", mode="overwrite")
    obstore.delete(bucket, missing)
    obstore.put(bucket, stray, b"of nobody")
    found = verify(one, code=DamageFound.exit_code)
    assert damage(found) == [("changed_file", changed), ("missing_file", missing)]
    assert [each["subject"] for each in found["leftovers"]] == [stray]
    assert "verify --tenant acme" in " ".join(two.run("verify").stderr.split())
    assert verify(two, "--repair", code=DamageFound.exit_code)["queued"] == 2
    (account,) = fleet.accounts[:1]
    run_job(replace(fleet.job("acme", account), fleet=str(one.file)))
    found = verify(two)
    assert found["damage"] == []
    assert {changed, missing} <= {*media_of(two)}
    (damaged,) = (name for name in names_in(bucket) if name.startswith("quarantine/"))
    assert [each["subject"] for each in found["leftovers"]] == [stray, damaged]
    copy, files = tmp_path / "copy", media_of(two)
    export_tenant(load_fleet(two.file), "acme", copy)
    obstore.delete(bucket, files)
    done = two.run("verify", "--repair")
    assert done.exit_code == StorageError.exit_code
    assert "The object store has no media" in " ".join(done.stderr.split())
    obstore.put(bucket, "media/00", b"")
    repaired = verify(two, "--repair", "--from", str(copy), code=DamageFound.exit_code)["repaired"]
    assert repaired["files"] == len(files) - 1  # the stray one is nobody's
    assert verify(one)["damage"] == []


def test_a_damaged_version_in_the_store_is_found_and_put_there_whole(
    bucket_machines: list[Machine],
) -> None:
    one, two = bucket_machines
    bucket, pack = one.storage().bucket, newest(one, ".pack")
    intact = bytes(obstore.get(bucket, pack).bytes())
    obstore.put(bucket, pack, bytes([intact[0] ^ 1]) + intact[1:], mode="overwrite")
    done = two.run("verify")
    assert done.exit_code == DamageFound.exit_code
    said = " ".join(done.output.split())
    assert pack in said
    assert "1 of" in said
    assert "on a machine that has this version" in said
    obstore.delete(bucket, pack)
    assert damage(verify(two, code=DamageFound.exit_code)) == [("version", pack)]
    assert damage(verify(one, code=DamageFound.exit_code)) == [("version", pack)]
    assert one.run("verify", "--repair").exit_code == DamageFound.exit_code
    assert newest(one, ".pack") > pack
    assert verify(one)["damage"] == verify(two)["damage"] == []
    manifest = newest(one, ".json")
    obstore.put(bucket, manifest, b"{}", mode="overwrite")
    assert damage(verify(one, "--repair", code=DamageFound.exit_code)) == [("version", manifest)]


def test_an_export_has_the_files_of_a_bucket_and_is_on_record(
    bucket_machines: list[Machine], fleet: FleetBench, tmp_path: Path
) -> None:
    one, two = bucket_machines
    done = two.run("export", "jsonl", tmp_path / "out", "--json")
    assert done.exit_code == 0, done.output
    made = json.loads(done.stdout)
    assert made["files"] == len(media_of(one))
    assert made["damaged"] == 0
    written = [path for path in (tmp_path / "out" / "media").rglob("*") if path.is_file()]
    assert len(written) == made["files"]
    assert (fleet.rows()["acme"].version, fleet.rows()["acme"].holder) == (2, None)
    verify(one)
    assert one.rows("SELECT what FROM actions ORDER BY id DESC LIMIT 1") == [("export",)]


def test_a_folder_is_verified_with_its_versions(machine: Machine) -> None:
    pack = newest(machine, ".pack")
    assert verify(machine)["damage"] == []
    (machine.storage().directory / pack).write_bytes(b"")
    assert damage(verify(machine, code=DamageFound.exit_code)) == [("version", pack)]
    assert "put into the store whole" in machine.run("verify", "--repair").stdout
    assert verify(machine)["damage"] == []
