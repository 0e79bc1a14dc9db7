"""reading.py make|verify|hash FOLDER: an archive of 2,000 files of 1 MB, read back in two ways."""

import sys
import time
from pathlib import Path

from archiver.evidence.files import Scope
from archiver.evidence.verify import verify
from archiver.garbage import collect_less
from benchmarks.verifying import NOW, make, two_threads


def main(what: str, folder: Path) -> None:
    if what == "make":
        make(folder, 2_000, 1_000_000)
        return
    paths = sorted((folder / "media").glob("*/*"))
    wall, cpu = time.perf_counter(), time.process_time()
    if what == "verify":
        verify(folder, Scope(), NOW)
    else:
        two_threads(paths)
    print("took", time.perf_counter() - wall, time.process_time() - cpu)


if __name__ == "__main__":
    collect_less()  # as a command does
    main(sys.argv[1], Path(sys.argv[2]))
