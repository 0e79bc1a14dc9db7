"""Made-up ids look like those of the platforms, and are the same in every run."""

import re

from archiver_ayrshare.demo import ids


def test_the_same_parts_give_the_same_id_and_others_another() -> None:
    assert ids.letters(11, "a", 1) == ids.letters(11, "a", 1)
    assert len({ids.letters(11, "a", number) for number in range(100)}) == 100


def test_each_form_has_its_length_and_alphabet() -> None:
    assert re.fullmatch(r"[1-9]\d{18}", ids.digits(19, "a"))
    assert re.fullmatch(r"[\w-]{43}", ids.letters(43, "a"), re.ASCII)
    assert re.fullmatch(r"[2-7a-z]{13}", ids.base32(13, "a"))
    assert re.fullmatch(r"[0-9a-f]{40}", ids.hex_digits(40, "a"))
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-9[0-9a-f]{3}-[0-9a-f]{12}",
                        ids.uuid("a"))  # fmt: skip
    assert all(0 <= ids.number(7, part) < 7 for part in range(50))


def test_sortable_ids_have_the_order_of_their_numbers() -> None:
    numbers = [0, 1, 31, 32, 33, 1000, 32**4 - 1]
    texts = [ids.sortable(4, number) for number in numbers]
    assert sorted(texts) == texts
    assert {len(text) for text in texts} == {4}
