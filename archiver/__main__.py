"""`python -m archiver`: the same as the command `archiver`."""

import sys
from pathlib import Path

if __name__ == "__main__":
    # -m puts the current folder first; a plugin or a library lying there must not be loaded
    if not sys.flags.safe_path and sys.path and Path(sys.path[0]) == Path.cwd():
        del sys.path[0]

    from archiver.cli import main

    main()
