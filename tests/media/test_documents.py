"""Documents are told by their bytes: archives by their members, older ones by their streams."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archiver.media.documents import document_kind
from support.media.samples import PDF, PNG, compound, office, zipped

ODF = "application/vnd.oasis.opendocument"


@pytest.mark.parametrize(
    ("data", "extension"),
    [
        (PDF, "pdf"), (b"{\\rtf1\\ansi x}", "rtf"), (b"%!PS-Adobe-3.0", "ps"),
        (office("word"), "docx"), (office("ppt"), "pptx"), (office("xl"), "xlsx"),
        (zipped("content.xml", mimetype=f"{ODF}.presentation"), "odp"),
        (zipped("content.xml", mimetype=f"{ODF}.text"), "odt"),
        (zipped("content.xml", mimetype=f"{ODF}.spreadsheet"), "ods"),
        (zipped("a.xhtml", mimetype="application/epub+zip"), "epub"),
        (compound("WordDocument"), "doc"), (compound("PowerPoint Document"), "ppt"),
        (compound("Workbook"), "xls"),
    ],
)  # fmt: skip
def test_documents(tmp_path: Path, data: bytes, extension: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    kind = document_kind(path, data[:4096])
    assert kind is not None
    assert (kind.extension, kind.group) == (extension, "document")


@pytest.mark.parametrize(
    "data",
    [zipped("word/main.xml"), zipped("a.txt"), zipped("x", mimetype="text/plain"), PNG, b"", b"PK",
     zipped("a")[:-10], compound("Other"), compound("WordDocument")[:100]],
)  # fmt: skip
def test_what_is_no_document(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    assert document_kind(path, data[:4096]) is None


@given(st.sampled_from([office("xl"), compound("Book")]), st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_damaged_ones_harm_nobody(tmp_path: Path, whole: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(8, len(whole) - 1))
    changed = whole[:at] + data.draw(st.binary(min_size=1, max_size=8)) + whole[at:]
    path = tmp_path / "file"
    path.write_bytes(changed)
    kind = document_kind(path, changed[:4096])
    assert kind is None or kind.group == "document"
