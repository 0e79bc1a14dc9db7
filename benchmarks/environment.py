"""Where a benchmark lives: `.bench/`, with peers and servers that nothing else on the machine sees.

Peers come from PyPI into a virtual environment, nginx from Debian's archive, unpacked and not
installed: no service is started, no file outside `.bench/` is touched.
"""

import compileall
import os
import platform
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".bench"
PYTHON = HOME / "venv" / "bin" / "python"
NGINX = HOME / "nginx" / "usr" / "sbin" / "nginx"
MODULES = HOME / "nginx" / "usr" / "lib" / "nginx" / "modules"
PEERS = ("aiohttp", "gallery-dl", "click")
PACKAGES = ("nginx", "libnginx-mod-http-echo")


def prepare() -> None:
    """Install what is compared with, once."""
    HOME.mkdir(exist_ok=True)
    if not PYTHON.exists():
        run(sys.executable, "-m", "venv", HOME / "venv")
        run(PYTHON, "-m", "pip", "install", "--quiet", *PEERS)
    if not NGINX.exists():
        debs = HOME / "deb"
        debs.mkdir(exist_ok=True)
        run("apt-get", "download", *PACKAGES, cwd=debs)
        for deb in debs.glob("*.deb"):
            run("dpkg", "-x", deb, HOME / "nginx")
    for name in ("archiver", "plugins"):  # as an installed program is
        compileall.compile_dir(ROOT / name, quiet=1)
    if shutil.which("curl") is None:
        raise SystemExit("curl is missing: apt-get install curl")


def run(*command: str | Path, cwd: Path | None = None) -> str:
    """The output of a command that must succeed."""
    done = subprocess.run(
        [*map(str, command)], cwd=cwd, check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


def facts() -> list[str]:
    """What a reader must know of the machine, a line each."""
    cpu = next(
        (line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").open()
         if line.startswith("model name")), platform.processor(),
    )  # fmt: skip
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    peers = run(PYTHON, "-m", "pip", "list", "--format=freeze").split()
    peers = [line for line in peers if line.partition("==")[0].replace("_", "-") in PEERS]
    curl = run("curl", "--version").split()[1]
    nginx = subprocess.run(
        [NGINX, "-v"], capture_output=True, text=True, check=True
    ).stderr.rpartition("/")[2].strip()  # fmt: skip
    ours = [f"{name}=={version(name)}" for name in ("httpx", "anyio", "msgspec")]
    return [
        f"{os.cpu_count()} × {cpu}, {memory:.0f} GiB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, SQLite {_sqlite()}",
        f"Peers: {', '.join(peers)}, curl {curl}; served by nginx {nginx} on 127.0.0.1, "
        "on the same cores",
        f"Under archiver: {', '.join(ours)}",
    ]


def _sqlite() -> str:
    import sqlite3

    return sqlite3.sqlite_version
