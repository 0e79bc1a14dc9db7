"""Reasons: a code of a closed set steers the program, a sentence is for people."""

import re
from pathlib import Path

import pytest

from archiver.reasons import REASON_CODES, Reason, columns

SOURCES = [
    path
    for folder in ("archiver", "plugins")
    for path in (Path(__file__).parent.parent / folder).rglob("*.py")
]


@pytest.mark.parametrize("code", REASON_CODES)
def test_every_code_is_one_word_and_explained(code: str) -> None:
    assert re.fullmatch(r"[a-z0-9_]+", code)
    assert REASON_CODES[code]


def test_every_reason_in_the_program_has_a_known_code() -> None:
    written = re.compile(r"""\bReason\(\s*["'](\w+)["']""")
    found = {code for path in SOURCES for code in written.findall(path.read_text("utf-8"))}
    assert len(found) > 10
    assert found <= REASON_CODES.keys()


def test_the_columns_of_a_reason_and_of_none() -> None:
    assert columns(None) == {"reason_code": None, "setting": None, "reason": None}
    assert columns(Reason("setting_videos", "videos=best", "best")) == {
        "reason_code": "setting_videos", "setting": "best", "reason": "videos=best",
    }  # fmt: skip
