"""What a worker logs."""

import json
import logging

from archiver.fleet.logs import JsonLines
from archiver.secrets import Secret


def test_an_event_is_one_line_of_json_without_secrets() -> None:
    Secret("sk-very-secret-1234", verbatim=True).mask()
    record = logging.makeLogRecord({
        "msg": "a job failed", "levelname": "WARNING", "levelno": logging.WARNING, "created": 0.5,
        "about": {"tenant": "acme", "why": "sk-very-secret-1234 is refused\nby the source"},
    })  # fmt: skip
    line = JsonLines().format(record)
    assert "\n" not in line
    assert "sk-very-secret" not in line
    said = json.loads(line)
    assert said["at"] == "1970-01-01T00:00:00.500+00:00"
    assert (said["level"], said["event"], said["tenant"]) == ("warning", "a job failed", "acme")
