"""Videos behind their pages, in whole runs: only where both settings say so, and judged."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal

from archiver.archive.database import DATABASE
from archiver.evidence.files import Scope
from archiver.evidence.verify import verify
from archiver.plugins import Loaded, Origin, Plugins
from archiver.resolvers import ResolvedSubtitles, ResolvedVideo, ResolverJob, Unresolved
from archiver_ayrshare.demo.specs import video
from support.browsing import browsing
from support.exports.served_files import serve_files
from support.media.films import encode_film, write_segments
from support.net.proxies import proxy_server
from support.nights import Nights, nights

pytestmark = pytest.mark.slow

FILMS = """
    SELECT state, reason_code, media.content_type FROM renditions
      JOIN attachments ON attachments.id = attachment_id AND kind = 'video'
      LEFT JOIN media ON sha256 = media_sha256 WHERE role IN ('original', 'variant')
     ORDER BY renditions.published_at
"""
ON = 'resolve = ["youtube"]'
NOW = "2026-11-23T00:00:00.000Z"


@dataclass
class FakeTool:
    """A resolver of the test's own, that does what it is told."""

    answer: Callable[[ResolverJob], ResolvedVideo]
    asked: list[str] = field(default_factory=list)
    name: str = "tool"
    version: str | None = "1.2"
    platforms: tuple[str, ...] = ("youtube",)
    said: str | None = None

    def notice(self, platform: str, now: datetime) -> str | None:
        return self.said

    async def resolve(self, job: ResolverJob) -> ResolvedVideo:
        self.asked.append(job.page_url)
        return self.answer(job)


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return encode_film(tmp_path_factory.mktemp("tool") / "film.mp4")


@contextmanager
def channel(
    folder: Path, answer: Callable[[ResolverJob], ResolvedVideo], *, films: int = 1,
    own: bool = True, settings: str = ON,
) -> Iterator[tuple[Nights, FakeTool]]:  # fmt: skip
    """A YouTube channel with films, and a resolver."""
    tool = FakeTool(answer)
    with nights(folder, "youtube") as world:
        others = tuple(replace(plugin, resolvers=()) for plugin in world.plugins.loaded)
        mine = Loaded(Origin("tool", "tool"), resolvers=(tool,))
        world.plugins = Plugins((*others, mine), ())
        world.settings["media"] = settings
        if own:
            world.extra += "own = true\n"
        for number in range(films):
            world.account("youtube").publish(f"Film {number}", media=[video()])
        yield world, tool


def gives(*files: Path, **more: object) -> Callable[[ResolverJob], ResolvedVideo]:
    """Leaves copies of these files in the folder of the job."""

    def answer(job: ResolverJob) -> ResolvedVideo:
        paths = []
        for number, file in enumerate(files):
            path = job.folder / f"{number}{file.suffix}"
            path.write_bytes(file.read_bytes())
            paths.append(path)
        return ResolvedVideo(None, tuple(paths), **more)  # type: ignore[arg-type]  # of the test

    return answer


def fails(code: str) -> Callable[[ResolverJob], ResolvedVideo]:
    def answer(job: ResolverJob) -> ResolvedVideo:
        raise Unresolved(code, f"because {code}")  # type: ignore[arg-type]  # a code of the list

    return answer


def test_a_film_behind_its_page_is_had_and_on_record(tmp_path: Path, film: Path) -> None:
    answer = gives(film, details={"formats": ["22"]}, seconds=3.0)
    with channel(tmp_path, answer) as (world, tool):
        report = world.backup()
        assert world.query(FILMS) == [("stored", None, "video/mp4")]
        (page,) = world.column("SELECT url FROM posts")
        assert tool.asked == [page]
        assert world.query(
            "SELECT how, resolver, version, page_url, details FROM media_origins"
        ) == [("downloaded", "tool", "1.2", page, '{"formats":["22"]}')]
        assert report.exit_code == 0
        assert list((world.directory / "tmp").iterdir()) == []
        assert verify(world.directory, Scope(), NOW).findings == []
        world.next_night()
        world.backup(full=True)
        assert len(tool.asked) == 1
        assert world.query(FILMS) == [("stored", None, "video/mp4")]
        (post_id,) = world.column("SELECT id FROM posts")
        with browsing(world.directory / DATABASE) as client:
            text = client.get(f"/archive/-/post/{post_id}").text
            assert "fetched from its page by a resolver" in text


