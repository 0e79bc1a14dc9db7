"""Compare this program with its peers: `python -m benchmarks [PART …]`; see docs/performance.md.

Without parts, all rows are measured and written into the page. BENCH_ROUNDS (5) and BENCH_POSTS
(100000) make it shorter.
"""

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

from benchmarks.downloads import clean
from benchmarks.environment import ROOT, facts, prepare
from benchmarks.rows import PARTS, Row
from benchmarks.web import web
from docs.figures import put_figures

PAGE = ROOT / "docs" / "performance.md"
HEAD = ("| job | archiver | peer | ratio | target | met |", "|---|---|---|---|---|---|")


def main(parts: list[str]) -> None:
    rounds = int(os.environ.get("BENCH_ROUNDS", "5"))
    count = int(os.environ.get("BENCH_POSTS", "100000"))
    prepare()
    clean()
    load = os.getloadavg()[0]
    lines = list(HEAD)
    print("\n".join(HEAD))
    for part in parts or PARTS:
        for found in measured(part, rounds, count):
            lines.append(str(found))
            print(found, flush=True)
    when = datetime.now(UTC).date().isoformat()
    about = [
        f"Measured on {when}, medians of {rounds} rounds; the machine's load was {load:.1f} before "
        f"and {os.getloadavg()[0]:.1f} after."
    ]
    notes = [f"- {line}" for line in [*about, *facts()]]
    if not parts:
        put_figures(PAGE, "peers", "\n".join([*lines, "", *notes]))
    print("\n".join(notes))
    clean()


def measured(part: str, rounds: int, count: int) -> Iterator[Row]:
    """The rows of one part."""
    work = PARTS[part]
    if part in {"downloads", "durability"}:
        with web() as found:
            yield from work(found, rounds)
    elif part == "posts":
        yield from work(count, rounds)
    else:
        yield from work(rounds)


if __name__ == "__main__":
    main(sys.argv[1:])
