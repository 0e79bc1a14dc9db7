"""Exports of Pinterest of a known account."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

BEGIN = datetime(2024, 6, 1, 12, 0, tzinfo=UTC)


@dataclass
class Pin:
    number: str
    title: str = ""
    text: str = ""
    image: str = ""
    at: datetime = BEGIN
    board: str = "Home"
    alt: str = ""
    link: str = ""
    is_video: bool = False
    is_repin: bool = False
    is_private: bool = False

    def lines(self, user: str) -> list[tuple[str, str]]:
        def word(value: bool) -> str:
            return "Yes" if value else "No"

        link = f'<a href="{self.link}">{self.link}</a>' if self.link else ""
        return [
            ("Title", self.title), ("Details", self.text), ("Image", self.image),
            ("Is Native", "Yes"), ("Board Id", "77"), ("Board Name", self.board),
            ("Is Video", word(self.is_video)), ("Ip Address", "192.0.2.1"), ("Username", user),
            ("Alt Text", self.alt), ("Canonical Link", link), ("Story Pin Media", ""),
            ("Video", ""), ("Created at", f"{self.at:%Y/%m/%d %H:%M:%S}"), ("Alive", "Yes"),
            ("Is a repin", word(self.is_repin)), ("Private", word(self.is_private)),
        ]  # fmt: skip


@dataclass
class PinWorld:
    pins: Sequence[Pin]
    user: str = "ann"
    boards: Sequence[str] = field(default_factory=lambda: ["Home"])

    def files(self, *, commas: bool = False) -> dict[str, bytes | str]:
        end = "," if commas else ""
        parts = []
        for pin in self.pins:
            url = f"https://www.pinterest.com/pin/{pin.number}/"
            lines = "".join(
                f"<br>{key}: {value or 'No data'}{end}\n" for key, value in pin.lines(self.user)
            )
            parts.append(f'<a href="{url}">{url}</a>\n{lines}<br><br>')
        boards = "".join(f"<br>Name: {name}" for name in self.boards)
        page = (
            '<html><head><title>Pinterest</title></head><body><div id="contents">'
            f'<h1 id="x1">Profile</h1><br>Email: ann@example.org<h1 id="x2">Boards</h1>{boards}'
            f'<h1 id="x3">Pins</h1>{"".join(parts)}<h1 id="x4">Searches</h1>'
            "<br>Title: what was looked for</div></body></html>"
        )
        return {"pinterest-data/data.html": page}


def image_hash(number: int) -> str:
    return f"{number:032x}"


def sample() -> PinWorld:
    at = [BEGIN + timedelta(hours=n) for n in range(5)]
    return PinWorld(
        [
            Pin("123456789", "Chair, red", "A chair: red, <b>old</b> & good", image_hash(1), at[0],
                alt="A red chair", link="https://example.org/chair?a=1"),
            Pin("123456790", "", "Ends with a comma,", image_hash(2), at[1]),
            Pin("123456791", "A recipe", "Tea\n<br>Video: see below\n<br>Title: none",
                image_hash(3), at[2], is_video=True),
            Pin("123456792", "Of another", "Hers", image_hash(4), at[3], is_repin=True),
            Pin("123456793", "Secret", "Mine", image_hash(5), at[4], is_private=True),
        ]
    )  # fmt: skip
