"""Which files are wanted: the first state of every rendition of an attachment."""

from collections.abc import Collection, Sequence
from typing import Literal

from archiver.models import Attachment, Rendition
from archiver.reasons import Choice, Reason

Videos = Literal["best", "all", "smallest", "none"]

_LONGEST_SHOWN = 300  # characters shown of an address that was not understood
_OMITTED: Choice = ("omitted", Reason("copyright", "copyright"))
_NOT_OFFERED: Choice = ("not_offered", Reason("not_offered", "the source gives no file of it"))
_BEHIND_PAGE: Choice = (
    "not_offered", Reason("not_offered", "the source gives no file, only its page")
)  # fmt: skip
_NO_ADDRESS: Choice = ("failed", Reason("no_address", "no URL"))
_LINK_TARGET: Choice = ("skipped", Reason("link_target", "the target of a link"))
_NO_THUMBNAILS: Choice = (
    "skipped", Reason("setting_thumbnails", "thumbnails=false", "false")
)  # fmt: skip
_PLAYLIST: Choice = ("skipped", Reason("playlist", "playlist"))
_STILLS = frozenset({"thumbnail", "preview", "cover"})
_PLAYLISTS = frozenset(
    {"application/x-mpegurl", "application/vnd.apple.mpegurl", "audio/mpegurl", "audio/x-mpegurl",
     "application/dash+xml"}
)  # fmt: skip


def select_renditions(
    attachment: Attachment, *, videos: Videos, thumbnails: bool, leave_out: Collection[str] = ()
) -> list[Choice]:
    """The state that each rendition starts in, in their order.

    `videos` selects among the files of a video, or of a GIF that is served as video. With
    `thumbnails` false, stills are skipped where the attachment's own file is wanted; a playlist
    does not count as one. Of an attachment of a kind in `leave_out`, no file is wanted.
    """
    renditions = attachment.renditions
    choices: list[Choice] = [_initial_choice(attachment, rendition) for rendition in renditions]
    if attachment.kind in leave_out:
        unwanted = _left_out(leave_out)
        return [unwanted if choice[0] == "pending" else choice for choice in choices]
    files = [
        index
        for index, rendition in enumerate(renditions)
        if choices[index][0] == "pending" and _is_video_file(attachment, rendition)
    ]
    if files:
        chosen = _choose_videos([renditions[index] for index in files], videos)
        for index, choice in zip(files, chosen, strict=True):
            choices[index] = choice
    if not thumbnails and attachment.kind != "link" and _has_file(renditions, choices):
        for index, rendition in enumerate(renditions):
            if rendition.role in _STILLS and choices[index][0] == "pending":
                choices[index] = _NO_THUMBNAILS
    return choices


def left_out_setting(leave_out: Collection[str]) -> str:
    """The setting as a row has it that was skipped for it."""
    return ",".join(sorted(leave_out))


def _left_out(leave_out: Collection[str]) -> Choice:
    setting = left_out_setting(leave_out)
    return ("skipped", Reason("setting_leave_out", f"leave_out={setting}", setting))


def expected_kind(kind: str, role: str, url: str | None, content_type: str | None) -> str | None:
    """The kind of file that a rendition must be; None for anything but web pages and programs.

    One of image, video, audio, gif, playlist, subtitles and document (which media satisfies too).
    `kind` is that of the attachment.
    """
    if role in _STILLS:
        return "image"
    if is_playlist(url, content_type):
        return "playlist"
    if role == "subtitles":
        return "subtitles"
    if kind == "other":
        return "document"
    return kind if kind in {"image", "video", "audio", "gif"} else None


def is_playlist(url: str | None, content_type: str | None) -> bool:
    """Whether it only lists where the pieces of a video are (HLS, DASH)."""
    if (content_type or "").partition(";")[0].strip().lower() in _PLAYLISTS:
        return True
    return _path(url).endswith((".m3u8", ".mpd"))


def _initial_choice(attachment: Attachment, rendition: Rendition) -> Choice:
    if rendition.absent == "copyright":
        return _OMITTED
    if rendition.absent == "not_offered":
        return _BEHIND_PAGE if attachment.kind == "video" else _NOT_OFFERED
    if rendition.absent == "address_not_understood":
        shown = (rendition.url or "")[:_LONGEST_SHOWN]
        return ("refused", Reason("address_not_understood", f"address not understood: {shown}"))
    if not rendition.url and not rendition.member:
        return _NO_ADDRESS
    if attachment.kind == "link" and rendition.role not in _STILLS:
        return _LINK_TARGET
    return ("pending", None)


def _is_video_file(attachment: Attachment, rendition: Rendition) -> bool:
    """Whether the setting `videos` applies to it: to all files of a video but its stills."""
    if attachment.kind not in {"video", "gif"} or rendition.role in _STILLS:
        return False
    if (rendition.content_type or "").startswith("image/"):
        return False
    return attachment.kind == "video" or not _path(rendition.url).endswith((".gif", ".webp"))


def _choose_videos(files: Sequence[Rendition], videos: Videos) -> list[Choice]:
    if len(files) == 1 and videos != "none":  # as most are
        return [("pending", None)]
    unwanted: Choice = ("skipped", Reason("setting_videos", f"videos={videos}", videos))
    if videos == "none":
        return [unwanted] * len(files)
    real = [
        index for index, file in enumerate(files) if not is_playlist(file.url, file.content_type)
    ]
    if videos == "all":
        wanted = set(real or range(len(files)))
    elif not real:
        wanted = {0}
    elif videos == "best":
        wanted = {max(real, key=lambda index: (*_quality(files[index]), -index))}
    else:
        wanted = {min(real, key=lambda index: (*_cost(files[index]), index))}
    choices: list[Choice] = []
    for index in range(len(files)):
        if index in wanted:
            choices.append(("pending", None))
        elif real and index not in real:
            choices.append(_PLAYLIST)
        else:
            choices.append(unwanted)
    return choices


def _quality(file: Rendition) -> tuple[bool, bool, int, int]:
    """More is better: mp4 first, then an original that has no bitrate, then bitrate and size."""
    is_mp4 = (file.content_type or "video/mp4").startswith("video/mp4")
    is_plain_original = file.role == "original" and file.bitrate is None
    return is_mp4, is_plain_original, file.bitrate or 0, _area(file)


def _cost(file: Rendition) -> tuple[bool, float, float]:
    """Less is smaller; what is not known may be large."""
    is_mp4 = (file.content_type or "video/mp4").startswith("video/mp4")
    unknown = float("inf")
    bitrate = unknown if file.bitrate is None else file.bitrate
    return not is_mp4, bitrate, _area(file) or unknown


def _area(file: Rendition) -> int:
    return (file.width or 0) * (file.height or 0)


def _has_file(renditions: Sequence[Rendition], choices: Sequence[Choice]) -> bool:
    return any(
        rendition.role not in _STILLS
        and choice[0] == "pending"
        and not is_playlist(rendition.url, rendition.content_type)
        for rendition, choice in zip(renditions, choices, strict=True)
    )


def _path(url: str | None) -> str:
    _, _, rest = (url or "").partition("://")
    return rest.partition("?")[0].partition("#")[0].partition("/")[2].lower()
