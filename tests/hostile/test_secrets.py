"""Keys go to the API and nowhere else: not to a file, a log, an error, a server of media."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from archiver.browse.thumbs import _Worker
from archiver_ayrshare.demo.specs import photo
from support.hostile.canaries import KEYS, Canaries, leaks
from support.hostile.strangers import KEY as STRANGER_KEY
from support.hostile.strangers import Strangers
from support.running import RunArchiver
from support.transfer.worlds import Behind, behind

pytestmark = pytest.mark.slow

CREDENTIALS = {"authorization", "profile-key", "cookie", "proxy-authorization", "referer",
               "x-twitter-oauth1-api-key", "x-twitter-oauth1-api-secret"}  # fmt: skip


def furnish(world: Behind) -> None:
    now = datetime.now(UTC)
    world.world.clock.advance(seconds=(now - world.world.clock.now()).total_seconds())
    one = world.world.add_profile(KEYS["PROFILEone"], "One")
    two = world.world.add_profile(KEYS["PROFILEtwo"], "Two")
    for account in (one.account("threads"), two.account("instagram"),
                    world.world.account("twitter")):  # fmt: skip
        account.publish("Good morning", media=[photo("bowl")])


def test_no_canary_is_found_anywhere_after_a_faulty_run(
    tmp_path: Path, clean_environment: None
) -> None:
    with behind(tmp_path, "threads") as world:
        furnish(world)
        canaries = Canaries(world)
        world.faults.rule("/api/history/", canaries.echoing)
        assert canaries.run("-vv") in {0, 3}
        assert canaries.run("-v", "--json", "--full") in {0, 3}
        for status in (302, 400, 401, 403, 404, 500):
            world.faults.clear()
            world.faults.rule("/api/", canaries.failing(status))  # type: ignore[arg-type]  # made for it
            assert canaries.run("-vv", *(["--json"] if status % 2 else [])) in {4, 5}
        world.faults.clear()
        assert canaries.run("-v", "--full") in {0, 3}

        assert canaries.found == []
        assert canaries.looked > 50
        assert len(world.world.column("SELECT id FROM posts")) == 3
        _check_requests(world)
        environment = (world.tested / "child-environment").read_bytes()
        assert b"PATH=" in environment
        assert leaks(environment) == []


def _check_requests(world: Behind) -> None:
    """Media servers see no credentials; each profile's key went with its own account alone."""
    media = [asked for asked in world.faults.asked if not asked.target.startswith("/api/")]
    assert media
    for asked in media:
        assert not CREDENTIALS & set(asked.headers)
        assert not leaks(repr(asked).encode())
    platforms = {"threads": KEYS["PROFILEone"], "instagram": KEYS["PROFILEtwo"], "twitter": None}
    for platform, key in platforms.items():
        sent = {
            asked.headers.get("profile-key")
            for asked in world.faults.asked
            if f"/api/history/{platform}" in asked.target
        }
        assert sent == {key}


def test_a_redirected_download_takes_nothing_along(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with behind(tmp_path, "threads") as world, behind(other, "threads") as second:
        world.world.account("threads").publish("Good morning", media=[photo()])

        def lead(talk: Any) -> bool:
            cookie = {"set-cookie": "a=b", "location": second.faults.origin + talk.asked.target}
            talk.answer(b"", cookie, status=302)
            return True

        world.faults.rule(".jpg", lead)
        world.backup()
        assert second.faults.asked
        for asked in second.faults.asked:
            assert set(asked.headers) == {"host", "user-agent", "accept", "accept-encoding"}


LOOSE_PAGES = {
    "raises": 'raise RuntimeError("key is " + client)',
    "refuses": 'raise SourceError("no", why=client, kept=client, hint=client, code=client)',
    "words": "raise OwnWords(client)",
    "prints": 'print("key:", client); print(client[:5], end="", flush=True); print(client[5:])',
    "writes": 'sys.stderr.write("key: " + client)',
    "warns": "warnings.warn(client)",
    "deletes": "Talkative(client)",
    "threads": """
def fail():
    raise RuntimeError("in a thread with " + client)
thread = threading.Thread(target=fail)
thread.start()
thread.join()
""",
    "notes": "yield Page((), notes=(client,), cursor=client)",
    "ends": "yield Page((), end_reason=client)\nreturn",
    "answers": """
response = Response("s", "http://a/?k=" + client, 200, {client: client}, b"", "2026")
yield Page((Record('{"id": "2"}', {"id": "2"}),), response)
""",
}


def test_a_loose_plugin_gives_no_key_away(tmp_path: Path, clean_environment: None) -> None:
    read = {"misreads": f'return Post("1", kind="{STRANGER_KEY}")'}
    strangers = Strangers(tmp_path, LOOSE_PAGES, read)
    for options in ([], ["-vv", "--full", "--now"], ["--json", "--now"], ["-q", "--now"]):
        done = strangers.run("backup", *options)
        assert strangers.leaks(done.stdout, done.stderr) == []
        assert done.returncode == 3
        for word in ("key: [secret]", "deleted with [secret]", "in a thread with [secret]"):
            assert word in done.stderr
        assert done.stderr.count("[secret]") >= 5
        if "--json" in options:
            assert json.loads(done.stdout)["exit_code"] == 3
    outcomes = dict(strangers.query("SELECT name, outcome FROM run_accounts WHERE run_id = 1"))
    failing = {name for name, outcome in outcomes.items() if outcome == "failed"}
    assert failing == {"raises", "refuses", "words"}
    assert outcomes["quiet"] == "done"
    done = strangers.run("accounts", "--discover", "--source", "strangers", "-v")
    assert strangers.leaks(done.stdout, done.stderr) == []
    assert "linked with [secret]" in done.stderr


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_secret_that_others_can_read_is_refused(
    tmp_path: Path, run_archiver: RunArchiver, mode: int
) -> None:
    config = tmp_path / "archive.toml"
    config.write_text(
        '[ayrshare]\napi_key = "written-out-canary"\nbase_url = "http://127.0.0.1:9/api"\n'
        '[[accounts]]\nname = "a"\nplatform = "threads"\n'
    )
    config.chmod(mode)
    done = run_archiver("backup", "-vv", "--config", config)
    assert done.returncode == 2
    assert "chmod 600" in done.stdout + done.stderr
    assert "written-out-canary" not in done.stdout + done.stderr


@pytest.mark.parametrize("command", ["backup", "accounts --discover", "serve --token env:NONE"])
def test_a_crash_leaves_no_memory_behind(command: str, run_archiver: RunArchiver) -> None:
    program = (
        "import resource, sys\nfrom archiver.cli import main\n"
        "hard = resource.getrlimit(resource.RLIMIT_CORE)[1]\n"
        "resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))\n"
        "try:\n    main()\nexcept SystemExit:\n"
        "    print(resource.getrlimit(resource.RLIMIT_CORE)[0])"
    )
    done = run_archiver(*command.split(), python=(sys.executable, "-c", program))
    assert done.stdout == "0\n"
    assert done.stderr.startswith("Error:")


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="asks /proc")
def test_the_process_that_decodes_pictures_has_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AYRSHARE_API_KEY", "picture-canary")
    process = _Worker._start()
    try:
        environment = b""
        while not environment and process.poll() is None:  # the system fills it in a moment later
            environment = Path(f"/proc/{process.pid}/environ").read_bytes()
    finally:
        process.kill()
        process.communicate()
    names = [line.partition(b"=")[0] for line in environment.split(b"\0") if line]
    assert names == [b"PATH"]
