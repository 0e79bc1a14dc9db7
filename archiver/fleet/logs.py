"""What a worker logs: a JSON object on a line of its own for each event."""

import json
import logging
import sys
from datetime import UTC, datetime

from archiver.secrets import redact

LOGGER = "archiver.fleet"


class JsonLines(logging.Formatter):
    """`{"at": …, "level": …, "event": …}`, and what the event says beside, such as the tenant."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, without secrets."""
        said = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "about", {}),
        }
        return redact(json.dumps(said, ensure_ascii=False, default=str))


def log_to_stderr(level: int) -> None:
    """Write what happens from this level on to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logger = logging.getLogger(LOGGER)
    logger.addHandler(handler)
    logger.setLevel(level)
