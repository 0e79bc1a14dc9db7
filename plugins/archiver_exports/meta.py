"""What the exports of Instagram, Threads and Facebook share: text, files, times, ids, what is cut.

Their text is UTF-8 of which each byte was written as a character of its own, keys and names of
files too; some exports are right. The folders of files change from one layout to the next.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from archiver import (
    Attachment,
    AttachmentKind,
    Package,
    PackageError,
    Record,
    Rendition,
    timestamp,
    write_json,
)
from archiver_exports.values import number_of, object_of, text_of, with_record

_HEAD = 100_000  # bytes of an HTML file that show who made it
_MARKS = (b"_a6-", b"uiBoxWhite")  # classes of all pages of Meta's exports, so far
_FOLDER = re.compile(r"(?:^|/)(?:your_|this_profile)[^/]*activity[^/]*/")  # of nobody else's
_NUMBER = re.compile(r"(?:^|_)(1[78]\d{15})\.\w+$")  # of 17 digits, at the end of a file's name
_FILMS = frozenset({"mp4", "mov", "m4v", "webm", "3gp"})
_SOUNDS = frozenset({"mp3", "m4a", "aac", "wav", "ogg"})
_PRIVATE = frozenset({"upload_ip", "latitude", "longitude", "device_id"})
_FIRST_YEAR = datetime(2004, 1, 1, tzinfo=UTC).timestamp()  # before, there was no platform
_LAST_YEAR = datetime(2100, 1, 1, tzinfo=UTC).timestamp()


def repaired(value: Any) -> Any:
    """A value of which every text is as people wrote it; right ones stay as they are.

    >>> repaired({"caf\u00c3\u00a9": ["\u00e2\u009c\u0093", "café"]})
    {'café': ['✓', 'café']}
    """
    if isinstance(value, str):
        try:
            return value.encode("latin-1").decode("utf-8")
        except UnicodeError:
            return value
    if isinstance(value, dict):
        return {repaired(key): repaired(item) for key, item in value.items()}
    if isinstance(value, list):
        return [repaired(item) for item in value]
    return value


def time_of(value: object) -> str | None:
    """The time of a number of seconds since 1970, unless it is from before the platform."""
    seconds = number_of(value)
    if seconds is None or not _FIRST_YEAR <= seconds < _LAST_YEAR:
        return None
    return timestamp(seconds)


class MediaFiles:
    """The files of a package, found by the paths that its posts have for them."""

    def __init__(self, package: Package) -> None:
        self._by_base: dict[str, list[str]] = defaultdict(list)
        for name in package.names:
            self._by_base[_folded(name.rpartition("/")[2])].append(name)

    def find(self, uri: str) -> str | None:
        """The file whose path ends most like `uri`; None where there is none, or several."""
        wanted = _folded(uri).split("/")
        names = self._by_base.get(wanted[-1], [])
        alike = sorted((_steps_alike(wanted, name), name) for name in names)
        if not alike or (len(alike) > 1 and alike[-2][0] == alike[-1][0]):
            return None
        return alike[-1][1]

    def of_record(self, data: Any) -> dict[str, str]:
        """The files that a record names, by their repaired paths in it."""
        found = {}
        for uri in uris_in(data):
            if name := self.find(uri):
                found[uri] = name
        return found


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _steps_alike(wanted: Sequence[str], name: str) -> int:
    steps = _folded(name).split("/")
    pairs = zip(reversed(wanted), reversed(steps), strict=False)
    return next((n for n, (one, other) in enumerate(pairs) if one != other), len(steps))


def uris_in(data: Any) -> Iterator[str]:
    """The paths of all files that a record names, repaired."""
    if isinstance(data, dict):
        for key, value in data.items():
            if key in {"uri", "path"} and isinstance(value, str) and value:
                yield repaired(value)
            else:
                yield from uris_in(value)
    elif isinstance(data, list):
        for item in data:
            yield from uris_in(item)


def export_record(record: Record, files: MediaFiles, **more: Any) -> Record:
    """A record with its files in the package, less what is private; what was cut is named."""
    cut: list[str] = []
    data = _without_private(record.data, cut)
    raw = write_json(data) if cut else record.raw
    more = {"files": files.of_record(data), "cut": sorted(set(cut)), **more}
    more = {name: value for name, value in more.items() if value}
    return Record(with_record(raw, **more), {"record": data, **more})


def _without_private(value: Any, cut: list[str], *, is_exif: bool = False) -> Any:
    """A value without the places, addresses and devices of blocks of EXIF."""
    if isinstance(value, dict):
        kept = {}
        for key, item in value.items():
            if is_exif and key in _PRIVATE:
                cut.append(f"exif_data.{key}")
            else:
                kept[key] = _without_private(item, cut, is_exif=is_exif or key == "exif_data")
        return kept
    if isinstance(value, list):
        return [_without_private(item, cut, is_exif=is_exif) for item in value]
    return value


def media_number(uri: str) -> str | None:
    """The number of 17 digits at the end of a file's name: the id of what was published."""
    match = _NUMBER.search(uri)
    return match[1] if match else None


