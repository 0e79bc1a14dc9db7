"""What verify finds is damage or not, and decides whether the database may be written to."""

from typing import get_args

import pytest

from archiver.evidence.findings import BadRow, Finding, Verified, What

HARMLESS = {"leftover", "unsteady", "known_lost", "unchecked", "extra", "unreadable", "extract"}


@pytest.mark.parametrize("what", get_args(What))
def test_every_kind_of_finding_is_documented_and_is_damage_or_not(what: What) -> None:
    assert f"`{what}`" in (Finding.__doc__ or "")
    assert Finding(what, "media", "…").is_damage is (what not in HARMLESS)


def verified(*kinds: What) -> Verified:
    return Verified(findings=[Finding(what, "subject", "detail") for what in kinds])


def test_an_archive_without_findings_is_intact() -> None:
    assert verified().damage == verified().unreadable == []
    assert verified().database_is_intact
    assert verified().may_be_written


def test_damage_and_unreadable_files_are_counted_apart() -> None:
    result = verified("leftover", "changed_file", "unreadable", "rows", "unreadable")
    assert [finding.what for finding in result.damage] == ["changed_file", "rows"]
    assert len(result.unreadable) == 2


@pytest.mark.parametrize(
    ("what", "is_intact", "may_be_written"),
    [
        ("database", False, False), ("schema", True, False), ("changed_row", True, True),
        ("search_index", True, True), ("missing_file", True, True),
    ],
)  # fmt: skip
def test_a_damaged_database_or_schema_is_not_written_to(
    what: What, *, is_intact: bool, may_be_written: bool
) -> None:
    assert verified(what).database_is_intact is is_intact
    assert verified(what).may_be_written is may_be_written


def test_a_row_is_named_by_its_table_and_key() -> None:
    assert str(BadRow("events", (7,))) == "events 7"
    assert str(BadRow("metrics", (1, "likes"))) == "metrics 1 / likes"
