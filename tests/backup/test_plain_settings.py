"""The settings on record name what is done, and no secret."""

import json
from pathlib import Path

from archiver.backup.plain_settings import plain_settings
from archiver.config import load_config
from support.archive_folder import installed_plugins

CONFIG = """
[ayrshare]
api_key = "hunter2-the-key"

[network]
proxy = "http://someone:hunter2-the-proxy@proxy.example:3128"

[evidence]
checkpoint_copies = ["cmd:post --token hunter2-in-a-command"]

[notify]
on_failure = ["json://hunter2-the-address"]

[[accounts]]
name = "acme"
platform = "facebook"
page_published = true
profile_key = "hunter2-the-profile"

[[accounts]]
name = "elsewhere"
platform = "no-such-platform"
"""


def test_every_setting_is_there_and_every_secret_is_masked(tmp_path: Path) -> None:
    path = tmp_path / "archive.toml"
    path.write_text(CONFIG)
    path.chmod(0o600)
    found = plain_settings(load_config(path), installed_plugins())
    assert found["media.videos"] == "best"
    assert found["archive.full_every"] == "604800 s"
    assert found["ayrshare.api_key"] == "secret"
    assert found["notify.on_failure"] == ["secret"]
    assert found["network.proxy"] == "http://proxy.example:3128/"
    assert found["accounts.acme (ayrshare).page_published"] is True
    assert found["accounts.elsewhere (default).platform"] == "no-such-platform"
    assert found["evidence.checkpoint_copies"] == ["cmd:"]
    assert "hunter2" not in json.dumps(found)
