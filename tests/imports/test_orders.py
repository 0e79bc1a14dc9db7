"""Nights of the API and exports in any order: each post once, each file once, nothing made up."""

from pathlib import Path
from random import Random

import pytest

from support.exports.orders import Lived, Step, lived_through
from support.exports.stages import STAGES

pytestmark = pytest.mark.slow

WHAT = ("publish", "edit", "remove", "night", "night", "year", "export", "export", "import")
EACH = 1  # orders of each network; by hand, some hundreds


def shorthand(text: str) -> list[Step]:
    """Steps by their words."""
    return [Step(word.rstrip("0123456789"), int(word[-1]) if word[-1].isdigit() else 0)
            for word in text.split()]  # fmt: skip


def drawn(platform: str, number: int) -> list[Step]:
    """Steps in an order that is the same in every run."""
    random = Random(f"{platform}{number}")
    return [Step(random.choice(WHAT), random.randrange(8)) for _ in range(random.randint(4, 14))]


@pytest.mark.parametrize("platform", STAGES)
def test_the_api_and_two_exports_a_year_apart_make_one_archive(
    tmp_path: Path, platform: str
) -> None:
    order = "export publish2 import night edit1 remove0 night year export import1 import0 night"
    with lived_through(tmp_path, platform, shorthand(order)) as lived:
        assert lived.faults() == []


@pytest.mark.parametrize("platform", ["linkedin", "instagram"])
def test_an_export_from_between_two_edits_is_history_and_not_the_newest(
    tmp_path: Path, platform: str
) -> None:
    with STAGES[platform].open(tmp_path) as stage:
        lived = Lived(stage)
        for step in shorthand("publish night export edit export edit night import0 import1"):
            lived.do(step)
        assert lived.faults() == []
        assert stage.archive.column("SELECT count(*) FROM events WHERE what = 'edited'") == [1]


@pytest.mark.parametrize("platform", STAGES)
@pytest.mark.parametrize("number", range(EACH))
def test_any_order_of_nights_and_exports_makes_one_archive(
    tmp_path: Path, platform: str, number: int
) -> None:
    with lived_through(tmp_path, platform, drawn(platform, number)) as lived:
        assert lived.faults() == []
