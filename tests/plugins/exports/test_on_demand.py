"""Readers whose modules are imported when they are used."""

import sys

import pytest

from archiver_exports import ReaderOnDemand, archiver_export_readers
from support.running import RunArchiver


@pytest.mark.parametrize("listed", archiver_export_readers(), ids=lambda reader: reader.name)
def test_what_is_listed_of_a_reader_is_what_it_says_itself(listed: ReaderOnDemand) -> None:
    reader = listed.reader
    assert (listed.name, listed.title) == (reader.name, reader.title)
    assert listed.content_version == reader.content_version


def test_listing_them_imports_none(run_archiver: RunArchiver) -> None:
    program = (
        "import sys\nfrom archiver.plugins import load_plugins\n"
        "print(len(load_plugins().export_readers))\n"
        "print([name for name in sys.modules if name.startswith('archiver_exports.')])\n"
    )
    said = run_archiver(python=(sys.executable, "-c", program)).stdout.splitlines()
    assert int(said[0]) >= 9
    assert said[1] == "[]"