def generated_id(numbers: Sequence[str], at: str | None, text: str | None, first: str) -> str:
    """An id of what never changes: the first file's number, else the time and the text.

    `first` is the name of the first file, for a post without text. Empty for a post that has none
    of these.
    """
    if numbers:
        return f"export:media:{numbers[0]}"
    if at is None:
        return ""
    words = " ".join(unicodedata.normalize("NFC", text or first.rpartition("/")[2]).split())
    seconds = int(datetime.fromisoformat(at).timestamp())
    return f"export:t:{seconds}:{sha256(words.encode('utf-8', 'replace')).hexdigest()[:12]}"


def attachment_of(
    medium: Mapping[str, Any], files: Mapping[str, Any], number: str | None, key: str | None = None
) -> Attachment | None:
    """The attachment of a file of the package; None where it names no file.

    `key` is its media key, where the layouts of exports do not name it alike.
    """
    uri = text_of(medium.get("uri")) or text_of(medium.get("path"))
    if uri is None or "://" in uri:
        return None
    member = text_of(files.get(uri)) or uri
    key = key or uri.rpartition("/")[2] or uri
    file = Rendition("original", member=member, media_key=key)
    return Attachment(kind_of(uri), number, renditions=(file,))


def kind_of(uri: str) -> AttachmentKind:
    """The kind of a file, by its ending."""
    ending = uri.rpartition(".")[2].lower()
    return "video" if ending in _FILMS else "audio" if ending in _SOUNDS else "image"


def refuse_html(package: Package, patterns: Sequence[str], platform: str) -> None:
    """Raise PackageError for an export of Meta as HTML."""
    for pattern in patterns:
        for name in package.find(pattern):
            with package.open(name) as file:
                head = file.read(_HEAD)
            if _FOLDER.search(name) or any(mark in head for mark in _MARKS):
                raise PackageError(
                    f"This export of {platform} is made of HTML, which is not read",
                    why=f"{name} has times without a zone and no names of fields",
                    kept="Nothing was imported",
                    hint="Ask for it again: choose JSON in place of HTML as the format, all time "
                    "as the range of dates, and high quality of media",
                    code="html",
                )


def username_of(package: Package) -> tuple[str | None, str | None]:
    """The user name and the name of an Instagram account, whatever language its export is in."""
    for name in package.find("personal_information.json"):
        for record in package.records(name, "profile_user"):
            said = repaired(object_of(object_of(record.data).get("string_map_data")))
            fields = {_folded(key): text_of(object_of(item).get("value"))
                      for key, item in said.items()}  # fmt: skip
            handle = next((fields[key] for key in _USERNAME if fields.get(key)), None)
            return handle, next((fields[key] for key in _NAME if fields.get(key)), None)
    return None, None


_USERNAME = (
    "username", "benutzername", "nutzername", "nom d’utilisateur", "nom d'utilisateur",
    "nombre de usuario", "nome utente", "nome de usuário", "nome de utilizador", "gebruikersnaam",
    "användarnamn", "brugernavn", "brukernavn", "käyttäjänimi", "nazwa użytkownika",
    "uživatelské jméno", "felhasználónév", "nume de utilizator", "kullanıcı adı",
    "имя пользователя", "ім’я користувача", "όνομα χρήστη", "ユーザーネーム", "사용자 이름",
    "用户名", "帳號", "用戶名稱", "tên người dùng", "nama pengguna", "ชื่อผู้ใช้", "اسم المستخدم",
    "שם משתמש", "उपयोगकर्ता नाम",
)  # fmt: skip
"""What an export calls the user name, in the languages of Instagram."""
_NAME = ("name", "nom", "nombre", "nome", "naam", "namn", "navn")
