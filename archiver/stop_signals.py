"""The signals by which a person or the system asks a program to end."""

import signal

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


def stop_signals() -> list[signal.Signals]:
    """Those that this process is to heed.

    Windows has no SIGHUP, which says that the terminal is gone; nohup has it ignored, and a shell
    has SIGINT ignored by what it runs in the background.
    """
    numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    return [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]
