"""Each bad archive of the public set has exactly one thing wrong with it, and verify names it."""

import json
from pathlib import Path

import pytest

from archiver.cli import main
from support.bad_archives import BAD, Bad

pytestmark = pytest.mark.slow


def verify_json(capsys: pytest.CaptureFixture[str], archive: Path) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["verify", str(archive), "--json"])
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_verify_finds_what_is_wrong(
    bad: Bad, archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    named = bad.damage(archive)
    code, out, err = verify_json(capsys, archive)
    assert code == bad.exit_code, (out, err)
    assert "Traceback" not in err
    if not bad.opens:
        assert str(archive) in err.replace("\n        ", "") or "newer" in err
        assert "Next:" in err
        return
    result = json.loads(out)
    findings = result["damage"] + result["leftovers"]
    assert [f for f in findings if f["what"] == bad.finding and named in f["subject"]], findings


def test_a_database_that_cannot_be_read_is_reported_in_json_too(
    archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (archive / "archive.db").write_bytes(b"no database")
    code, out, _ = verify_json(capsys, archive)
    assert code == 7
    assert [finding["what"] for finding in json.loads(out)["damage"]] == ["database"]


def test_files_whose_rows_were_in_a_lost_log_come_with_what_to_do(
    archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (bad,) = [bad for bad in BAD if bad.name == "lost_log"]
    bad.damage(archive)
    with pytest.raises(SystemExit):
        main(["verify", str(archive)])
    said = " ".join(capsys.readouterr().err.split())
    assert "archive.db-wal" in said
    assert "archiver backup --full" in said
