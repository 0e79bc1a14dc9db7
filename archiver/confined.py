"""Starts another program with limits: on processor time, the size of files, and memory dumps.

`python -I -m archiver.confined LIMITS COMMAND…`; LIMITS is JSON with `seconds`, `file_size`, and
`parent`: the id of the process that starts it, with which the program ends, also when that is
killed, where the system can do so.
"""

import json
import os
import sys
from contextlib import suppress

from archiver.process_limits import end_with, lower_limit


def main() -> None:
    """Set the limits, and become the program."""
    limits = json.loads(sys.argv[1])
    _limit(limits["seconds"], limits["file_size"])
    end_with(limits["parent"])
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 — the command is the resolver's, without a shell


def _limit(seconds: int, file_size: int) -> None:
    limits = {"RLIMIT_CPU": seconds, "RLIMIT_FSIZE": file_size, "RLIMIT_CORE": 0}
    for name, most in limits.items():
        with suppress(ValueError, OSError):
            lower_limit(name, most, for_good=True)


if __name__ == "__main__":
    main()
