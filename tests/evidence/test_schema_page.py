"""What docs/schema.md says of hashes is enough to check them with a standard library alone."""

import hashlib
import json
import re
import sqlite3
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from archiver.archive.database import DATABASE
from archiver.archive.facts import ROW_HASHED

PAGE = Path(__file__).parent.parent.parent / "docs" / "schema.md"


def as_json(value: Any) -> Any:
    if isinstance(value, bytes):
        return b64encode(value).decode()
    return repr(value) if isinstance(value, float) else value


def hash_by_the_page(table: str, row: dict[str, Any]) -> str:
    """A second implementation, by the words of the page."""
    columns = {name: as_json(value) for name, value in row.items() if value is not None}
    columns.pop("row_sha256", None)
    text = json.dumps(
        {"": table} | columns, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    digest = hashlib.sha256(text.encode()).hexdigest()
    return digest[:12] if table == "metrics" else digest


@pytest.mark.parametrize("table", ROW_HASHED)
def test_every_row_of_an_archive_has_the_hash_that_the_page_says(
    good_archive: Path, table: str
) -> None:
    connection = sqlite3.connect(good_archive / DATABASE)
    connection.row_factory = sqlite3.Row
    total = 0
    for found in connection.execute(f"SELECT * FROM {table}"):
        row = dict(found)
        assert hash_by_the_page(table, row) == row["row_sha256"]
        total += int(row["row_sha256"][:12], 16)
    query = "SELECT sum FROM table_checksums WHERE name = ?"
    assert connection.execute(query, (table,)).fetchone()[0] == total % 2**62
    connection.close()


def test_the_examples_of_rows() -> None:
    text = PAGE.read_text("utf-8").partition("## Row hashes")[2].partition("## Content hashes")[0]
    examples = re.findall(r"^(\w+): (\{.*\})\n→ (\w+)$", text, re.MULTILINE)
    assert len(examples) >= 4
    for table, shown, digest in examples:
        row = {
            name: value["BLOB"] if isinstance(value, dict) else value
            for name, value in json.loads(shown).items()
        }
        assert hash_by_the_page(table, row) == digest


def test_the_examples_of_content() -> None:
    text = PAGE.read_text("utf-8").partition("## Content hashes")[2]
    examples = re.findall(r"^(\{.*\})\n→ (\w+)$", text, re.MULTILINE)
    assert len(examples) >= 2
    for shown, digest in examples:
        assert hashlib.sha256(shown.encode()).hexdigest() == digest
        again = json.dumps(json.loads(shown), sort_keys=True, separators=(",", ":"))
        assert again == shown
