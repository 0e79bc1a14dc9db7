"""Posts as e-mail messages."""

import email
import shutil
from email.policy import default
from pathlib import Path

import pytest

from archiver.archive.database import transaction, writer
from archiver.archive.rows import update
from support.exporting import PICTURE, exported

pytestmark = pytest.mark.slow


def test_eml_is_read_by_a_mail_parser_with_text_files_and_thread(
    directory: Path, tmp_path: Path
) -> None:
    folder = exported(directory, tmp_path / "out", "eml").folder
    found = {
        path.name: email.message_from_bytes(path.read_bytes(), policy=default)
        for path in (folder / "messages").iterdir()
    }
    assert sorted(found) == [
        "2026-03-01_acme_post-1.eml", "2026-03-02_acme_post-2.eml", "undated_acme_post-3.eml",
    ]  # fmt: skip
    bowl, formula, answer = (found[name] for name in sorted(found))
    assert not any(part.defects for message in found.values() for part in message.walk())
    body = bowl.get_body()
    assert body is not None
    assert body.get_content().splitlines()[0] == "Good evening"
    (attached,) = bowl.iter_attachments()
    assert attached.get_content() == PICTURE
    assert attached.get_filename() == "2026-03-01_acme_1of2_post-1.jpg"
    assert bowl["Date"].datetime.isoformat().startswith("2026-03-01")
    assert formula["Subject"] == "'quoted"
    assert answer["Subject"].startswith("An answer, „grüß“ 日本語")
    assert answer["In-Reply-To"] == formula["Message-ID"]
    assert answer["Date"] is None


@pytest.mark.parametrize(
    "text",
    [
        "Subject\r\nBcc: all@a.example", "\x00\x1b[31m", "ü" * 3000, "one\n.\ntwo",
        "x" * 2000, "=?utf-8?q?a?=", "\u202eright to left",
    ],
)  # fmt: skip
def test_no_text_adds_a_header_or_breaks_the_message(
    directory: Path, tmp_path: Path, text: str
) -> None:
    archive = shutil.copytree(directory, tmp_path / "archive")
    with writer(archive) as connection, transaction(connection):
        update(
            connection, "posts", "id = 2", (), title=text, text=text, platform_id=text, author=text,
            url=text,
        )  # fmt: skip
        update(connection, "accounts", "id = 1", (), handle=text)
    folder = exported(archive, tmp_path / "out", "eml").folder
    message = email.message_from_bytes(
        (folder / "messages" / "2026-03-02_acme_post-2.eml").read_bytes(), policy=default
    )
    assert message["Bcc"] is None
    assert message["From"].addresses[0].domain == "threads.invalid"
    assert not any(part.defects for part in message.walk())
    body = message.get_body()
    assert body is not None
    shown = body.get_content()
    assert "\x00" not in shown
    assert "\x1b" not in shown
    if text.isprintable():
        assert text in shown
