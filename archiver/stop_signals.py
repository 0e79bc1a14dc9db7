"""The signals that ask a program to end."""

import signal

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


def stop_signals() -> list[signal.Signals]:
    """The signals that this process handles.

    Windows has no SIGHUP, which says that the terminal is gone; nohup has it ignored, and a shell
    has SIGINT ignored by what it runs in the background.
    """
    numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    return [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]
