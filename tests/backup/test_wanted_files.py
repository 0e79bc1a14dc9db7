from archiver import Attachment, Rendition
from archiver.backup.wanted_files import choose_by
from archiver.settings import MediaSettings

FILM = Attachment(
    "video",
    renditions=(
        Rendition("original", "https://cdn.example/film.mp4"),
        Rendition("thumbnail", "https://cdn.example/still.jpg"),
    ),
)


def states(media: MediaSettings) -> list[str]:
    return [state for state, _ in choose_by(media)(FILM)]


def test_each_setting_of_media_decides() -> None:
    assert states(MediaSettings()) == ["pending", "pending"]
    assert states(MediaSettings(videos="none", thumbnails=True)) == ["skipped", "pending"]
    assert states(MediaSettings(thumbnails=False)) == ["pending", "skipped"]
    assert states(MediaSettings(leave_out=("video",))) == ["skipped", "skipped"]
