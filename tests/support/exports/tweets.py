"""Archives of X in each of its layouts, of a known world: what people published, and where it goes.

    world = sample()
    write_zip(path, world.files("2022"))

A tweet's `text` is what people read, with its links in full; the archive has them shortened, and
everything escaped.
"""

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from support.media.samples import movie, picture

ERAS = ("2018", "2019", "2020", "2022")
BEGIN = datetime(2024, 6, 1, 12, 0, tzinfo=UTC)
_EPOCH_MS = 1_288_834_974_657
_CUT = 100


def tweet_id(moment: datetime, number: int = 0) -> str:
    return str(((int(moment.timestamp() * 1000) - _EPOCH_MS) << 22) | number)


def unlike(data: bytes, number: int) -> bytes:
    """The same file with other bytes: what stands behind the end of a picture is not looked at."""
    return data + f"#{number}".encode()


@dataclass
class TweetMedia:
    number: str
    kind: str = "photo"
    data: bytes = b""
    base: str = ""
    alt: str | None = None
    variants: list[tuple[str, str]] = field(default_factory=list)  # bitrate, address

    @property
    def file_name(self) -> str:
        if self.kind == "photo":
            return self.base
        best = max(self.variants, key=lambda each: int(each[0]))
        return best[1].partition("?")[0].rpartition("/")[2]


@dataclass
class Tweet:
    number: str
    at: datetime
    text: str
    media: list[TweetMedia] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    likes: int = 0
    reposts: int = 0
    answers: tuple[str, str] | None = None
    edits: list[str] = field(default_factory=list)
    is_long: bool = False
    deleted_at: datetime | None = None
    community: str | None = None
    original: str | None = None

    def shown(self) -> tuple[str, list[dict[str, Any]], list[dict[str, Any]]]:
        """The escaped text with short links, the places of its links, and those of its media."""
        text = f"{self.text[:_CUT]}…" if self.is_long else self.text
        escaped = html.escape(text, quote=False)
        links: list[dict[str, Any]] = []
        media: list[dict[str, Any]] = []
        for index, full in enumerate(self.links):
            written = html.escape(full, quote=False)
            at = escaped.find(written)
            if at < 0:
                continue
            short = f"https://t.co/L{self.number[-6:]}{index}"
            escaped = escaped[:at] + short + escaped[at + len(written) :]
            links.append({"url": short, "expanded_url": full, "display_url": full[:20]})
        for item in self.media:
            short = f"https://t.co/M{self.number[-6:]}"
            if short not in escaped:
                escaped += f" {short}"
            media.append({"url": short, "id": item.number, "id_str": item.number})
        for found in (*links, *media):
            at = escaped.index(found["url"])
            found["indices"] = [str(at), str(at + len(found["url"]))]
        return escaped, links, media

    def record(self, era: str) -> dict[str, Any]:
        text, links, places = self.shown()
        found: dict[str, Any] = {
            "id_str": self.number, "id": self.number,
            "created_at": self.at.strftime("%a %b %d %H:%M:%S +0000 %Y"),
            "full_text": text, "favorite_count": str(self.likes),
            "retweet_count": str(self.reposts), "retweeted": False, "lang": "en",
            "source": f'<a href="https://x.example">app of {era}</a>',
            "entities": {"urls": links, "hashtags": [], "user_mentions": [], "symbols": []},
        }  # fmt: skip
        if era == "2018":
            found["text"] = found.pop("full_text")
            found["created_at"] = self.at.strftime("%Y-%m-%d %H:%M:%S +0000")
        media = [self._media(item, place) for item, place in zip(self.media, places, strict=True)]
        if media:
            found["entities"]["media"] = media[:1]
            if era != "2018":
                found["extended_entities"] = {"media": media}
        if self.answers:
            found["in_reply_to_status_id_str"], found["in_reply_to_screen_name"] = self.answers
        if self.original and era == "2018":
            found["retweeted_status"] = {"id_str": self.original}
        if self.edits and era == "2022":
            control = {"editTweetIds": self.edits, "editsRemaining": "4"}
            found["edit_info"] = (
                {"initial": control}
                if self.number == self.edits[0]
                else {"edit": {"initialTweetId": self.edits[0], "editControlInitial": control}}
            )
        if self.community:
            found["community_id_str"] = self.community
        if self.deleted_at:
            found["deleted_at"] = self.deleted_at.isoformat()
        return found

    @staticmethod
    def _media(item: TweetMedia, place: Mapping[str, Any]) -> dict[str, Any]:
        found = {
            **place, "type": item.kind, "sizes": {"large": {"w": "40", "h": "30"}},
            "media_url_https": f"https://pbs.example/media/{item.base}",
        }  # fmt: skip
        if item.alt:
            found["ext_alt_text"] = item.alt
        if item.kind != "photo":
            variants = [
                {"bitrate": bitrate, "content_type": "video/mp4", "url": url}
                for bitrate, url in item.variants
            ]
            playlist = {"content_type": "application/x-mpegURL", "url": "https://v.example/p.m3u8"}
            found["video_info"] = {"duration_millis": "2500", "variants": [playlist, *variants]}
        return found

    def note(self, links: Sequence[str]) -> dict[str, Any]:
        return {
            "noteTweet": {
                "noteTweetId": str(int(self.number) - 7),
                "createdAt": self.at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
                "core": {"text": html.escape(self.text, quote=False), "urls": [], "mentions": []},
            }
        }


