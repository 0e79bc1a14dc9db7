"""The shapes of the two fixtures that run the command line, for annotations."""

import subprocess
from collections.abc import Callable

from click.testing import Result

Cli = Callable[..., Result]
RunArchiver = Callable[..., "subprocess.CompletedProcess[str]"]
