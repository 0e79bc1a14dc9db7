"""A process that has everything imported, and forks one child per command line.

Thousands of runs are made here, and starting an interpreter takes longer than backing up a small
world. A child is a process of its own that runs the command line as `archiver` would; before it
begins it waits, if asked to, until a tracer has attached itself.

One JSON object a line goes in, one comes out for each: `start`, `go`, `wait`. Run as a program.
"""

import ctypes
import json
import os
import signal
import sys
import traceback
from importlib import import_module
from typing import Any

_PR_SET_PTRACER = 0x59616D61
_ANYBODY = ctypes.c_ulong(-1)
_LOADED_WHEN_NEEDED = (
    "archiver.archive.media_files", "archiver.archive.schema", "archiver.backup.run",
    "archiver.backup.mounts", "archiver.cli.logs", "archiver.cli.notices",
    "archiver.cli.plugin_output", "archiver.cli.summary", "archiver.evidence.copy",
    "archiver.evidence.elsewhere", "archiver.evidence.kept_stamps", "archiver.evidence.repair",
    "archiver.evidence.restored", "archiver.unattended.care", "archiver.unattended.due_care",
    "archiver.unattended.last_settings",
    "archiver.version", "cryptography.exceptions",
    "cryptography.hazmat.primitives.asymmetric.ed25519", "encodings.ascii",
    "encodings.idna", "encodings.utf_8_sig", "filelock", "PIL.Image", "pwd", "sqlite_utils",
    "support.torture.patches",
)  # fmt: skip
"""What backup, verify and copy import only while they run: else each child would do it."""


def main() -> None:
    """Serve until the input ends."""
    asked = os.fdopen(os.dup(0), "r", encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    os.dup2(2, 1)
    _warm_up()
    gates: dict[int, int] = {}
    for line in asked:
        job = json.loads(line)
        match job["do"]:
            case "start":
                pid, gate = _start(job)
                gates[pid] = gate
                answer = {"pid": pid}
            case "go":
                os.close(gates.pop(job["pid"]))
                answer = {}
            case _:
                _, status, usage = os.wait4(job["pid"], 0)
                code = os.waitstatus_to_exitcode(status)
                answer = {"code": code, "maxrss": usage.ru_maxrss}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _warm_up() -> None:
    """Import what the commands import when they run, and start an event loop once."""
    import anyio

    from archiver.cli import COMMANDS
    from archiver.plugins import load_plugins

    for module, _ in COMMANDS.values():
        import_module(module)
    for name in _LOADED_WHEN_NEEDED:
        import_module(name)
    load_plugins()
    _make_films_here()
    anyio.run(anyio.lowlevel.checkpoint)


def _make_films_here() -> None:
    """Join films as without the extra `hls`.

    Its child process would change the archive as well, and the tracer counts the calls of one.
    """
    remuxing: Any = import_module("archiver.media.playlists.remuxing")
    remuxing.find_spec = lambda _: None
    remuxing.can_remux.cache_clear()


def _start(job: dict[str, Any]) -> tuple[int, int]:
    """Fork a child for a job; returns its id, and what to close to let it go."""
    waits, gate = os.pipe()
    pid = os.fork()
    if pid:
        os.close(waits)
        return pid, gate
    code = 1
    try:
        os.close(gate)
        code = _run(job, waits)
    except BaseException:  # noqa: BLE001 — nothing of a child may go on in the parent's code
        traceback.print_exc()
    finally:
        os._exit(code)


def _run(job: dict[str, Any], waits: int) -> int:
    """In the child: the command line, with its own folder and output; returns the exit code."""
    from archiver.cli import main as archiver
    from support.torture import patches

    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(job["cwd"])
    for number, name in ((1, "stdout"), (2, "stderr")):
        path = os.path.join(job["notes"], name)  # noqa: PTH118 — one call less in the log
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
    for name in job["patches"]:
        patches.apply(name, job["notes"])
    ctypes.CDLL(None).prctl(_PR_SET_PTRACER, _ANYBODY, 0, 0, 0)
    os.read(waits, 1)
    try:
        archiver(job["args"])
    except SystemExit as end:
        sys.stdout.flush()
        return end.code if isinstance(end.code, int) else 1
    return 0


if __name__ == "__main__":
    main()
