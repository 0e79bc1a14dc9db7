"""Starts another program with limits: on processor time, the size of files, and memory dumps.

`python -I -m archiver.confined LIMITS COMMAND…`; LIMITS is JSON with `seconds` and `file_size`.
The program ends with whoever started it, also when that is killed, where the system can do so.
"""

import ctypes
import json
import os
import signal
import sys
from contextlib import suppress

from archiver.process_limits import lower_limit

_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)


def main() -> None:
    """Set the limits, and become the program."""
    limits = json.loads(sys.argv[1])
    _limit(limits["seconds"], limits["file_size"])
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
            if os.getppid() == 1:  # it was killed before it could be said
                return
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 — the command is the resolver's, without a shell


def _limit(seconds: int, file_size: int) -> None:
    limits = {"RLIMIT_CPU": seconds, "RLIMIT_FSIZE": file_size, "RLIMIT_CORE": 0}
    for name, most in limits.items():
        with suppress(ValueError, OSError):
            lower_limit(name, most, for_good=True)


if __name__ == "__main__":
    main()
