"""Records as no platform should send them, through a whole backup: client, reader, archive.

A page of odd records is served in the place of an honest history, twice; afterwards every record
that came is in the archive, whole, as a post or in quarantine.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from archiver.archive.hashed_rows import clean_text
from archiver.jsontext import read_records
from archiver.report import RunReport
from support.nights import PLATFORMS
from support.plugin_data import samples
from support.transfer.faultserver import Talk
from support.transfer.worlds import Behind

SOUND = frozenset({0, 3, 4})
"""Exit codes of a run that coped."""

ODD_TEXTS = [
    "", " ", "\x00", "a\x00b", "\ud800", "\udfff tail", "\u202eevil\u202c", "\x1b[2J\x1b]0;x\x07",
    "a\r\nb\x0b\x0c", "'; DROP TABLE posts; --", "{0.__class__}", "%s%n%d", "{{7*7}}", "$(reboot)",
    "`id`", "../../etc/passwd", "a/b\\c:d", "<script>alert(1)</script>", "=1+1", "\ufeff",
    "e\u0301" * 50,
    "x" * 10_000, "\U0001f600" * 500, "__proto__", "NaN", "1e400", "\u2028\u2029",
    "local:/etc/passwd",
]  # fmt: skip
ODD_NUMBERS: list[Any] = [
    0, -1, 2**53 + 1, 2**63, 2**64, -(2**63) - 1, 10**400, 1.5, -0.0, 1e308, 1.78e16, True, False,
]  # fmt: skip
ODD_DATES: list[Any] = [
    "2026-02-30T00:00:00Z", "2026-03-01T24:00:00Z", "2026-12-31T23:59:60Z", "0000-01-01T00:00:00Z",
    "10000-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "2026-03-01", "Mon, 02 Mar 2026 09:00:00",
    "2026-03-01T09:00:00.123456789Z", "2026-03-01T09:00:00\u221205:00", 1e18, -1, 2**70, 0,
    1772442000, 1772442000000, "1772442000", "2026-W10-1", "9999-12-31T23:59:59-23:59",
    -62135596801,
    "٢٠٢٦-٠٣-٠١T٠٩:٠٠:٠٠Z", "2026-03-01 09:00", "2026-03-01T09:00:00+99:99", [2026, 3, 1],
    {"y": 2026},
]  # fmt: skip
ODD_URLS = [
    "http:", "//host/a", "/a/b", "http://[::1", "https://exa mple/", "javascript:alert(1)",
    "http://a\x00b/", "https://\ud800/", "http://\u202emoc.elpmaxe/", "https://" + "a" * 65536,
    "http://h/\x1b[31m", "http://h/a\nb", "data:text/html,x", "file:///etc/passwd", "HTTP://H:99999/",
]  # fmt: skip

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20), st.sampled_from(ODD_TEXTS), st.sampled_from(ODD_NUMBERS),
    st.sampled_from(ODD_DATES), st.sampled_from(ODD_URLS),
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(ODD_TEXTS) | st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    steps: Iterable[tuple[Any, Any]] = value.items() if isinstance(value, dict) else ()
    if isinstance(value, list):
        steps = enumerate(value)
    for step, inner in steps:
        found += _paths(inner, (*path, step))
    return found


def _changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _changed(copy[path[0]], path[1:], new)
    return copy


@st.composite
def records(draw: st.DrawFn, platform: str) -> Any:
    """A real record with a few of its fields replaced, or something else altogether."""
    if draw(st.integers(0, 9)) == 0:
        return draw(values)
    record = draw(st.sampled_from(samples(platform)))
    for _ in range(draw(st.integers(0, 3))):
        record = _changed(record, draw(st.sampled_from(_paths(record))), draw(values))
    if draw(st.booleans()) and isinstance(record, dict):
        record = {**record, draw(st.text(max_size=6)): draw(values)}
    return record


@st.composite
def pages(draw: st.DrawFn, platform: str) -> bytes:
    """The body of an answer: JSON as Python writes it, which is not always JSON."""
    items = draw(st.lists(records(platform), max_size=5))
    texts = [json.dumps(item, ensure_ascii=draw(st.booleans())) for item in items]
    texts += draw(st.lists(st.sampled_from(BROKEN), max_size=2))
    body = '{"status": "success", "posts": [' + ", ".join(texts) + "]}"
    return body.encode("utf-8", "surrogatepass")


BROKEN = [
    '{"id": "n1", "likeCount": NaN}', '{"id": "n2", "x": Infinity}', '{"id": 1e400}',
    '{"id": "n3", "x": ' + "[" * 3000 + "]" * 3000 + "}", '{"id": ' + "7" * 5000 + "}",
    '{"id": "n4", "x": -' + "9" * 5000 + "}", '{"id": "a", "id": "b", "post": "twice"}',
    '{"id": 17833140557332933000000001}', '{"id": 1.78e16}', '{"id": "n5", "post": "\\ud800"}',
    '{"id": "n6", "post": "\\u0000"}', "null", "[[]]", '"text"', "{}", '{"id": ""}', '{"id": null}',
]  # fmt: skip


@dataclass
class Feeder:
    """Serves bodies in the place of histories, and checks what became of them."""

    world: Behind
    fed: int = 0

    def feed(self, platform: str, *bodies: bytes) -> RunReport:
        """One backup an answer; returns the last report."""
        for body in bodies:
            self.world.faults.clear()
            self.world.faults.rule(f"/api/history/{platform}", _says(body))
            self.world.faults.rule(".jpg", _nothing_there)
            report = self.world.backup(names=(platform,), now=True, full=True, media=False)
            self.world.world.clock.advance(minutes=1)
            assert report.exit_code in SOUND, report.accounts[0].error
            error = report.accounts[0].error
            assert error is None or error.code != "plugin", error
            if report.exit_code != 4:
                self.check(platform, body)
            self.fed += 1
        return report

    def check(self, platform: str, body: bytes) -> None:
        """Every record of an answer is in the archive, whole."""
        _, found = read_records(body, "posts")
        path = self.world.world.directory / "archive.db"
        with closing(sqlite3.connect(path)) as connection:
            for record in found:
                if _is_failure(record.data):
                    continue
                raw = clean_text(record.raw)
                assert _is_kept(connection, raw), f"lost: {record.raw[:200]}"


def _is_kept(connection: sqlite3.Connection, raw: str) -> bool:
    """As a post, a revision, in quarantine; or a post that looks just like that one."""
    digest = hashlib.sha256(raw.encode()).hexdigest()
    queries = (
        ("SELECT 1 FROM quarantine WHERE raw_sha256 = ?", digest),
        ("SELECT 1 FROM posts WHERE raw = ?", raw),
        ("SELECT 1 FROM revisions WHERE raw = ?", raw),
    )
    if any(connection.execute(sql, (value,)).fetchone() for sql, value in queries):
        return True
    name = str(json.loads(raw).get("id"))  # a post whose content is known: numbers alone moved
    query = """
        SELECT 1 FROM posts WHERE platform_id = :name
         UNION SELECT 1 FROM post_aliases WHERE scheme = 'earlier_id' AND value = :name
    """
    return connection.execute(query, {"name": clean_text(name)}).fetchone() is not None


def _is_failure(data: object) -> bool:
    """An error in the place of a post, as the API documents it."""
    said = isinstance(data, dict) and ((data.get("status") == "error"), "code" in data,
                                       "action" in data)  # fmt: skip
    return said is not False and sum(said) >= 2


def _says(body: bytes) -> Any:
    def answer(talk: Talk) -> bool:
        talk.answer(body, {"content-type": "application/json"})
        return True

    return answer


def _nothing_there(talk: Talk) -> bool:
    talk.answer(b"", status=404)
    return True


__all__ = ["BROKEN", "ODD_DATES", "ODD_NUMBERS", "ODD_TEXTS", "ODD_URLS", "PLATFORMS", "Feeder",
           "Path", "pages"]  # fmt: skip
