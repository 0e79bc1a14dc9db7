"""Erasing in the archive of a tenant, by the command that a person types."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import obstore
import pytest

from archiver.archive.database import DATABASE
from archiver.evidence.files import Scope
from archiver.evidence.verify import verify
from archiver.fleet import held_archives, tenant_archive
from archiver.fleet.database import connected, set_paused
from archiver.fleet.results import commit_version
from archiver.fleet.settings import load_fleet
from archiver.fleet.storage import TenantStorage
from archiver.fleet.tenant_export import export_tenant
from archiver.fleet.versions import save_version
from support.fleet.fleets import FleetBench
from support.fleet.machines import Machine
from support.fleet.objects import names_in, objects_with

pytestmark = pytest.mark.peers

WHY = ("--basis", "Art. 17, case 4")


@dataclass
class Marks:
    """What is found of a post: its text, and the bytes of its files by their paths."""

    post: int
    text: bytes
    files: dict[str, bytes]

    def found_in(self, storage: TenantStorage) -> list[str]:
        """The objects of a store that have any of it, in their bytes or their names."""
        names = [name for name in names_in(storage.bucket)
                 if any(Path(path).stem in name for path in self.files)]  # fmt: skip
        return sorted({*names, *objects_with(storage.bucket, self.text, *self.files.values())})


def marks_of(machine: Machine, post: int) -> Marks:
    ((text,),) = machine.rows(f"SELECT text FROM posts WHERE id = {post}")
    paths = machine.rows(
        "SELECT DISTINCT path FROM media JOIN renditions ON media_sha256 = sha256"
        f" JOIN attachments a ON a.id = attachment_id WHERE post_id = {post}"
    )
    files = {}
    for (path,) in paths:
        with machine.storage().media.open(path) as stream:
            files[path] = stream.read()
    return Marks(post, text.encode(), files)


def posts_with_files(machine: Machine) -> list[int]:
    """The posts with two files, and long texts."""
    query = """
        SELECT post_id FROM renditions JOIN attachments a ON a.id = attachment_id
          JOIN posts ON posts.id = post_id WHERE media_sha256 IS NOT NULL AND length(text) > 20
         GROUP BY post_id HAVING count(DISTINCT media_sha256) > 1 ORDER BY post_id
    """
    return [post for (post,) in machine.rows(query)]


def share_a_file(machine: Machine, post: int, other: int) -> str:
    """Give one file of a post to another one too; its path."""
    file = "SELECT media_sha256 FROM renditions WHERE attachment_id IN"
    file += " (SELECT id FROM attachments WHERE post_id = {}) AND media_sha256 IS NOT NULL LIMIT 1"
    ((sha256,),) = machine.rows(file.format(post))
    machine.rows(
        f"UPDATE renditions SET media_sha256 = '{sha256}' WHERE media_sha256 ="
        f" ({file.format(other)})"
    )
    ((path,),) = machine.rows(f"SELECT path FROM media WHERE sha256 = '{sha256}'")
    return str(path)


def test_nothing_is_left_in_a_bucket_and_what_others_have_stays(
    bucket_machines: list[Machine], fleet: FleetBench, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Another machine does what is left where a command was killed before it put anything back."""
    one, two = bucket_machines
    with connected(fleet.address) as connection:
        set_paused(connection, ["acme"], paused=True)
    post, other, *_ = posts_with_files(one)
    shared = share_a_file(one, post, other)
    erased = marks_of(one, post)
    kept = erased.files.pop(shared)
    bucket = one.storage().bucket
    damaged = f"quarantine/{Path(next(iter(erased.files))).name}.0123456789abcdef"
    obstore.put(bucket, damaged, b"damaged " + erased.text)
    before = erased.found_in(one.storage())
    assert {name.partition("/")[0] for name in before} == {"media", "quarantine", "versions"}
    others = names_in(one.storage("city").bucket)
    assert "1 post would be erased" in one.erase(post, *WHY, "--dry-run")
    planned = one.erase(post, *WHY)
    assert "erase --tenant acme --fleet" in planned
    assert {*before} <= {*erased.found_in(one.storage())}
    for place, name, left in (
        (tenant_archive, "save_version", {"media", "quarantine", "versions"}),
        (held_archives.HeldArchive, "put_back", {"versions"}),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(place, name, _killed)
            assert one.try_erase("--confirm", 1).exit_code == 130
        assert {name.partition("/")[0] for name in erased.found_in(one.storage())} == left
        assert export_tenant(load_fleet(one.file), "acme", tmp_path / name).damaged == 0
    assert f"1 post erased, {len(erased.files)} file" in two.erase("--confirm", 1)
    assert erased.found_in(two.storage()) == []
    assert bytes(obstore.get(bucket, shared).bytes()) == kept
    assert names_in(one.storage("city").bucket) == others
    assert '"basis":"Art. 17, case 4"' in one.erase("--certificate", 1)
    assert erased.text not in (one.storage().directory / DATABASE).read_bytes()
    assert export_tenant(load_fleet(two.file), "acme", tmp_path / "out").damaged == 0
    assert fleet.rows()["acme"].holder is None


def test_what_is_due_by_a_rule_is_disposed_of_in_a_bucket_too(
    bucket_machines: list[Machine], fleet: FleetBench
) -> None:
    one, two = bucket_machines
    with (fleet.folder / "tenant.toml").open("a") as settings:
        settings.write('[[retention]]\nname = "all"\nperiod = "1 days"\nbasis = "Schedule 4"\n')
    post = marks_of(one, posts_with_files(one)[0])
    assert post.found_in(one.storage()) != []
    at = ("--tenant", "acme", "--fleet", one.file)
    ((rule,),) = [json.loads(one.cli("retention", "--json", *at).stdout)["rules"]]
    assert rule["due"] != []
    done = one.cli("retention", "--dispose", "--by", "records office", *at)
    assert done.exit_code == 0, done.output
    assert post.found_in(two.storage()) == []
    assert "Schedule 4" in two.erase("--certificate", 1)
    ((rule,),) = [json.loads(two.cli("retention", "--json", *at).stdout)["rules"]]
    assert rule["due"] == []


def _killed(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def _killed_after(do: Callable[..., object]) -> Callable[..., None]:
    def done(*given: object, **named: object) -> None:
        do(*given, **named)
        raise KeyboardInterrupt

    return done


def test_it_is_repeated_after_a_kill_at_any_moment(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    posts = [post for (post,) in machine.rows("SELECT id FROM posts WHERE length(text) > 20")]
    moments: list[tuple[object, str, Callable[..., Any]]] = [
        (held_archives.HeldArchive, "remove_files", _killed),
        (tenant_archive, "save_version", _killed),
        (tenant_archive, "save_version", _killed_after(save_version)),
        (tenant_archive, "commit_version", _killed_after(commit_version)),
        (held_archives.HeldArchive, "put_back", _killed),
        (tenant_archive, "remove_old_versions", _killed),
    ]
    assert len(posts) >= len(moments)
    for number, (post, moment) in enumerate(zip(posts, moments, strict=False), start=1):
        erased = marks_of(machine, post)
        machine.erase(post, *WHY)
        with monkeypatch.context() as patch:
            patch.setattr(*moment)
            assert machine.try_erase("--confirm", number).exit_code == 130
        assert erased.found_in(machine.storage()) != []
        assert "1 post erased" in machine.erase("--confirm", number)
        assert erased.found_in(machine.storage()) == []
    now = datetime.now(UTC).isoformat()
    assert verify(machine.storage().directory, Scope(), now).findings == []


def test_what_is_undone_or_refused_for_a_hold_is_put_back(
    machine: Machine, fleet: FleetBench
) -> None:
    post = posts_with_files(machine)[0]
    machine.erase(post, *WHY)
    machine.erase("--undo", 1)
    assert fleet.rows()["acme"].version == 3
    assert machine.try_erase("--confirm", 1).exit_code == 2
    assert machine.try_erase("no such post", *WHY).exit_code == 2
    assert fleet.rows()["acme"].version == 3
    held = machine.run("hold", "add", "--all", "--matter", "2026/17", "--reason", "a claim")
    assert "Hold 1 for 2026/17" in held.output
    assert "2026/17" in machine.run("hold", "list").output
    assert "under legal hold" in " ".join(machine.try_erase(post, *WHY).stderr.split())
    assert fleet.rows()["acme"].version == 5
    assert machine.rows("SELECT state FROM erasures") == [("withdrawn",), ("refused",)]
