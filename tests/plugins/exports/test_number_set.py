"""Ids that were seen, in little memory."""

from random import Random

import pytest

from archiver_exports.number_set import NumberSet


def test_it_has_what_was_added_and_nothing_else() -> None:
    random = Random(1)
    ids = [str(random.getrandbits(63)) for _ in range(5000)]
    found = NumberSet()
    for each in ids[:4000]:
        found.add(each)
        found.add(each)
    assert all(each in found for each in ids[:4000])
    assert not any(each in found for each in ids[4000:])


@pytest.mark.parametrize(
    "text", ["0", "007", "18446744073709551614", "18446744073709551615", "9" * 40, "", "٣", "a1"]
)
def test_an_id_may_be_any_text(text: str) -> None:
    found = NumberSet()
    for other in ("7", "1", "3"):
        found.add(other)
    assert text not in found
    found.add(text)
    assert text in found
    assert "8" not in found


def test_ids_that_belong_at_one_place_are_all_kept() -> None:
    found = NumberSet()
    ids = [str(number << 52) for number in range(1, 1200)]
    for each in ids:
        assert each not in found
        found.add(each)
    assert all(each in found for each in ids)
