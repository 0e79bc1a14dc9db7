"""Tests stand where the code stands: each module has its tests at the mirrored path."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TESTS = Path("tests")

ELSEWHERE: dict[str, tuple[str, ...]] = {
    # pages are parts of one application, and are asked for over HTTP in a whole archive
    "browse/test_pages.py": (
        "archiver/browse/archives", "archiver/browse/cells", "archiver/browse/connections",
        "archiver/browse/errors", "archiver/browse/guard", "archiver/browse/metadata",
        "archiver/browse/post", "archiver/browse/server",
    ),
    "browse/test_navigation.py": (
        "archiver/browse/accounts", "archiver/browse/calendar", "archiver/browse/home",
        "archiver/browse/memories", "archiver/browse/timeline",
    ),
    "browse/test_posts_on_pages.py": ("archiver/browse/cards", "archiver/browse/items"),
    "browse/test_missing.py": ("archiver/browse/alarms",),
    "browse/test_threads.py": ("archiver/browse/relations",),
    "browse/test_viewer_in_browser.py": ("archiver/browse/routes", "archiver/browse/viewer"),
    "browse/test_media.py": ("archiver/browse/thumbnailer", "archiver/browse/thumbs"),
    # commands that only parse and print: what they call is tested through them
    "cli/test_values.py": ("archiver/cli/browse",),
    "cli/test_hold.py": ("archiver/cli/post_options",),
    "cli/test_accounts.py": ("archiver/cli/asking",),
    # a page of posts is saved as a whole
    "archive/test_posts.py": (
        "archiver/archive/post_rows", "archiver/archive/shown_edits",
        "archiver/archive/stored_posts",
    ),
    # an erasure is one thing from the rows to the certificate, and is tested as a whole
    "retention/test_erasure.py": (
        "archiver/archive/blanking",
        "archiver/retention/cleaning", "archiver/retention/erased_rows",
    ),
    "fleet/test_tenant_backup.py": ("archiver/fleet/tenant_archive",),
    "evidence/test_copy.py": ("archiver/cli/copy",),
    "site/test_html_format.py": ("archiver/site/pages", "archiver/site/plan"),
    "export/formats/test_jsonl.py": ("archiver/export/account_document",),
    "export/formats/test_sqlite.py": ("archiver/export/extract",),
    "export/test_folder.py": ("archiver/export/written_files",),
    "export/test_snapshot.py": ("archiver/saved_posts",),
    "evidence/test_access.py": ("archiver/cli/verify",),
    "evidence/test_tampering.py": ("archiver/evidence/known_heads",),
    # it runs the programs of the system, in whose place the command's test has some of its own
    "cli/test_schedule.py": ("archiver/unattended/schedulers/installer",),
    # what a whole run is needed for
    "backup/test_backup_run.py": ("archiver/backup/context", "archiver/backup/run"),
    "backup/test_playlists.py": ("archiver/backup/fetched",),
    "backup/test_several_sources.py": ("archiver/backup/profile_pictures",),
    "cli/test_separate.py": ("archiver/archive/separation",),
    # films are joined from what a server sends
    "media/playlists/test_joining.py": (
        "archiver/media/playlists/decrypting", "archiver/media/playlists/hls",
        "archiver/media/playlists/making", "archiver/media/playlists/plan",
        "archiver/media/playlists/segments",
    ),
    "media/playlists/test_remuxer.py": ("archiver/media/playlists/remuxing",),
    # yt-dlp itself is run, through all that confines it
    "plugins/test_ytdlp.py": (
        "archiver/backup/resolver_job", "archiver/confined", "archiver/resolvers",
        "plugins/archiver_ytdlp/failures", "plugins/archiver_ytdlp/formats",
        "plugins/archiver_ytdlp/installed", "plugins/archiver_ytdlp/resolver",
    ),
    # suites are tested by running them, on what is right and on what is wrong
    "testing/test_testing.py": ("archiver/testing/checks", "archiver/testing/package"),
    "media/test_folder_store.py": ("archiver/testing/store",),
    # the demo's world is asked over HTTP, as a platform is
    "plugins/ayrshare/demo/networks/test_networks.py": (
        "plugins/archiver_ayrshare/demo/networks/base",
        "plugins/archiver_ayrshare/demo/networks/bluesky",
        "plugins/archiver_ayrshare/demo/networks/facebook",
        "plugins/archiver_ayrshare/demo/networks/instagram",
        "plugins/archiver_ayrshare/demo/networks/linkedin",
        "plugins/archiver_ayrshare/demo/networks/pinterest",
        "plugins/archiver_ayrshare/demo/networks/snapchat",
        "plugins/archiver_ayrshare/demo/networks/threads",
        "plugins/archiver_ayrshare/demo/networks/tiktok",
        "plugins/archiver_ayrshare/demo/networks/twitter",
        "plugins/archiver_ayrshare/demo/networks/youtube",
    ),
    "plugins/ayrshare/demo/test_backend.py": (
        "plugins/archiver_ayrshare/demo/accounts", "plugins/archiver_ayrshare/demo/populate",
        "plugins/archiver_ayrshare/demo/posts", "plugins/archiver_ayrshare/demo/world",
    ),
    "plugins/ayrshare/demo/test_media.py": (
        "plugins/archiver_ayrshare/demo/recipes", "plugins/archiver_ayrshare/demo/scenes",
    ),
    "plugins/ayrshare/demo/test_story.py": (
        "plugins/archiver_ayrshare/demo/story_data", "plugins/archiver_ayrshare/demo/story_posts",
    ),
    "serve/test_history.py": ("plugins/archiver_ayrshare/emulation/archive_backend",),
    # a client is nothing without the servers that it asks
    "plugins/bluesky/test_scan.py": (
        "plugins/archiver_bluesky/client", "plugins/archiver_bluesky/server",
    ),
    "imports/test_import_run.py": (
        "archiver/archive/packages", "archiver/imports/accounts", "archiver/imports/files",
        "archiver/imports/import_record", "archiver/imports/opening",
        "archiver/imports/package_import", "archiver/imports/whole_packages",
    ),
    "imports/test_single_films.py": (
        "archiver/archive/film_posts", "archiver/imports/film_import",
    ),
    "imports/test_broken_packages.py": ("archiver/imports/parts",),
    # what was exported is imported as a whole
    "imports/test_transfer.py": (
        "archiver/archive/transfer", "archiver/archive/transfer_fill",
        "archiver/imports/transfer_accounts", "archiver/imports/transfer_import",
        "archiver/imports/transfer_lines", "archiver/imports/transfer_reduction",
        "archiver/imports/transfer_rows",
    ),
    # exports of TikTok have links in place of files
    "plugins/exports/test_tiktok.py": ("archiver/imports/linked_files",),
    "imports/test_recognition.py": ("archiver/imports/package",),
    # an archive of X is read from its files to its posts
    "plugins/exports/test_twitter.py": (
        "plugins/archiver_exports/twitter_post", "plugins/archiver_exports/values",
    ),
    "plugins/exports/test_linkedin.py": ("plugins/archiver_exports/linkedin_article",),
    # a Takeout is read from its tables to its posts and films
    "plugins/exports/test_youtube.py": (
        "plugins/archiver_exports/tables", "plugins/archiver_exports/youtube_columns",
        "plugins/archiver_exports/youtube_films", "plugins/archiver_exports/youtube_post",
    ),
    "plugins/exports/test_facebook.py": ("plugins/archiver_exports/facebook_post",),
    "plugins/exports/test_instagram.py": (
        "plugins/archiver_exports/meta", "plugins/archiver_exports/threads",
    ),
    "plugins/mastodon/test_outbox.py": ("plugins/archiver_mastodon/activity",),
    "plugins/bluesky/test_contract.py": ("plugins/archiver_bluesky/platform",),
    "plugins/bluesky/test_dag_cbor.py": ("plugins/archiver_bluesky/baddata",),
    "plugins/mastodon/test_backup.py": ("plugins/archiver_mastodon/platform",),
}  # fmt: skip
"""Modules whose tests are in another file than the mirrored one, by that file, with the reason."""

TESTED_IN = {module: file for file, modules in ELSEWHERE.items() for module in modules}


def has_code(path: Path) -> bool:
    """Whether a function of a module does something; a protocol only says what others do."""
    return any(
        not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for statement in node.body
    )


def mirrored(module: Path) -> Path:
    """Where the tests of a module belong."""
    root, *folders = module.parts[:-1]
    if root == "plugins":
        folders = ["plugins", folders[0].removeprefix("archiver_"), *folders[1:]]
    return TESTS.joinpath(*folders, f"test_{module.stem}.py")


MODULES = [
    path.relative_to(ROOT)
    for folder in ("archiver", "plugins")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if path.name != "__init__.py"  # what a package itself has is tested in its folder
    and has_code(path)
]


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_module_has_its_tests(module: Path) -> None:
    file = TESTED_IN.get(module.with_suffix("").as_posix())
    expected = mirrored(module) if file is None else TESTS / file
    assert (ROOT / expected).is_file(), f"{module} has no tests in {expected}"


def test_the_exceptions_are_needed() -> None:
    names = {module.with_suffix("").as_posix() for module in MODULES}
    assert TESTED_IN.keys() - names == set(), "these are no modules any more"
    mirrors = {name for name in TESTED_IN if (ROOT / mirrored(Path(f"{name}.py"))).is_file()}
    assert mirrors == set(), "these have tests of their own now"
    assert len(TESTED_IN) == sum(map(len, ELSEWHERE.values())), "one is listed twice"


def test_where_tests_belong_is_clear() -> None:
    assert mirrored(Path("archiver/clock.py")) == TESTS / "test_clock.py"
    assert mirrored(Path("archiver/net/api.py")) == TESTS / "net/test_api.py"
    assert (
        mirrored(Path("plugins/archiver_bluesky/car.py")) == TESTS / "plugins/bluesky/test_car.py"
    )