def test_subtitles_come_with_their_film_and_those_that_cannot_be_had_have_a_reason(
    tmp_path: Path, film: Path
) -> None:
    text = b"WEBVTT\n\n00:00.000 --> 00:01.000\nHallo\n"
    with serve_files({"/de": text, "/it": b"<html>no</html>"}) as served:
        offers = tuple(
            ResolvedSubtitles(f"{served.base_url}/{language}", language)
            for language in ("de", "it", "fr")
        )
        with channel(tmp_path, gives(film, subtitles=offers)) as (world, tool):
            report = world.backup()
            subtitles = """
                SELECT media_key, state, reason_code, url FROM renditions WHERE role = 'subtitles'
                 ORDER BY id
            """
            (key,) = world.column("SELECT media_key FROM renditions WHERE role = 'original'")
            assert world.query(subtitles) == [
                (f"{key}#subtitles=de/", "stored", None, None),
                (f"{key}#subtitles=it/", "not_offered", "wrong_kind", None),
                (f"{key}#subtitles=fr/", "not_offered", "not_found", None),
            ]
            assert report.exit_code == 0, "a film without all of its subtitles is no failure"
            query = "SELECT how, details FROM media_origins ORDER BY id"
            assert world.query(query)[1] == (
                "resolved", '{"subtitles":{"language":"de","name":null}}',
            )  # fmt: skip
            assert verify(world.directory, Scope(), NOW).findings == []
            assert list((world.directory / "tmp").iterdir()) == []
            before = world.query(subtitles)
            world.next_night()
            world.backup(full=True)
            assert len(tool.asked) == 1
            assert world.query(subtitles) == before
            (post_id,) = world.column("SELECT id FROM posts")
            with browsing(world.directory / DATABASE) as client:
                page = client.get(f"/archive/-/post/{post_id}").text
                assert 'label="de" srclang="de"></video>' in page


def test_what_a_run_that_was_killed_left_of_a_job_is_removed_by_the_next_run(
    tmp_path: Path, film: Path
) -> None:
    with channel(tmp_path, gives(film), settings="") as (world, _):
        left = world.directory / "tmp" / "resolve-1" / "files"
        left.mkdir(parents=True)
        (left / "picture.mp4.part").write_bytes(b"half")
        world.backup()
        assert list((world.directory / "tmp").iterdir()) == []


@pytest.mark.parametrize(
    ("own", "settings"),
    [
        (False, ON), (True, ""), (True, 'resolve = ["tiktok"]'), (False, ""),
        (True, f'{ON}\nvideos = "none"'),
    ],
)  # fmt: skip
def test_without_both_settings_or_where_no_video_is_wanted_nothing_behind_a_page_is_asked_for(
    tmp_path: Path, film: Path, own: bool, settings: str
) -> None:
    with channel(tmp_path, gives(film), own=own, settings=settings) as (world, tool):
        world.backup()
        assert tool.asked == []
        assert world.query(FILMS) == [("not_offered", "not_offered", None)]


def breaks(job: ResolverJob) -> ResolvedVideo:
    raise ZeroDivisionError


CODES = ["private", "age_restricted", "members_only", "region", "removed", "resolver_failed"]


@pytest.mark.parametrize("code", CODES)
def test_what_cannot_be_had_has_a_reason_a_time_of_its_own_and_no_exit_code(
    tmp_path: Path, code: str
) -> None:
    with channel(tmp_path, fails(code)) as (world, tool):
        report = world.backup()
        assert world.query(FILMS) == [("failed", code, None)]
        assert world.column("SELECT reason FROM missing_media") == [f"because {code}"]
        assert (report.exit_code, report.counts.failed) == (0, 0)
        world.next_night()
        assert world.backup().exit_code == 0
        assert len(tool.asked) == 1
        world.next_night(7)
        world.backup()
        assert len(tool.asked) == 2


@pytest.mark.parametrize("code", ["bot_check", "runtime_missing", "resolver_missing"])
def test_what_the_next_film_would_meet_too_ends_the_night_for_its_platform(
    tmp_path: Path, code: str
) -> None:
    with channel(tmp_path, fails(code), films=3) as (world, tool):
        world.backup()
        assert len(tool.asked) == 1
        assert world.query(FILMS).count(("not_offered", "not_offered", None)) == 2


def test_only_so_many_are_tried_within_a_day(tmp_path: Path) -> None:
    settings = f"{ON}\nresolve_per_day = 2"
    with channel(tmp_path, fails("private"), films=3, settings=settings) as (world, tool):
        world.backup()
        world.next_night(0.3)
        world.backup()
        assert len(tool.asked) == 2
        world.next_night()
        world.backup()
        assert len(tool.asked) == 3


