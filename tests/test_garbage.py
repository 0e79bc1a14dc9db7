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


LOADING = """\
import gc
from archiver.garbage import collect_less, modules_loaded

def count():
    return sum(generation["collections"] for generation in gc.get_stats())

collect_less()
with modules_loaded():
    before = count()
    kept = [[] for _ in range(50_000)]
    print(count() - before, gc.isenabled())
print(gc.isenabled(), gc.get_freeze_count() > 50_000)
frozen = gc.get_freeze_count()
try:
    with modules_loaded():
        more = [[] for _ in range(50_000)]
        raise ValueError
except ValueError:
    print(gc.isenabled(), gc.get_freeze_count() <= frozen)
gc.disable()
with modules_loaded():
    pass
print(gc.isenabled())
"""


def test_it_waits_while_modules_are_loaded_and_passes_over_them_from_then_on() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADING], check=True, capture_output=True, text=True
    )
    # only the first block of a process is frozen: what a later one leaves may be garbage
    assert done.stdout.splitlines() == ["0 False", "True True", "True True", "False"]
