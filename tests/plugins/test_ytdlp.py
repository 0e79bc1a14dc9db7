"""yt-dlp behind its fence: a local site through its `generic` extractor, faults and secrets."""

import shutil
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from archiver.backup.resolver_job import GuardedJob, guarded_job
from archiver.errors import MediaRefused
from archiver.net.guard import AddressGuard
from archiver.resolvers import ProgramResult, ResolvedSubtitles, Unresolved
from archiver_ytdlp import installed
from archiver_ytdlp.failures import failure_of
from archiver_ytdlp.formats import VideoChoice, choose_formats, subtitles_of
from archiver_ytdlp.resolver import EXTRACTORS, YtDlp
from support.media.films import FORMS, FilmServer, encode_film, frames_of
from support.net.wire import Wire, http, wire

pytestmark = pytest.mark.anyio
CERTIFICATE = Path(__file__).parent.parent / "net" / "media.example.pem"
RESOLVER = YtDlp({"site": "generic"}, ("--no-check-certificates",))
PAGE = b'<!doctype html><title>A film</title><video src="film.mp4"></video>'
FIRST = VideoChoice(("0",), None, True, {})


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return encode_film(tmp_path_factory.mktemp("site") / "film.mp4")


@asynccontextmanager
async def site(
    folder: Path, *, secure: bool = False
) -> AsyncIterator[tuple[FilmServer, Wire, AddressGuard]]:
    """A site that may be fetched from, with the files of a folder."""
    context = None
    if secure:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
    server = FilmServer(folder)
    async with wire(server, tls=context) as at:
        yield server, at, AddressGuard((f"127.0.0.1:{at.port}",))


