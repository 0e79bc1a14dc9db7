"""Whether a value is understood is decided by its form, and by nothing else."""

from typing import Any

import pytest

from archiver_ayrshare import forms
from archiver_ayrshare.forms import Form, Slot

FORMS = {name: form for name, form in vars(forms).items() if isinstance(form, Form)}
GOOD: dict[str, list[Any]] = {
    "TEXT": ["a", 1, True, 1.5], "NAME": ["a", 7], "WORD": ["POST"], "FLAG": [True, "false", 1, 0],
    "ID": ["a", 7], "TIME": ["2026-03-01T09:00:00Z", "2026-03-01"],
    "ADDRESS": ["https://a.example/", "//a.example/x"], "FILE": ["https://a.example/"],
    "COUNT": [0, 7, "1.2K", 0.5], "SIZE": [0, "320"], "DURATION": [1500, "00:07", "PT1M", "2.5s"],
    "CONTENT": ["a", 1, True], "ANY": ["a", 1, 1.5, True],
}  # fmt: skip
BAD: dict[str, list[Any]] = {
    "TEXT": [[], {}, float("nan")], "NAME": [True, 1.5, []], "WORD": [1, [], True],
    "FLAG": [2, "yes", []], "ID": [-1, 1.5, [], True], "TIME": ["yesterday", [], True],
    "ADDRESS": ["a.png", 7, [], "ftp://a/", "http://"], "FILE": ["a.png", ""],
    "COUNT": [-1, "many", [], True], "SIZE": [-1, "wide", []], "DURATION": [-1, "long", []],
    "CONTENT": [[], {"a": 1}, 1.5], "ANY": [[], {}],
}  # fmt: skip


def understands(form: Form, value: object) -> bool:
    """As the reader decides."""
    is_plain = type(value) in form.accepted_types
    is_blank = isinstance(value, str) and not value.strip() and form.blank
    return is_plain or form.parse(value) is not None or is_blank


def test_every_form_has_examples_here() -> None:
    assert FORMS.keys() == GOOD.keys() == BAD.keys()
    assert len({form.name for form in FORMS.values()}) == len(FORMS)


@pytest.mark.parametrize("name", FORMS)
def test_null_is_understood_everywhere(name: str) -> None:
    assert understands(FORMS[name], None)


@pytest.mark.parametrize("name", FORMS)
def test_blank_text_counts_as_null_but_not_where_a_file_belongs(name: str) -> None:
    assert understands(FORMS[name], " \n") is (name != "FILE")


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, vs in GOOD.items() for v in vs])
def test_what_is_of_the_form_is_understood(name: str, value: object) -> None:
    assert understands(FORMS[name], value)


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, vs in BAD.items() for v in vs])
def test_what_is_of_another_form_is_not(name: str, value: object) -> None:
    assert not understands(FORMS[name], value)


def test_every_slot_says_what_its_path_is_read_into() -> None:
    slots = [slot for slot in vars(forms).values() if isinstance(slot, Slot)]
    assert len(slots) > 10
    assert all(slot.words and slot.form in FORMS.values() for slot in slots)
