"""The records that the tests of the plugins are made of, by platform."""

import json
from functools import cache
from pathlib import Path
from typing import Any

_DATA = Path(__file__).parents[1] / "plugins" / "data"


@cache
def samples(platform: str) -> list[Any]:
    """Every example record of a platform."""
    found: list[Any] = []
    for path in sorted(_DATA.glob(f"{platform}*.json")):
        found += json.loads(path.read_text())
    return found
