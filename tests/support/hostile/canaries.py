"""Secrets that can be recognised anywhere, a config full of them, and a program that uses them."""

import base64
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from urllib.parse import quote

from support.transfer.faultserver import Talk, head
from support.transfer.worlds import Behind

KEYS = {
    name: f'{name}/canary+0{number}="{name}\\end'
    for number, name in enumerate(
        ("PRIMARYkey", "XAPIkey", "XAPIsecret", "PROFILEone", "PROFILEtwo")
    )
}
"""Every kind of character that some encoding writes in another way."""

_CONFIG = """
[archive]
directory = "archive"
keep_responses = "all"

[ayrshare]
api_key = "env:CANARY_KEY"
base_url = "{base_url}"
x_api_key = "file:x-key"
x_api_secret = "cmd:cat x-secret; env > child-environment"

[network]
allow = ["127.0.0.0/8"]

[[accounts]]
name = "one"
platform = "threads"
profile_key = '{literal}'

[[accounts]]
name = "two"
platform = "instagram"
profile_key = "file:profile-two"

[[accounts]]
name = "x"
platform = "twitter"
"""

_PROGRAM = """
import sys
from archiver.clock import SystemClock
async def at_once(self, seconds): pass
SystemClock.sleep = at_once
from archiver.cli import main
main()
"""


def spellings(text: str) -> list[str]:
    """How an answer may echo a text."""
    return [text, json.dumps(text), json.dumps(text).replace("/", "\\/"), quote(text, safe=""),
            quote(text).lower(), escape(text), repr(text),
            base64.b64encode(text.encode()).decode()]  # fmt: skip


def traces() -> list[bytes]:
    """What betrays a canary in some bytes: its name, or the middle of its Base64."""
    found = [name.encode() for name in KEYS]
    return found + [base64.b64encode(key.encode())[:12] for key in KEYS.values()]


def leaks(data: bytes) -> list[bytes]:
    return [trace for trace in traces() if trace in data]


@dataclass
class Canaries:
    """Runs the program with canaries in its config, and looks for them in all it leaves."""

    world: Behind
    found: list[str] = field(default_factory=list)
    looked: int = 0
    pid: int = 0

    def __post_init__(self) -> None:
        world = self.world.world
        world.api_key, world.x_api_key = KEYS["PRIMARYkey"], KEYS["XAPIkey"]
        world.x_api_secret = KEYS["XAPIsecret"]
        folder = self.world.tested
        files = {"x-key": "XAPIkey", "x-secret": "XAPIsecret", "profile-two": "PROFILEtwo"}
        config = _CONFIG.format(base_url=world.base_url, literal=KEYS["PROFILEone"])
        for name, text in {
            "archive.toml": config,
            **{n: KEYS[k] for n, k in files.items()},
        }.items():
            (folder / name).write_text(text)
            (folder / name).chmod(0o600)
        world.folder = folder

    def run(self, *options: str) -> int:
        """`archiver backup` as a process of its own; returns its exit code."""
        child = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, "backup", "--now", *options],
            cwd=self.world.tested, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, "CANARY_KEY": KEYS["PRIMARYkey"]},
        )  # fmt: skip
        self.pid = child.pid
        out, err = child.communicate(timeout=240)
        self.look("stdout", out)
        self.look("stderr", err)
        self.look_at_files()
        assert b"Traceback" not in err, err.decode()
        return child.returncode

    def look(self, where: str, data: bytes) -> None:
        self.looked += 1
        self.found += [f"{trace!r} in {where}" for trace in leaks(data)]

    def look_at_files(self) -> None:
        """Everything in the archive folder, byte by byte."""
        for path in (self.world.tested / "archive").rglob("*"):
            if path.is_file():
                self.look(str(path), path.read_bytes())

    def look_at_process(self) -> None:
        cmdline = Path(f"/proc/{self.pid}/cmdline")
        if self.pid and cmdline.exists():
            self.look("the process list", cmdline.read_bytes())

    def echoing(self, talk: Talk) -> bool:
        """The honest answer with every canary in every spelling, in text, names, URLs, headers."""
        self.look_at_process()
        self.look_at_files()
        answer = json.loads(talk.honest().body)
        for post in answer.get("posts", []):
            for number, echo in enumerate(everything()):
                post[f"echo{number}"] = echo
                post[echo] = number
            post["post"] = " ".join(everything())
            post["username"] = KEYS["PRIMARYkey"]
        answer["displayNames"] = answer.get("displayNames", [])
        fields = {"etag": f'"{KEYS["PRIMARYkey"]}"', "x-ratelimit-note": KEYS["XAPIkey"]}
        talk.answer(json.dumps(answer).encode(), fields)
        return True

    def failing(self, status: int) -> object:
        """An error that quotes every canary, in its body and where it redirects to."""

        def behave(talk: Talk) -> bool:
            self.look_at_process()
            echo = " ".join(everything())
            body = json.dumps({"action": "x", "status": "error", "code": 100, "message": echo})
            location = "https://elsewhere.example/" + quote(KEYS["PRIMARYkey"], safe="")
            fields = {"location": location, "content-length": str(len(body))}
            talk.send(head(status, fields) + body.encode())
            return True

        return behave


def everything() -> list[str]:
    return [spelling for key in KEYS.values() for spelling in spellings(key)]
