"""The certificate of a deletion is signed: what is altered in it is found without the archive."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver.archive.database import reader
from archiver.canonical import canonical_json
from archiver.evidence import standalone
from archiver.evidence.notes import signers
from archiver.evidence.signing_keys import keys_on_record
from support.exporting import make_archive
from support.running import Cli

pytestmark = pytest.mark.slow

RULE = """
[[retention]]
name = "all"
period = "1 day"
basis = "4.1"
"""


def erase(cli: Cli, folder: Path) -> str:
    """Erase a post of a new archive in a folder; returns the certificate."""
    make_archive(folder)
    config = folder / "archive.toml"
    config.write_text(f'[archive]\ndirectory = "archive"\nactor = "records office"\n{RULE}')
    for args in (("p1", "--basis", "Art. 17", "--keep-metrics"), ("--confirm", "1")):
        assert cli("--config", config, "erase", *args).exit_code == 0
    return printed(cli, config, 1)


def printed(cli: Cli, config: Path, number: int) -> str:
    done = cli("--config", config, "erase", "--certificate", str(number))
    assert done.exit_code == 0, done.stderr
    return done.stdout


@pytest.fixture
def certificate(cli: Cli, tmp_path: Path) -> str:
    return erase(cli, tmp_path)


def altered(value: Any) -> Iterator[Any]:
    """A value with each of its parts altered, or left out; of a list the first one."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield {name: each for name, each in value.items() if name != key}
            for other in altered(part):
                yield value | {key: other}
        yield value | {"more": 1}
    elif isinstance(value, list):
        if value:
            yield value[1:]
            for other in altered(value[0]):
                yield [other, *value[1:]]
        yield [*value, 1]
    elif isinstance(value, str):
        yield f"{value}."
    else:
        yield value + 1


def test_it_is_signed_by_the_key_of_checkpoints(certificate: str) -> None:
    said = json.loads(certificate)
    assert "not_signed" not in said
    assert said["signed_by"].startswith(f"{said['archive']}+")
    assert standalone.certificate_problem(certificate, None) is None


def test_no_field_of_it_can_be_altered(certificate: str) -> None:
    count = 0
    for other in altered(json.loads(certificate)):
        count += 1
        assert standalone.certificate_problem(canonical_json(other).decode(), None), other
    assert count > 50


def test_no_character_of_it_can_be_altered(certificate: str) -> None:
    text = certificate.strip()

    @settings(max_examples=20)
    @given(st.integers(0, len(text) - 1), st.characters())
    def check(position: int, character: str) -> None:
        other = text[:position] + character + text[position + 1 :]
        assert other == text or standalone.certificate_problem(other, None)

    check()


def test_a_second_field_of_a_name_is_found(certificate: str) -> None:
    twice = certificate.replace("{", '{"basis":"Art. 18",', 1)
    assert json.loads(twice) == json.loads(certificate)
    assert standalone.certificate_problem(twice, None) == "is not as it was written"


