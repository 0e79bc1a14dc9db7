"""The report of an import: its outcome, its exit code, and what it gives to programs."""

import json

import pytest

from archiver.errors import PackageError, StorageError
from archiver.imports.report import ImportReport, PackageReport


def package(**more: object) -> PackageReport:
    found = PackageReport(["a.zip"], "twitter", "an archive of X", "since 2022", "2024-07-01")
    for name, value in more.items():
        setattr(found, name, value)
    return found


@pytest.mark.parametrize(
    ("packages", "outcome", "code"),
    [
        ([package()], "done", 0),
        ([package(), package(missing=("tweets.js",))], "partial", 3),
        ([package(), package(error=PackageError("Bad"))], "partial", 3),
        ([package(error=PackageError("Bad"))], "failed", 2),
        ([package(error=PackageError("Bad")), package(error=StorageError("Full"))], "failed", 3),
        ([package(), package(interrupted=True)], "interrupted", 130),
    ],
)
def test_the_exit_code_follows_from_the_packages(
    packages: list[PackageReport], outcome: str, code: int
) -> None:
    report = ImportReport("", packages=packages)
    assert (report.outcome, report.exit_code) == (outcome, code)


def test_values_without_a_place_are_counted_by_their_path() -> None:
    found = package()
    for _ in range(3):
        found.add_unmapped(("a", "b"))
    assert found.counts.unmapped == 6
    assert found.unmapped_paths == {"a": 3, "b": 3}


def test_programs_get_everything_as_json() -> None:
    report = ImportReport("2024", packages=[package(hashes=["ab"], error=PackageError("Bad"))])
    (found,) = json.loads(json.dumps(report.as_json()))["packages"]
    assert found["parts"] == [{"name": "a.zip", "sha256": "ab"}]
    assert found["error"] == {"code": "package", "what": "Bad"}
    assert found["new"] == 0
