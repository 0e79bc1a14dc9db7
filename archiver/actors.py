"""Who runs this program: what runs, verifies and exports are attributed to."""

import getpass
import os
import platform


def actor(configured: str | None = None) -> str:
    """The actor that the config names, such as a service account; else the system's `user@host`."""
    return configured or f"{_user()}@{platform.node() or 'unknown'}"


def _user() -> str:
    """The name of the user as the system has it, not as variables of the environment say."""
    try:
        import pwd  # noqa: PLC0415 — there is none on Windows

        return pwd.getpwuid(os.getuid()).pw_name
    except ImportError:
        return getpass.getuser()
    except KeyError:  # a container may run under a number that no user has
        return f"uid-{os.getuid()}"
