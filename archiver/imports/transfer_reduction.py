"""Leaving out of another archive's posts what the settings of this one leave out.

Records are reduced as those of a backup are: by the plugin that reads them, so that what is left
still gives the same post.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from archiver.archive.packages import EXPORT
from archiver.archive.post_sources import CUSTOM_EMOJI
from archiver.archive.transfer import OF_ATTACHMENTS, OF_POSTS, Row, TransferredPost
from archiver.backup.validation import validate_post
from archiver.config import Config
from archiver.errors import PackageError, RecordError
from archiver.hookspecs import ExportReader, Platform
from archiver.media.selection import left_out_setting
from archiver.minimisation import Minimiser, Read
from archiver.models import Account, Post, Record
from archiver.plugin_calls import plugin_errors

_Parse = Callable[[dict[str, Any]], Post]


@dataclass(frozen=True, slots=True)
class TransferReduction:
    """What is left out of posts, and the plugins that read their records."""

    minimiser: Minimiser
    media: frozenset[str]
    readers: Sequence[ExportReader] = ()
    platforms: Sequence[Platform] = ()
    _reads: dict[tuple[str, str], Read] = field(default_factory=dict)

    @classmethod
    def of(
        cls, config: Config, readers: Sequence[ExportReader], platforms: Sequence[Platform]
    ) -> "TransferReduction":
        """That of the settings."""
        minimiser = Minimiser.of(config.archive.leave_out)
        return cls(minimiser, frozenset(config.media.leave_out), readers, platforms)

    def reduced(self, post: TransferredPost) -> TransferredPost:
        """The post without what is left out. Raises PackageError where no plugin reads it."""
        rows: dict[str, Sequence[Row]] = dict.fromkeys((*OF_POSTS, *OF_ATTACHMENTS), ())
        rows |= post.rows
        if self.media:
            rows["renditions"] = self._renditions(rows)
        row = post.row
        if self.minimiser.parts:
            row = {**row, "raw": self._record(row, _leading(rows), row["raw"])}
            rows["post_sources"] = [self._source(row, each) for each in rows["post_sources"]]
            rows["revisions"] = [
                {**each, "raw": self._record(row, each["source"], each["raw"])}
                for each in rows["revisions"]
            ]
        if "numbers" in self.minimiser.parts:
            rows["metrics"] = []
        if "people" in self.minimiser.parts:
            row = {**row, "author": None}
            rows["relations"] = [{**each, "url": None} for each in rows["relations"]]
        named = {each["media_sha256"] for each in rows["renditions"]}
        left = {each["media_sha256"] for each in post.rows.get("renditions", ())} - named
        files = {sha256: name for sha256, name in post.files.items() if sha256 not in left}
        return TransferredPost(post.account, row, rows, files)

    def _renditions(self, rows: Mapping[str, Sequence[Row]]) -> list[Row]:
        """Those of kinds that are left out are skipped, and have no file."""
        left_out = {row["id"] for row in rows["attachments"] if row["kind"] in self.media}
        setting = left_out_setting(self.media)
        skipped = {
            "state": "skipped", "reason_code": "setting_leave_out", "setting": setting,
            "reason": f"leave_out={setting}", "media_sha256": None,
        }  # fmt: skip
        return [
            {**row, **skipped} if row["attachment_id"] in left_out else row
            for row in rows["renditions"]
        ]

    def _source(self, post: Row, row: Row) -> Row:
        """What a source showed; the next answer of it is compared, since its record is another."""
        raw = row["raw"] and self._record(post, row["source"], row["raw"])
        found = {**row, "raw": raw, "fingerprint": b""}
        if "people" not in self.minimiser.parts:
            return found
        if row["said"]:
            said = json.loads(row["said"]) | {"author": None}
            found["said"] = json.dumps(said, ensure_ascii=False, sort_keys=True)
        if row["extra"]:
            kept = {name: each for name, each in json.loads(row["extra"]).items()
                    if each["is_content"] or name == CUSTOM_EMOJI}  # fmt: skip
            found["extra"] = json.dumps(kept, ensure_ascii=False, sort_keys=True) if kept else None
        return found

    def _record(self, post: Row, source: str, raw: str) -> str:
        platform = str(post["platform"])
        if (platform, source) not in self._reads:
            self._reads[platform, source] = self._read(platform, source)
        record = Record(raw, json.loads(raw))
        return self.minimiser.record_text(record, self._reads[platform, source])

    def _read(self, platform: str, source: str) -> Read:
        parse = self._parse(platform, source)

        def read(data: Any) -> Post:
            if not isinstance(data, dict):
                raise RecordError("The record is not a JSON object")
            with plugin_errors(lambda _: RecordError("The plugin cannot read the record")):
                post = parse(data)
            return self.minimiser.reduce_post(validate_post(post))

        return read

    def _parse(self, platform: str, source: str) -> _Parse:
        account = Account(platform, platform, source, None)
        if source == EXPORT:
            for reader in self.readers:
                if reader.name == platform:
                    return lambda data: reader.read(data, account)
        for each in self.platforms:
            if (each.name, each.source) == (platform, source):
                account = replace(account, options=each.options())
                return lambda data: each.read(data, account)
        raise PackageError(
            f"Records of {platform} through {source} cannot be reduced",
            why="No plugin reads them, and leave_out says that less of them is to be kept",
            kept="Nothing more of them was imported",
            hint="Install the plugin, or import them without [archive] leave_out",
            code="plugin",
        )


def _leading(rows: Mapping[str, Sequence[Row]]) -> str:
    """The source whose record the post has."""
    sources = rows["post_sources"]
    return str(next((row["source"] for row in sources if row["raw"] is None), EXPORT))
