"""Which parts are one package, and whose export it is: by content, not by names of files.

Each part is shown to the reader of every platform. Parts that one reader takes for exports of one
account, made on one day, are one package; a part that nobody knows, such as one that has only
pictures, belongs to the package whose parts are named most like it. One zip may hold exports of two
platforms: then it is two packages, and each of them has all parts of both, since files and the name
of the account may lie in any of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

from archiver.errors import ArchiverError, PackageError
from archiver.hookspecs import ExportReader
from archiver.imports.package import OpenPackage
from archiver.imports.parts import DownloadedPart, archives_among, names_shown
from archiver.models import Recognition
from archiver.plugin_calls import cause_of, plugin_errors

_ONE_EXPORT = timedelta(days=1)  # parts of one export are made within


@dataclass(frozen=True, slots=True)
class RecognizedPackage:
    """A package with the reader that knows it, and what that says of it."""

    reader: ExportReader
    recognition: Recognition
    package: OpenPackage

    @property
    def exported_at(self) -> str | None:
        """When it was made: by its own word, else by the time of its newest file."""
        return self.recognition.exported_at or self.package.modified_at


def recognize_all(
    parts: Sequence[DownloadedPart], readers: Sequence[ExportReader]
) -> list[RecognizedPackage]:
    """The packages that these parts are, oldest first. Raises PackageError."""
    groups: list[RecognizedPackage] = []
    unknown: list[tuple[DownloadedPart, PackageError | None]] = []
    for part in parts:
        found, refusal = _readers_of(OpenPackage([part]), readers)
        for each in found:
            _add_to_groups(groups, each)
        if not found:
            unknown.append((part, refusal))
    if not groups:
        return _recognize_together(unknown, readers)
    for part, refusal in unknown:
        if refusal is not None:
            raise refusal
        index = max(range(len(groups)), key=lambda at: _similarity(groups[at], part))
        groups[index] = _joined(groups[index], [part])
    return sorted(_with_shared_parts(groups), key=lambda each: each.exported_at or "")


def _with_shared_parts(groups: Sequence[RecognizedPackage]) -> list[RecognizedPackage]:
    """The packages, each with the parts of those that are of the same download."""
    found = []
    for group in groups:
        parts = list(group.package.parts)
        others = [other for other in groups if other.reader is not group.reader]
        related = [other for other in others if not set(other.package.parts).isdisjoint(parts)]
        if not related and group.recognition.identity is None and others:
            related = [max(others, key=lambda other: _most_alike(other, parts))]
        new = dict.fromkeys(part for other in related for part in other.package.parts)
        new_parts = [part for part in new if part not in parts]
        found.append(_joined(group, new_parts) if new_parts else group)
    return found


def _readers_of(
    package: OpenPackage, readers: Sequence[ExportReader]
) -> tuple[list[RecognizedPackage], PackageError | None]:
    """The readers that know a package; or the refusal of one that knows it and cannot read it."""
    found: list[RecognizedPackage] = []
    refusal = None
    for reader in readers:
        try:
            recognition = recognize(reader, package)
        except PackageError as error:
            refusal = refusal or error
            continue
        if recognition is not None:
            found.append(RecognizedPackage(reader, recognition, package))
    return found, refusal


def recognize(reader: ExportReader, package: OpenPackage) -> Recognition | None:
    """What one reader says of a package. Raises PackageError."""

    def failed(error: BaseException) -> PackageError:
        return PackageError(
            f"The reader of {reader.name} exports failed", why=cause_of(error),
            kept="Nothing was imported",
            hint="Report this to whoever makes the plugin", code="plugin",
        )  # fmt: skip

    with plugin_errors(failed):
        found = reader.recognize(package)
    if found is not None and not isinstance(found, Recognition):
        raise failed(TypeError(f"recognize() returned {type(found).__name__}"))
    return found


def _add_to_groups(groups: list[RecognizedPackage], new: RecognizedPackage) -> None:
    for index, group in enumerate(groups):
        if group.reader is new.reader and _is_one_export(group, new):
            groups[index] = _joined(group, new.package.parts)
            return
    groups.append(new)


def _is_one_export(one: RecognizedPackage, other: RecognizedPackage) -> bool:
    """Whether two parts that a reader knows are of one export."""
    identities = [each.recognition.identity for each in (one, other)]
    ids = {each.platform_id for each in identities if each is not None}
    if len(ids) > 1:
        return False
    told = [each.recognition.exported_at for each in (one, other)]
    times = [datetime.fromisoformat(at) for at in told if at is not None]
    if len(times) == len(told) and abs(times[0] - times[1]) > _ONE_EXPORT:
        return False
    return all(
        one.package.size(name) == other.package.size(name)
        for name in _data_of(one.package) & _data_of(other.package)
    )


def _data_of(package: OpenPackage) -> set[str]:
    """The files of posts: of one export no two parts have another one under the same name.

    What lists the contents of a part may differ from one to the next.
    """
    found = {name for pattern in ("*.json", "*.js", "*.csv") for name in package.find(pattern)}
    return found - set(package.find("manifest.js*"))


def _joined(group: RecognizedPackage, parts: Sequence[DownloadedPart]) -> RecognizedPackage:
    package = OpenPackage([*group.package.parts, *parts])
    recognition = recognize(group.reader, package) or group.recognition
    return RecognizedPackage(group.reader, recognition, package)


def _similarity(group: RecognizedPackage, part: DownloadedPart) -> int:
    """How many characters the names of two parts begin with alike."""
    pairs = (zip(part.path.name, each.path.name, strict=False) for each in group.package.parts)
    return max(sum(1 for _ in takewhile(lambda two: two[0] == two[1], names)) for names in pairs)


def _most_alike(group: RecognizedPackage, parts: Sequence[DownloadedPart]) -> int:
    return max(_similarity(group, part) for part in parts)


def _recognize_together(
    unknown: Sequence[tuple[DownloadedPart, PackageError | None]], readers: Sequence[ExportReader]
) -> list[RecognizedPackage]:
    """Parts of which none is known alone, as one package. Raises PackageError."""
    for _, refusal in unknown:
        if refusal is not None:
            raise refusal
    package = OpenPackage([part for part, _ in unknown])
    found, refusal = _readers_of(package, readers)
    if found:
        return found
    raise refusal or _not_recognized(package, readers)


def _not_recognized(package: OpenPackage, readers: Sequence[ExportReader]) -> ArchiverError:
    paths = ", ".join(str(part.path) for part in package.parts)
    known = ", ".join(reader.title for reader in readers) or "none: no plugin brings a reader"
    inner = archives_among(package.names)
    return PackageError(
        f"{paths} is no official export that can be read",
        why=f"It contains {names_shown(package.names) or 'nothing'}. What is read: {known}",
        kept="Nothing was imported",
        hint=f"Unpack it, and import what is in it: {names_shown(inner)}"
        if inner
        else "If it is "
        "one part of an export, give all parts together. docs/importing.md says how to ask each "
        "platform for its export. If it is one, its layout is new: report the names of its files",
        code="not_recognized",
    )