@asynccontextmanager
async def job(
    url: str, guard: AddressGuard, tmp: Path, platform: str = "site", max_size: int = 1 << 24
) -> AsyncIterator[GuardedJob]:
    async with guarded_job(url, platform, "best", tmp, guard, max_size, 1) as it:
        yield it


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def is_running(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.slow
@pytest.mark.parametrize("secure", [False, True])
async def test_a_film_is_resolved_to_the_address_of_its_file(
    film: Path, tmp_path: Path, secure: bool
) -> None:
    async with site(film.parent, secure=secure) as (_, at, guard):
        async with job(at.url("/film.mp4"), guard, tmp_path) as it:
            found = await RESOLVER.resolve(it)
        assert found.url == at.url("/film.mp4")
        assert found.details["extractor"] == "generic"
        assert left(tmp_path) == []


@pytest.mark.slow
async def test_the_subtitles_of_a_page_are_named(film: Path, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    shutil.copyfile(film, folder / "film.mp4")
    track = '<track kind="subtitles" src="de.vtt" srclang="de">'
    (folder / "page.html").write_text(f'<video src="film.mp4">{track}</video>')
    async with (
        site(folder) as (_, at, guard),
        job(at.url("/page.html"), guard, tmp_path) as it,
    ):
        found = await YtDlp({"site": "generic,html5"}).resolve(it)
        assert [(each.url, each.language) for each in found.subtitles] == [
            (at.url("/de.vtt"), "de")
        ]


def test_subtitles_are_those_that_people_made_in_the_form_that_is_kept() -> None:
    info = {
        "subtitles": {
            "en": [{"ext": "srv3", "url": "https://a.example/x"},
                   {"ext": "vtt", "url": "https://a.example/en", "name": "English"}],
            "de": [{"ext": "vtt", "url": "https://a.example/m", "protocol": "m3u8_native"}],
            "live_chat": [{"ext": "json", "url": "https://a.example/chat"}], "it": None,
            "fr": [{"ext": "vtt", "data": "WEBVTT"}],
        },
        "automatic_captions": {"es": [{"ext": "vtt", "url": "https://a.example/es"}]},
    }  # fmt: skip
    assert subtitles_of(info) == (ResolvedSubtitles("https://a.example/en", "en", "English"),)
    assert subtitles_of({"subtitles": ["hostile"]}) == ()


@pytest.mark.slow
@pytest.mark.parametrize("secure", [False, True])
async def test_it_fetches_segments_itself_where_it_must(
    film: Path, tmp_path: Path, secure: bool
) -> None:
    FORMS["fragments"](film, tmp_path / "site")
    async with (
        site(tmp_path / "site", secure=secure) as (_, at, guard),
        job(at.url("/film.m3u8"), guard, tmp_path) as it,
    ):
        await RESOLVER._fetch(it, FIRST)
        (path,) = it.folder.iterdir()
        assert frames_of(path)["picture"] == frames_of(film)["picture"]


@pytest.mark.slow
@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("what", ["the page", "a segment", "the key"])
async def test_nothing_private_gets_a_packet(
    film: Path, tmp_path: Path, what: str, secure: bool
) -> None:
    FORMS["encrypted"](film, tmp_path / "site")
    async with wire(http(200, b"secret")) as private:
        async with site(tmp_path / "site", secure=secure) as (server, at, guard):
            address = private.url("/metadata")
            name = {"the page": "film.m3u8", "a segment": "film0.ts", "the key": "key"}[what]
            if what == "the page":
                server.faults[name] = http(302, headers={"Location": address}, then="close")
            else:
                playlist = tmp_path / "site" / "film.m3u8"
                quoted = f'"{name}"' if name == "key" else f"\n{name}\n"
                text = playlist.read_text().replace(quoted, quoted.replace(name, address))
                playlist.write_text(text)
            async with job(at.url("/film.m3u8"), guard, tmp_path) as it:
                with pytest.raises(Unresolved):
                    await RESOLVER._fetch(it, FIRST)
                with pytest.raises(MediaRefused, match="not on the public internet"):
                    it.refuse_private()
        assert private.connections == 0


@pytest.mark.slow
async def test_a_page_that_is_not_of_the_platform_ends_before_a_request(tmp_path: Path) -> None:
    async with wire(http(200, PAGE)) as at:
        guard = AddressGuard((f"127.0.0.1:{at.port}",))
        async with job(at.url("/watch"), guard, tmp_path, "tiktok") as it:
            with pytest.raises(Unresolved, match="No suitable extractor") as caught:
                await YtDlp().resolve(it)
        assert caught.value.code == "resolver_failed"
        assert at.connections == 0


@pytest.mark.slow
async def test_more_than_a_video_may_have_ends_it_and_leaves_nothing(
    film: Path, tmp_path: Path
) -> None:
    FORMS["transport streams"](film, tmp_path / "site")
    async with (
        site(tmp_path / "site") as (_, at, guard),
        job(at.url("/film.m3u8"), guard, tmp_path, max_size=5_000) as it,
    ):
        with pytest.raises((MediaRefused, Unresolved)):
            await RESOLVER._fetch(it, FIRST)
    assert left(tmp_path) == ["site"]


async def test_who_is_stopped_in_the_middle_leaves_neither_a_process_nor_a_file(
    tmp_path: Path,
) -> None:
    program = (
        "import os, subprocess, sys; open('started', 'w').write(str(os.getpid()));"
        "child = subprocess.Popen(['sleep', '1000']); open('child', 'w').write(str(child.pid));"
        "os.rename('child', 'ready'); child.wait()"
    )
    pids: list[int] = []
    async with (
        job("http://a.example/", AddressGuard(()), tmp_path) as it,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(it.run, [sys.executable, "-c", program])
        while not (it.folder / "ready").exists():
            await anyio.lowlevel.checkpoint()
        pids += [int((it.folder / name).read_text()) for name in ("started", "ready")]
        tasks.cancel_scope.cancel()
    assert left(tmp_path) == []
    while any(map(is_running, pids)):  # it was killed, and the system may take its time
        await anyio.lowlevel.checkpoint()


async def test_a_program_sees_nothing_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AYRSHARE_API_KEY", "HTTP_PROXY", "PYTHONPATH", "YTDLP_CANARY", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, "canary-secret")
    program = "import os, resource; print(dict(os.environ), os.listdir(os.environ['HOME']))"
    async with job("http://a.example/", AddressGuard(()), tmp_path) as it:
        result = await it.run([sys.executable, "-I", "-c", program], {"YTDLP_NO_PLUGINS": "1"})
        home = it.folder.parent / "home"
        known = {"HOME": str(home), "LANG": "C.UTF-8", "YTDLP_NO_PLUGINS": "1"}
    said = result.output.decode()
    assert "canary" not in said
    assert result.status == 0
    assert said.strip() in (f"{known} []", f"{known | {'LC_CTYPE': 'C.UTF-8'}} []")


ERRORS = {
    "ERROR: [youtube] x: Private video. Sign in if you've been granted access": "private",
    "ERROR: [youtube] x: Sign in to confirm you\u2019re not a bot.": "bot_check",
    "ERROR: [youtube] x: Sign in to confirm your age.": "age_restricted",
    "ERROR: [youtube] x: Join this channel to get access to members-only content": "members_only",
    "ERROR: [youtube] x: The uploader has not made this video available in your country": "region",
    "ERROR: [youtube] x: Video unavailable": "removed",
    "ERROR: [tiktok] x: HTTP Error 404: Not Found": "removed",
    "ERROR: [x] y: This video is DRM protected": "drm",
    "ERROR: [youtube] x: This live event will begin in 2 hours": "live",
    "WARNING: No supported JavaScript runtime could be found.\n"
    "ERROR: [youtube] x: Requested format is not available": "runtime_missing",
    "ERROR: [x] y: Something else": "resolver_failed",
    "": "resolver_failed",
}


@pytest.mark.parametrize("said", ERRORS)
def test_what_it_says_becomes_a_reason(said: str) -> None:
    assert failure_of(said.encode()).code == ERRORS[said]


def test_no_address_is_quoted() -> None:
    text = str(failure_of(b"ERROR: cannot open https://a.example/?sig=secret now"))
    assert text == "cannot open (address) now"


def each(name: str, **values: Any) -> dict[str, Any]:
    plain = {"protocol": "https", "vcodec": "h264", "acodec": "aac", "ext": "mp4",
             "url": f"https://a.example/{name}"}  # fmt: skip
    return {"format_id": name, **plain, **values}


WHOLE = each("18", height=360)
BEST = each("137", height=1080, acodec="none", tbr=4000)
WEB = each("248", height=1080, acodec="none", tbr=5000, ext="webm")
SMALL = each("134", height=144, acodec="none", tbr=100)
SOUND = each("140", vcodec="none", ext="m4a", abr=128)
WEB_SOUND = each("251", vcodec="none", ext="webm", abr=160)
STREAM = each("hls", protocol="m3u8_native", height=720)


@pytest.mark.parametrize(
    ("formats", "videos", "ids", "url"),
    [
        ([WHOLE], "best", ("18",), "https://a.example/18"),
        ([WHOLE, BEST, SOUND], "best", ("137", "140"), None),
        ([WHOLE, BEST, WEB, SOUND, WEB_SOUND], "best", ("137", "140"), None),
        ([WHOLE, BEST, SMALL, SOUND], "smallest", ("18",), "https://a.example/18"),
        ([WHOLE, STREAM], "best", ("hls",), "https://a.example/hls"),
        ([WEB, WEB_SOUND], "best", ("248", "251"), None),
        ([BEST], "best", ("137",), "https://a.example/137"),
    ],
)  # fmt: skip
def test_a_whole_file_is_taken_where_it_is_as_good_as_the_best(
    formats: list[dict[str, Any]], videos: str, ids: tuple[str, ...], url: str | None
) -> None:
    choice = choose_formats({"formats": formats}, videos)
    assert choice is not None
    assert (choice.ids, choice.url) == (ids, url)
    assert "https://" not in str(choice.details)


@pytest.mark.parametrize("formats", [[], [SOUND], [{"format_id": "sb0", "vcodec": "none"}]])
def test_a_page_without_a_picture_has_no_video(formats: list[dict[str, Any]]) -> None:
    assert choose_formats({"formats": formats, "vcodec": "none"}, "best") is None


class NoJob:
    """A job whose program ends well and gives nothing."""

    page_url, platform, videos, max_size, proxy = "https://a.example/", "site", "best", 1, "x"

    def __init__(self, folder: Path, output: bytes) -> None:
        self.folder = folder
        self.output = output
        self.commands: list[list[str]] = []

    async def run(self, command: Any, variables: Any = None) -> ProgramResult:
        self.commands.append(list(command))
        return ProgramResult(0, self.output, b"")


async def test_a_good_end_without_a_file_is_a_failure(tmp_path: Path) -> None:
    info = b'{"formats": [{"format_id": "1", "protocol": "f4m", "url": "https://a.example/"}]}'
    with pytest.raises(Unresolved, match="without a file") as caught:
        await RESOLVER.resolve(NoJob(tmp_path, info))
    assert caught.value.code == "resolver_failed"


@pytest.mark.parametrize("output", [b"", b"[]", b'{"entries": []}', b"not json"])
async def test_what_cannot_be_read_is_a_failure(tmp_path: Path, output: bytes) -> None:
    with pytest.raises(Unresolved):
        await RESOLVER.resolve(NoJob(tmp_path, output))


async def test_every_run_gets_the_options_that_confine_it(tmp_path: Path) -> None:
    work = NoJob(tmp_path, b'{"vcodec": "none"}')
    with pytest.raises(Unresolved, match="offers no video"):
        await RESOLVER.resolve(work)
    (command,) = work.commands
    for option in ("--ignore-config", "--no-plugin-dirs", "--no-cookies", "--no-update",
                   "--no-remote-components", "--no-exec", "--no-cache-dir"):  # fmt: skip
        assert option in command
    assert command[-2:] == ["--", "https://a.example/"]
    assert command[command.index("--proxy") + 1] == "x"
    assert command[command.index("--use-extractors") + 1] == "generic"


def test_too_old_a_version_is_refused_with_how_to_update_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(installed, "installed_version", lambda: "2025.1.15")
    with pytest.raises(Unresolved, match=r"pip install --upgrade 'yt-dlp\[default\]'") as it:
        installed.check_installed("tiktok")
    assert it.value.code == "resolver_outdated"


def test_without_yt_dlp_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed, "installed_version", lambda: None)
    with pytest.raises(Unresolved, match=r"pip install") as it:
        installed.check_installed("tiktok")
    assert it.value.code == "resolver_missing"


def test_a_missing_runtime_is_named_where_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed, "installed_version", lambda: "2026.7.4")
    monkeypatch.setattr(installed, "runtime", lambda: None)
    installed.check_installed("tiktok")
    with pytest.raises(Unresolved, match="deno") as it:
        installed.check_installed("youtube")
    assert it.value.code == "runtime_missing"


def test_every_platform_has_a_named_extractor() -> None:
    assert RESOLVER.name == "ytdlp"
    assert YtDlp().platforms == sorted(EXTRACTORS)
    assert "generic" not in EXTRACTORS.values()