def test_picture_and_sound_apart_become_one_film(tmp_path: Path, film: Path) -> None:
    picture = write_segments(film, tmp_path / "p" / "v.mp4", ("video",), container="mp4")
    sound = write_segments(film, tmp_path / "p" / "a.m4a", ("audio",), container="mp4")
    with channel(tmp_path, gives(picture, sound, seconds=3.0)) as (world, _):
        world.backup()
        assert world.query(FILMS) == [("stored", None, "video/mp4")]


def test_what_comes_back_is_judged_by_its_bytes(tmp_path: Path, film: Path) -> None:
    silent = write_segments(film, tmp_path / "silent.mp4", ("video",), container="mp4")
    page = tmp_path / "page.mp4"
    page.write_bytes(b"<!doctype html><html>no</html>")
    cases: tuple[tuple[Callable[[ResolverJob], ResolvedVideo], str], ...] = (
        (gives(silent), "no_sound"), (gives(page), "wrong_kind"), (gives(), "resolver_failed"),
        (gives(film, seconds=600.0), "incomplete"),
        (lambda job: ResolvedVideo(None, (Path("/etc/passwd"),)), "resolver_failed"),
        (lambda job: ResolvedVideo("http://169.254.169.254/film.mp4"), "address_not_allowed"),
(breaks, "resolver_failed"),
    )  # fmt: skip
    for answer, code in cases:
        folder = tmp_path / f"case-{code}-{id(answer)}"
        folder.mkdir()
        with channel(folder, answer) as (world, _):
            report = world.backup()
            assert world.query(FILMS) == [("failed", code, None)]
            assert report.exit_code == 0
            assert list((world.directory / "tmp").iterdir()) == []


def test_a_silent_film_is_right_where_its_page_says_so(tmp_path: Path, film: Path) -> None:
    silent = write_segments(film, tmp_path / "silent.mp4", ("video",), container="mp4")
    with channel(tmp_path, gives(silent, has_sound=False)) as (world, _):
        world.backup()
        assert world.query(FILMS) == [("stored", None, "video/mp4")]


def test_an_address_is_fetched_by_our_own_client(tmp_path: Path) -> None:
    def answer(job: ResolverJob) -> ResolvedVideo:
        (path,) = [path for path in world.files if path.endswith("video.mp4")]
        return ResolvedVideo(world.url(world.files[path]), has_sound=False)

    with channel(tmp_path, answer) as (world, _):
        world.account("bluesky").publish("A film", media=[video()])
        world.backup()
        assert world.column("SELECT how FROM media_origins") == ["resolved"]
        assert world.query(FILMS) == [("stored", None, "video/mp4")]


def test_what_a_resolver_says_before_it_is_used_is_a_note_of_the_run(
    tmp_path: Path, film: Path
) -> None:
    with channel(tmp_path, gives(film)) as (world, tool):
        tool.said = "tool 1.2 is old: update it"
        report = world.backup()
        assert [account.notes for account in report.accounts] == [["tool 1.2 is old: update it"]]
        assert (report.exit_code, len(tool.asked)) == (0, 1)


def test_an_address_of_a_playlist_becomes_a_film_whose_segments_are_on_record(
    tmp_path: Path,
) -> None:
    def answer(job: ResolverJob) -> ResolvedVideo:
        (path,) = [path for path in world.files if path.endswith("playlist.m3u8")]
        return ResolvedVideo(world.url(world.files[path]), has_sound=False, seconds=2.0)

    with channel(tmp_path, answer) as (world, _):
        world.account("bluesky").publish("A film", media=[video()])
        world.backup()
        assert world.query(FILMS) == [("stored", None, "video/mp4")]
        ((how, segments, details),) = world.query(
            "SELECT how, segments, details FROM media_origins"
        )
        assert how == "resolved"
        assert [set(each) for each in json.loads(segments)] == [
            {"url", "offset", "size", "sha256"}
        ] * 5
        assert json.loads(details)["film"]["how"] == "remuxed"


def test_with_a_proxy_no_resolver_is_used_and_the_run_says_so(tmp_path: Path, film: Path) -> None:
    with (
        channel(tmp_path, gives(film)) as (world, tool),
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(proxy_server()) as proxy,
    ):
        world.settings["network"] = f'proxy = "{proxy.url}"'
        report = world.backup()
        assert (report.exit_code, tool.asked) == (0, [])
        (account,) = report.accounts
        assert any("with [network] proxy" in note for note in account.notes)
