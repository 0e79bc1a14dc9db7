"""An export says who captured and verified its posts, and who exported them."""

from pathlib import Path

from archiver.archive.database import reader, writer
from archiver.archive.rows import insert
from archiver.archive.transactions import transaction
from archiver.export.custody import custody
from archiver.export.folder import export_folder
from archiver.export.heading import ExportHeading
from archiver.media.folder_store import FolderStore
from archiver.unattended.care_log import CareEntry, log_care
from support.sealed import make_sealed

COUNTS = dict.fromkeys(
    ("got", "new", "edited", "removed", "stored", "bytes", "omitted", "failed"), 0
)


def test_custody_is_counted_by_who_had_it(tmp_path: Path) -> None:
    directory = make_sealed(tmp_path / "here", 1).directory
    with writer(directory) as connection, transaction(connection):
        for day, by in ((1, "backup@one"), (2, "backup@one"), (3, None)):
            insert(
                connection, "runs", started_at=f"2026-03-0{day}T00:00:00.000Z", outcome="done",
                version="0.1", actor=by, asked="{}", **COUNTS,
            )  # fmt: skip
    log_care(directory, CareEntry("verify", "2026-03-04T00:00:00.000Z", "done", 3, 10))
    heading = ExportHeading("archive", "all accounts", "2026-03-05T00:00:00Z")
    with (
        export_folder(tmp_path / "out", FolderStore(directory), heading) as folder,
        reader(directory) as connection,
    ):
        folder.count_posts(2)
        said = custody(connection, folder, "me@desk")
    assert [(one["by"], one["runs"]) for one in said["captured"]] == [("backup@one", 2), (None, 1)]
    assert said["captured"][0]["last"] == "2026-03-02T00:00:00.000Z"
    assert [(one["outcome"], one["times"]) for one in said["verified"]] == [("done", 1)]
    assert (said["exported"]["by"], said["exported"]["posts"]) == ("me@desk", 2)
    assert said["checkpoint"].startswith(said["log"])
    assert [one["reason"] for one in said["signing_keys"]] == ["first"]