def test_the_program_checks_it_without_the_archive(
    cli: Cli, certificate: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paper, key, other = (tmp_path / name for name in ("certificate.json", "key", "other"))
    paper.write_text(certificate)
    key.write_text(json.loads(certificate)["signed_by"])
    (tmp_path / "second").mkdir()
    other.write_text(json.loads(erase(cli, tmp_path / "second"))["signed_by"])
    assert standalone.main([str(paper)]) == 0
    assert "compare this key" in capsys.readouterr().out
    assert standalone.main([str(paper), str(key)]) == 0
    assert "compare this key" not in capsys.readouterr().out
    assert standalone.main([str(paper), str(other)]) == 1
    assert "is signed by another key than this one" in capsys.readouterr().out
    assert standalone.main([str(paper), str(paper)]) == 2
    paper.write_text(certificate.replace("Art. 17", "Art. 18"))
    assert standalone.main([str(paper), str(key)]) == 1


def test_with_the_archive_it_is_compared_with_the_key_on_record(
    cli: Cli, certificate: str, tmp_path: Path
) -> None:
    paper = tmp_path / "certificate.json"
    paper.write_text(certificate)
    config = tmp_path / "archive.toml"
    assert json.loads(certificate)["signed_by"] in cli("--config", config, "key", "--json").stdout
    assert cli("--config", config, "key", "--rotate").exit_code == 0
    assert list(standalone.check(tmp_path / "archive", [str(paper)])) == []


def test_that_of_a_rule_is_signed_too(cli: Cli, tmp_path: Path) -> None:
    erase(cli, tmp_path)
    config = tmp_path / "archive.toml"
    assert cli("--config", config, "retention", "--dispose").exit_code == 0
    text = printed(cli, config, 2)
    assert json.loads(text)["kind"] == "disposal"
    assert standalone.certificate_problem(text, None) is None


@pytest.mark.parametrize("why", ["held", "withdrawn", "unknown"])
def test_what_is_refused_makes_no_key(cli: Cli, tmp_path: Path, why: str) -> None:
    make_archive(tmp_path)
    config = tmp_path / "archive.toml"
    config.write_text('[archive]\ndirectory = "archive"\n')
    assert cli("--config", config, "erase", "p1", "--basis", "Art. 17").exit_code == 0
    between = {
        "held": ("hold", "add", "p1", "--matter", "2026/17", "--reason", "A claim"),
        "withdrawn": ("erase", "--undo", "1"), "unknown": ("status",),
    }  # fmt: skip
    assert cli("--config", config, *between[why]).exit_code == 0
    number = "9" if why == "unknown" else "1"
    assert cli("--config", config, "erase", "--confirm", number).exit_code == 2
    assert not (tmp_path / "archive.signing-key").exists()
    with reader(tmp_path / "archive") as connection:
        assert keys_on_record(connection) == []


@pytest.mark.parametrize("command", [("erase", "--confirm", "1"), ("retention", "--dispose")])
def test_its_checkpoints_are_signed_and_given_away_at_once(
    cli: Cli, tmp_path: Path, command: tuple[str, ...]
) -> None:
    make_archive(tmp_path)
    config = tmp_path / "archive.toml"
    copies = f'[evidence]\ncheckpoint_copies = ["{tmp_path}/elsewhere"]\n'
    config.write_text(f'[archive]\ndirectory = "archive"\n{copies}{RULE}')
    assert cli("--config", config, "erase", "p1", "--basis", "Art. 17").exit_code == 0
    done = cli("--config", config, *command)
    assert done.exit_code == 0, done.stderr
    assert done.stderr.count("not given") == 0
    said = json.loads(printed(cli, config, 2 if "--dispose" in command else 1))
    with reader(tmp_path / "archive") as connection:
        (key,) = keys_on_record(connection)
        notes = dict(connection.execute("SELECT size, note FROM checkpoints ORDER BY size"))
        (newest,) = connection.execute("SELECT count(*) FROM ledger").fetchone()
    for size in (said["checkpoint_after"]["size"], newest):
        assert signers(notes[size], [key.public]) == ([key.public], True)
    given = b"".join(
        each.read_bytes() for each in (tmp_path / "elsewhere").rglob("*") if each.is_file()
    )
    assert notes[newest].encode() in given
    assert list(standalone.check(tmp_path / "archive")) == []


def test_without_the_extra_it_says_that_it_is_not_signed(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    text = erase(cli, tmp_path)
    said = json.loads(text)
    assert "social-archiver[evidence]" in said["not_signed"]
    assert "signed_by" not in said
    paper = tmp_path / "certificate.json"
    paper.write_text(text)
    assert list(standalone.check(tmp_path / "archive", [str(paper)])) == []
    assert standalone.main([str(paper)]) == 1


def test_without_the_key_on_record_it_says_so(cli: Cli, tmp_path: Path) -> None:
    erase(cli, tmp_path)
    (tmp_path / "archive.signing-key").unlink()
    config = tmp_path / "archive.toml"
    done = cli("--config", config, "retention", "--dispose")
    assert "The certificate is not signed." in " ".join(done.stdout.split())
    assert "is missing" in json.loads(printed(cli, config, 2))["not_signed"]
