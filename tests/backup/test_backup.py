"""One run: a wrong name stops it before anything is written, and a dry run writes nothing."""

from pathlib import Path

import pytest

from archiver.errors import UsageError
from support.gazette import gazette


def test_a_name_that_is_not_in_the_config_is_refused_before_anything_is_made(
    tmp_path: Path,
) -> None:
    with gazette(tmp_path) as world:
        with pytest.raises(UsageError, match="There is no account"):
            world.backup("paper", names=("nobody",))
        assert not world.directory.exists()


def test_a_dry_run_says_what_a_run_would_do_and_leaves_nothing(tmp_path: Path) -> None:
    with gazette(tmp_path) as world:
        world.publish("Good morning", pictures=1)
        assert world.backup("paper", dry_run=True).counts.new == 1
        assert not world.directory.exists()

        world.backup("paper")
        before = world.dump("posts", "runs", "events", "renditions")
        world.publish("Good evening")
        world.next_night()
        assert world.backup("paper", dry_run=True).counts.new == 1
        assert world.dump(*before) == before
