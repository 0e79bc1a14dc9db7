"""Every example record is read as it was before; a change of a reader shows in a diff."""

import pytest

from support.nights import PLATFORMS
from support.plugin_golden import golden, path_of


@pytest.mark.parametrize("platform", PLATFORMS)
def test_records_are_read_as_before(platform: str) -> None:
    kept = path_of(platform).read_text(encoding="utf-8")
    assert golden(platform) == kept, "if this is meant: python tests/support/plugin_golden.py"
