"""What each example record is read into: `python tests/support/plugin_golden.py` renews it.

A change of a reader then shows in a diff, record by record.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from archiver.models import Account
from archiver.plugins import load_plugins
from support.nights import PLATFORMS
from support.plugin_data import samples

DATA = Path(__file__).parents[1] / "plugins" / "data"


def golden(platform_name: str) -> str:
    """The posts that the records of a platform are read into today, as JSON text."""
    platform = load_plugins().platform(platform_name, "ayrshare")
    account = Account(platform_name, platform_name, "ayrshare", platform.options())
    posts = [asdict(platform.read(record, account)) for record in samples(platform_name)]
    return json.dumps(_told(posts), ensure_ascii=False, indent=1) + "\n"


def _told(value: Any) -> Any:
    """The same without what is not there, however deep it stands."""
    if isinstance(value, dict):
        return {key: _told(inner) for key, inner in value.items() if inner not in (None, ())}
    return [_told(inner) for inner in value] if isinstance(value, list | tuple) else value


def path_of(platform_name: str) -> Path:
    """Where they are kept."""
    return DATA / f"golden-{platform_name}.json"


if __name__ == "__main__":
    for name in PLATFORMS:
        path_of(name).write_text(golden(name), encoding="utf-8")
