"""What the tests of Bluesky share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.bluesky.nights import BlueskyNights, bluesky_nights


@pytest.fixture
def nights(tmp_path: Path) -> Iterator[BlueskyNights]:
    """A network and an archive."""
    with bluesky_nights(tmp_path) as found:
        yield found
