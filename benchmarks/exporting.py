"""What exports of many posts with files take: `exporting.py [POSTS [BYTES_EACH [FORMAT …]]]`.

Default: 100,000 posts, each with a file of its own of 20,000 bytes, as jsonl, csv and html. Of each
format there are two exports, each in a process of its own: of a tenth of the posts, and of all.
Memory must not grow with their number.
"""

import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from archiver.archive.database import transaction, writer
from archiver.archive.rows import insert, insert_all
from archiver.cli.export import export_forms
from archiver.export.run import export_posts
from archiver.export.selection import ArchiveSelection
from archiver.media.folder_store import FolderStore
from archiver.media.store import stored_path

AT = "2026-01-01T00:00:00.000Z"
FORMATS = ("jsonl", "csv", "html")
_BATCH = 1_000


def make(directory: Path, count: int, size: int) -> None:
    """An archive with so many posts, each with a picture of so many bytes."""
    noise = os.urandom(size)
    with writer(directory) as connection:
        account = insert(connection, "accounts", name="acme", platform="threads", first_seen_at=AT)
        for begin in range(1, count + 1, _BATCH):
            numbers = range(begin, min(begin + _BATCH, count + 1))
            files = {number: _store(directory, number, noise) for number in numbers}
            with transaction(connection):
                insert_all(connection, "posts", [_post(account, number) for number in numbers])
                insert_all(connection, "media", [
                    {"sha256": digest, "path": stored_path(digest, "jpg"), "size": size,
                     "content_type": "image/jpeg", "stored_at": AT}
                    for digest in files.values()
                ])  # fmt: skip
                insert_all(connection, "attachments", [
                    {"id": number, "post_id": number, "position": 0, "key": f"k{number}",
                     "kind": "image", "omitted": 0, "source": "example"}
                    for number in numbers
                ])  # fmt: skip
                insert_all(connection, "renditions", [
                    {"id": number, "attachment_id": number, "account_id": account,
                     "role": "original", "media_key": f"k{number}", "state": "stored",
                     "media_sha256": files[number], "tries": 0, "source": "example"}
                    for number in numbers
                ])  # fmt: skip


def _store(directory: Path, number: int, noise: bytes) -> str:
    data = b"\xff\xd8\xff" + number.to_bytes(8) + noise[11:]
    digest = sha256(data).hexdigest()
    path = directory / stored_path(digest, "jpg")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return digest


def _post(account: int, number: int) -> dict[str, object]:
    month, day = divmod(number, 28)
    at = f"{2016 + month // 12 % 10}-{month % 12 + 1:02}-{day + 1:02}T09:00:00.000Z"
    return {
        "id": number, "account_id": account, "platform": "threads", "platform_id": f"p{number}",
        "created_at": at, "text": f"Post number {number} of the bakery", "kind": "post",
        "first_seen_at": AT, "last_seen_at": AT, "raw": "{}",
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class ExportCost:
    """What one export took: seconds, and the most memory, in MiB."""

    seconds: float
    memory: float


def measured(directory: Path, form: str, target: Path) -> ExportCost:
    """Export an archive in a process of its own."""
    begin = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.exporting", "--one", directory, form, target],
        check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return ExportCost(time.monotonic() - begin, float(done.stdout))


def export_one(directory: Path, form: str, target: Path) -> None:
    """Export everything, and print the most memory that this process had, in MiB."""
    store = FolderStore(directory)
    export_posts(directory, store, target, export_forms()[form], ArchiveSelection())
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main(count: int, size: int, forms: Sequence[str]) -> None:
    with TemporaryDirectory() as folder:
        counts = (max(1, count // 10), count)
        for each in counts:
            make(Path(folder, f"archive-{each}"), each, size)
        print("| format | posts | seconds | posts a second | memory |\n|---|---|---|---|---|")
        for form in forms:
            for each in counts:
                target = Path(folder, f"{form}-{each}")
                cost = measured(Path(folder, f"archive-{each}"), form, target)
                print(
                    f"| {form} | {each:,} | {cost.seconds:.1f} | {each / cost.seconds:,.0f} | "
                    f"{cost.memory:.0f} MiB |",
                    flush=True,
                )
                shutil.rmtree(target)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        export_one(Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))
    else:
        posts, bytes_each, *chosen = [*sys.argv[1:], *("100000", "20000")[len(sys.argv) - 1 :]]
        main(int(posts), int(bytes_each), chosen or FORMATS)
