"""A command's garbage collector: as lazy as it can be, but not off."""

import subprocess
import sys

PROGRAM = """\
import atexit, gc
atexit.register(lambda: print("frozen", gc.get_freeze_count() > 0))
from archiver.cli import main
try:
    main(["--version"])
finally:
    print(gc.isenabled(), gc.get_threshold()[0])
"""


def test_it_does_not_look_through_all_modules_again_and_again() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True
    )
    assert done.stdout.splitlines()[1:] == ["True 10000", "frozen True"]
