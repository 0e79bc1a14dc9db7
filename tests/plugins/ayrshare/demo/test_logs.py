"""What was asked of the servers of a world is on record."""

from archiver.clock import START
from archiver_ayrshare.demo.logs import ApiLog, MediaLog


def test_a_request_names_its_platform_by_its_path_or_a_parameter() -> None:
    by_path = ApiLog(START, "GET", "history/threads", {}, {}, 200, 9)
    by_parameter = ApiLog(START, "GET", "history/1", {"platform": "threads"}, {}, 200, 9)
    assert by_path.platform == by_parameter.platform == "threads"


def test_a_request_for_a_file_has_its_range() -> None:
    assert MediaLog(START, "GET", "h", "/a", {}, {"range": "bytes=1-"}).range == "bytes=1-"
    assert MediaLog(START, "GET", "h", "/a", {}, {}).range is None
