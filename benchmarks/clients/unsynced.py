"""Ours, but for the syncs: what it would cost if a file were called stored before it is on the disk.

unsynced.py ARCHIVE CONNECTIONS [CERTIFICATE]
"""

import os
import runpy

from archiver.media import file_system_sync

if __name__ == "__main__":
    os.fsync = lambda fd: None
    file_system_sync._syncfs = lambda descriptor: None
    runpy.run_module("benchmarks.clients.ours", run_name="__main__")
