"""A plugin of strangers, installed beside the program, that does what an account of it says."""

import json
import os
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archiver.archive.database import DATABASE

KEY = "stranger-canary-key"

_PLUGIN = """
import asyncio, gc, json, sys, threading, time, warnings
from dataclasses import dataclass
from archiver import Page, Post, Record, Response, Secret, SourceError, hookimpl

@dataclass(frozen=True)
class Settings:
    key: Secret | None = None

@dataclass(frozen=True)
class Options:
    does: str = ""

class Talkative:
    def __init__(self, key):
        self.key = key
    def __del__(self):
        raise RuntimeError("deleted with " + self.key)

class OwnWords(SourceError):
    def __str__(self):
        return "my own words: " + self.what

class Strangers:
    name = "strangers"
    settings = Settings
    rank = "middleman"
    def open(self, settings, account, kit):
        return settings.key.reveal()
    async def discover(self, settings, kit, profile_key=None):
        print("linked with", settings.key.reveal())
        raise ValueError("linked with " + settings.key.reveal())

class Stranger:
    name, source, options, streams, content_version, listing = (
        "stranger", "strangers", Options, ("posts",), 1, "all")
    def check_options(self, options):
        pass
    async def identify(self, client, account):
        return None
    async def pages(self, client, account, window):
        {pages}
        yield Page((Record('{{"id": "1"}}', {{"id": "1"}}),), reached_start=True)
    def record_id(self, record):
        return record.get("id")
    def read(self, record, account):
        {read}
        return Post(platform_id=record["id"], content={{"id": record["id"]}})
    async def refetch(self, client, account, platform_id):
        return None

@hookimpl
def archiver_sources():
    return [Strangers()]

@hookimpl
def archiver_platforms():
    return [Stranger()]
"""


def _branches(deeds: dict[str, str], indent: str) -> str:
    """Statements that do what `does` of the account says."""
    lines = []
    for name, deed in deeds.items():
        lines.append(f"if account.options.does == {name!r}:")
        lines += [f"    {line}" for line in deed.strip().splitlines()]
    return f"\n{indent}".join(lines or ["pass"])


@dataclass
class Strangers:
    """The plugin with its deeds, a config with an account for each, and one that does nothing.

    `pages` and `read` are statements by name, in which `client` is the key itself.
    """

    folder: Path
    pages: dict[str, str]
    read: dict[str, str]

    def __post_init__(self) -> None:
        plugin = self.folder / "plugin"
        plugin.mkdir()
        indent = " " * 8
        text = _PLUGIN.format(
            pages=_branches(self.pages, indent), read=_branches(self.read, indent)
        )
        (plugin / "archiver_stranger.py").write_text(text)
        info = plugin / "archiver_stranger-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            "Metadata-Version: 2.1\nName: archiver-stranger\nVersion: 1\n"
        )
        (info / "entry_points.txt").write_text("[archiver]\nstranger = archiver_stranger\n")
        accounts = [("quiet", ""), *((name, name) for name in (*self.pages, *self.read))]
        (self.folder / "archive.toml").write_text(
            '[strangers]\nkey = "env:STRANGER_KEY"\n'
            + "".join(
                f'[[accounts]]\nname = "{name}"\nplatform = "stranger"\nsource = "strangers"\n'
                f'does = "{does}"\n'
                for name, does in accounts
            )
        )

    def start(self, *args: str, before: str = "") -> "subprocess.Popen[str]":
        """The program, begun; `before` are statements that it runs first."""
        program = f"{before}\nfrom archiver.cli import main\nmain()\n"
        return subprocess.Popen(
            [sys.executable, "-c", program, *args], cwd=self.folder, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, "STRANGER_KEY": KEY, "PYTHONPATH": str(self.folder / "plugin")},
        )  # fmt: skip

    def run(self, *args: str, before: str = "") -> "subprocess.CompletedProcess[str]":
        """The program, run to its end."""
        process = self.start(*args, before=before)
        out, err = process.communicate(timeout=240)
        return subprocess.CompletedProcess(args, process.returncode, out, err)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the archive."""
        connection = sqlite3.connect(self.folder / "archive" / DATABASE)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def leaks(self, *texts: str) -> list[str]:
        """Where the key is: in one of the texts, or in a file of the archive."""
        found = [text for text in texts if KEY in text or json.dumps(KEY)[1:-1] in text]
        files = [path for path in (self.folder / "archive").rglob("*") if path.is_file()]
        return found + [path.name for path in files if KEY.encode() in path.read_bytes()]