@dataclass
class TweetWorld:
    """One account on X: its posts, and the archives that X would make of them."""

    tweets: list[Tweet]
    account_id: str = "42"
    handle: str = "ann"
    exported_at: datetime = BEGIN + timedelta(days=30)

    def in_era(self, era: str) -> list[Tweet]:
        """The posts that an archive of that time has."""
        found = [tweet for tweet in self.tweets if era == "2022" or not _is_of_2022(tweet)]
        return [tweet for tweet in found if era != "2018" or len(tweet.media) < 2]

    def files(self, era: str = "2022", parts: int = 1) -> dict[str, bytes | str]:
        tweets = self.in_era(era)
        if era == "2018":
            return self._grailbird(tweets)
        kind = "tweets" if era == "2022" else "tweet"
        top = "" if era == "2019" else "data/"
        common = [t for t in tweets if not t.deleted_at and not t.community]
        found: dict[str, bytes | str] = {}
        size = -(-len(common) // parts) or 1
        for part in range(parts):
            share = [self._wrapped(t, era) for t in common[part * size : (part + 1) * size]]
            name = f"{kind}-part{part}.js" if part else f"{kind}.js"
            found[top + name] = _assigned(f"{kind}.part{part}", share)
        account = {"accountId": self.account_id, "username": self.handle,
                   "email": "ann@example.org", "accountDisplayName": "Ann"}  # fmt: skip
        found[f"{top}account.js"] = _assigned("account.part0", [{"account": account}])
        found[f"{top}direct-messages.js"] = _assigned(
            "direct_messages.part0", [{"dm": "for nobody else"}]
        )
        found |= {
            f"{top}{kind}_media/{t.number}-{m.file_name}": m.data for t in common for m in t.media
        }
        if era == "2022":
            found |= self._of_2022(tweets, parts)
        return found

    def _of_2022(self, tweets: Sequence[Tweet], parts: int) -> dict[str, bytes | str]:
        found: dict[str, bytes | str] = {}
        groups = {
            "community-tweet": [t for t in tweets if t.community],
            "deleted-tweets": [t for t in tweets if t.deleted_at],
        }
        for name, group in groups.items():
            records = [{"tweet": t.record("2022")} for t in group]
            found[f"data/{name}.js"] = _assigned(f"{name.replace('-', '_')}.part0", records)
        notes = [t.note(t.links) for t in tweets if t.is_long]
        found["data/note-tweet.js"] = _assigned("note_tweet.part0", notes)
        names = ["data/tweets.js", *(f"data/tweets-part{n}.js" for n in range(1, parts))]
        manifest = {
            "userInfo": {"accountId": self.account_id, "userName": self.handle},
            "archiveInfo": {"generationDate": f"{self.exported_at:%Y-%m-%dT%H:%M:%S.000Z}"},
            "dataTypes": {"tweets": {"files": [{"fileName": name} for name in names]}},
        }
        found["data/manifest.js"] = f"window.__THAR_CONFIG = {json.dumps(manifest)}"
        return found

    def _grailbird(self, tweets: Sequence[Tweet]) -> dict[str, bytes | str]:
        months: dict[str, list[dict[str, Any]]] = {}
        found: dict[str, bytes | str] = {}
        for tweet in tweets:
            month = f"{tweet.at:%Y_%m}"
            months.setdefault(month, []).append(tweet.record("2018"))
            found |= {
                f"data/js/tweets/{month}_media/{tweet.number}-{m.file_name}": m.data
                for m in tweet.media
            }
        for month, records in months.items():
            text = f"Grailbird.data.tweets_{month} = \n{json.dumps(records, indent=1)}"
            found[f"data/js/tweets/{month}.js"] = text
        details = {"screen_name": self.handle, "id": self.account_id, "full_name": "Ann"}
        found["data/js/user_details.js"] = f"var user_details =  {json.dumps(details)}"
        payload = {
            "tweets": len(tweets),
            "created_at": f"{self.exported_at:%Y-%m-%d %H:%M:%S} +0000",
        }
        found["data/js/payload_details.js"] = f"var payload_details =  {json.dumps(payload)}"
        return found

    @staticmethod
    def _wrapped(tweet: Tweet, era: str) -> dict[str, Any]:
        record = tweet.record(era)
        return record if era == "2019" else {"tweet": record}


def _is_of_2022(tweet: Tweet) -> bool:
    return bool(tweet.edits or tweet.is_long or tweet.deleted_at or tweet.community)


def _assigned(name: str, records: list[dict[str, Any]]) -> str:
    return f"window.YTD.{name} = {json.dumps(records, ensure_ascii=False)}"


def photo(number: int, alt: str | None = None) -> TweetMedia:
    data = unlike(picture("JPEG"), number)
    return TweetMedia(str(9000 + number), data=data, base=f"Ph{number}.jpg", alt=alt)


def sample() -> TweetWorld:
    """A world with one post of every kind that archives have."""
    at = [BEGIN + timedelta(hours=hour) for hour in range(12)]
    ids = [tweet_id(moment) for moment in at]
    film = TweetMedia(
        "9100", "video", movie(), "still.jpg",
        variants=[("832000", "https://v.example/vid/a/low.mp4?tag=12"),
                  ("2176000", "https://v.example/vid/b/high.mp4?tag=12")],
    )  # fmt: skip
    gif = TweetMedia("9101", "animated_gif", unlike(movie(), 1), "g.jpg",
                     variants=[("0", "https://v.example/tweet_video/g.mp4")])  # fmt: skip
    long = "A long post about nothing & much <more>, " * 10
    return TweetWorld(
        [
            Tweet(ids[0], at[0], "Tea & cake <3 at https://example.org/a?b=1&c=2 \N{HOT BEVERAGE}",
                  links=["https://example.org/a?b=1&c=2"], likes=3, reposts=1),
            Tweet(ids[1], at[1], "Four pictures", media=[photo(n, f"Alt {n}") for n in range(4)]),
            Tweet(ids[2], at[2], "A film", media=[film]),
            Tweet(ids[3], at[3], "A gif", media=[gif]),
            Tweet(ids[4], at[4], "@bob yes", answers=("17", "bob")),
            Tweet(ids[5], at[5], "Look https://x.com/bob/status/18",
                  links=["https://x.com/bob/status/18"]),
            Tweet(ids[6], at[6], "RT @bob: his words", original="19"),
            Tweet("1500", datetime(2009, 1, 5, 10, 0, tzinfo=UTC), "An old one", media=[photo(50)]),
            Tweet(ids[7], at[7], long.strip(), is_long=True),
            Tweet(ids[8], at[8], "Frist", edits=[ids[8], ids[9]]),
            Tweet(ids[9], at[9], "First", edits=[ids[8], ids[9]]),
            Tweet(ids[10], at[10], "Regretted", deleted_at=at[11]),
            Tweet(ids[11], at[11], "To a community", community="77"),
        ]
    )  # fmt: skip
