"""archive.toml is read whole, or refused with the key, the line and a way out."""

import os
import re
import tomllib
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Literal

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.cli.failures import layout
from archiver.config import (
    AccountEntry,
    ArchiveSettings,
    Config,
    MediaSettings,
    NetworkSettings,
    find_config,
    load_config,
    user_config,
)
from archiver.errors import ConfigError, PluginError, SecretError, UsageError
from archiver.plugins import Loaded, Origin, Plugins, Problem
from archiver.secrets import Secret
from support.plugin_samples import CardOptions, Cards, Shelf, ShelfSettings, shelf_plugins

ACCOUNT = '[[accounts]]\nname = "a"\nplatform = "cards"\nsource = "shelf"\n'


@dataclass(frozen=True)
class NeedySettings:
    """Settings that must be given."""

    key: str


def several_sources(*names: str) -> Plugins:
    """Sources of these names, through each of which `cards` can be read; `needy…` need a key."""
    loaded = []
    for name in names:
        source = Shelf()
        source.name = name
        source.settings = NeedySettings if name.startswith("needy") else ShelfSettings
        loaded.append(Loaded(Origin(name, name), (source,), (Cards("cards", name),)))
    return Plugins(tuple(loaded))


Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a private archive.toml."""

    def write_text(text: str) -> Path:
        path = tmp_path / "archive.toml"
        path.write_text(text, "utf-8")
        path.chmod(0o600)
        return path

    return write_text


def refusal(path: Path) -> str:
    """What loading the file says."""
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_everything_is_read(write: Write, tmp_path: Path) -> None:
    config = load_config(
        write(
            """
            [archive]
            directory = "deep/archive"
            full_every = "12h"
            keep_responses = "none"
            [shelf]
            api_key = "env:SHELF"
            [media]
            videos = "all"
            thumbnails = false
            max_size = "1.5GiB"
            connections = 4
            per_host = 2
            [network]
            allow = ["127.0.0.0/8", "nas"]
            https_only = true
            [[accounts]]
            name = "acme cards"
            platform = "cards"
            source = "shelf"
            user_name = "acme"
            """
        )
    )
    assert config.archive == ArchiveSettings(
        tmp_path / "deep/archive", timedelta(hours=12), keep_responses="none"
    )
    assert config.media.max_size == 3 * 512 * 1024 * 1024
    assert (config.media.videos, config.media.thumbnails) == ("all", False)
    assert (config.media.connections, config.media.per_host) == (4, 2)
    assert config.network == NetworkSettings(("127.0.0.0/8", "nas"), https_only=True)
    assert config.sources == {"shelf": {"api_key": "env:SHELF"}}
    entry = AccountEntry("acme cards", "cards", "shelf", {"user_name": "acme"}, 17)
    assert config.accounts == (entry,)


def test_defaults(write: Write, tmp_path: Path) -> None:
    config = load_config(write('[[accounts]]\nname = "a"\nplatform = "instagram"\n'))
    assert config.archive == ArchiveSettings(directory=tmp_path / "archive")
    assert config.media == MediaSettings()
    assert config.network == NetworkSettings()
    assert config.accounts[0].source is None


def test_an_absolute_folder_stays_as_it_is(write: Write, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    config = load_config(write(f"[archive]\ndirectory = '{elsewhere}'\n"))
    assert config.archive.directory == elsewhere


def test_a_byte_order_mark_and_windows_line_ends(write: Write) -> None:
    path = write("")
    path.write_bytes(b"\xef\xbb\xbf[media]\r\nvideos = 'all'\r\n\r\n[network]\r\nallo = []\r\n")
    assert "line 5" in refusal(path)


RULE = '[[retention]]\nname = "r"\nbasis = "4.2"\n'


WRONG = [
    ('[media]\n\nvideo = "all"', ["line 3", '"video" is not known', 'mean "videos"?']),
    ("[media]\nthumbnails = 1", ["line 2", "must be true or false, not 1", "thumbnails = true"]),
    ('[media]\nconnections = "16"', ["line 2", 'must be a whole number, not the text "16"']),
    ("[media]\nconnections = true", ["must be a whole number, not true"]),
    ("[media]\nconnections = 0", ["must be at least 1"]),
    ("[media]\nconnections = 1000", ["must be at most 256"]),
    ('[media]\nvideos = "bets"', ['"best", "all", "smallest", "none"', 'Did you mean "best"?']),
    ('[media]\nmax_size = "4 gigs"', ['"max_size"', 'such as "500MB"', 'max_size = "4GB"']),
    ('[media]\nmax_size = "0B"', ['must be at least "1B"']),
    ("[media]\nmax_size = -1", ["must not be below 0"]),
    ('[archive]\nfull_every = "weekly"', ['"7d", "12h" or "30m"', 'full_every = "7d"']),
    ("[archive]\nfull_every = 7", ["must be a length of time", "not 7"]),
    (f'[archive]\nfull_every = "{"9" * 40}w"', ["is too long"]),
    ('[archive]\ndirectory = ""', ["must be a path"]),
    ('[archive]\ndirectory = "~nobody-of-that-name/a"', ["cannot be found"]),
    ("[archive]\n[archive.directory]\nx = 1", ["line 2", "must be a path in quotes, not a table"]),
    ("[archive]\ndirectory = 2026-01-01", ["not 2026-01-01"]),
    ('[network]\nallow = "127.0.0.1"', ["must be a list", 'allow = ["127.0.0.0/8"']),
    ("[network]\nallow = [1]", ["must be a text in quotes, not 1"]),
    ('[networks]\nallow = ["10.0.0.0/8"]', ["line 1", "[networks] is not known", "[network]?"]),
    ('[[account]]\nname = "a"', ["line 1", "list of tables", "[account] with one pair"]),
    ('[account]\nname = "a"', ["[account] is not known", "[[accounts]]?"]),
    ('[accounts]\nname = "a"', ["not a list of tables", "[[accounts]]"]),
    ('[retention]\nname = "a"', ["not a list of tables", "[[retention]]"]),
    (f"{RULE}period = 'a while'", ["line 4", '"30 days", "18 months"', 'not the text "a while"']),
    (f"{RULE}period = '0 days'", ["line 4", "period"]),
    (f"{RULE}period = '1 year'\nkinds = ['storys']", ["line 5", '"story"', "storys"]),
    (f"{RULE}period = '1 year'\n" * 2, ["line 6", 'a second rule is called "r"']),
    ('[[retention]]\nname = "r"\nperiod = "1 year"\nbasis = ""', ["line 4", "not be empty"]),
    ('[retentoin]\nname = "a"', ["[retentoin] is not known", "[[retention]]"]),
    ('directory = "a"', ["line 1", "outside any table", "below [archive]"]),
    ('key = "a"', ["outside any table"]),
    ('[[archive]]\ndirectory = "a"', ["[archive] with one pair"]),
    ('[[accounts]]\nname = "a"', ["line 1", '"platform" is missing', 'platform = "instagram"']),
    ('[[accounts]]\nplatform = "cards"', ['"name" is missing']),
    ('[[accounts]]\nnmae = "a"\nplatform = "b"', ["line 2", '"nmae"', 'Did you mean "name"?']),
    ('[[accounts]]\nname = 5\nplatform = "b"', ["line 2", "must be a text in quotes, not 5"]),
    ('[[accounts]]\nname = "-a"\nplatform = "b"', ["line 2", "must be a label"]),
    ('[[accounts]]\nname = ""\nplatform = "b"', ["must be a label"]),
    ('[[accounts]]\nname = "a/b"\nplatform = "b"', ["must be a label"]),
    ('[[accounts]]\nname = "a\\u001b[31m"\nplatform = "b"', ["line 2", "(U+001B)"]),
    ('[[accounts]]\nname = "a "\nplatform = "b"', ["line 2", "must not begin or end with a space"]),
    ('[[accounts]]\nname = "a\u200bb"\nplatform = "b"', ["line 2", "zero-width space (U+200B)"]),
    ('[[accounts]]\nname = "a\u200db"\nplatform = "b"', ["zero width joiner (U+200D)"]),
    ('[[accounts]]\nname = "a\\tb"\nplatform = "b"', ["line 2", "tab (U+0009)"]),
    (ACCOUNT + ACCOUNT.replace('"a"', '"A"'), ["line 6", 'called "A"', "first is on line 1"]),
    ("[media]\nvideos = best", ["line 2, column 10", "not TOML", "quotes"]),
    ("[media\n", ["line 1", "not TOML"]),
    ("x = " + "[" * 100_000, ["archive.toml"]),
    (
        '[archive]\ndirectory = "C:\\Users\\me"',
        [
            "line 2, column 16",
            "backslash",
            "'C:\\Users\\me'",
            '"C:\\\\Users\\\\me"',
        ],
    ),
    ('[archive]\ndirectory = "C:\\me"', ["line 2, column 16", "directory = 'C:\\Users\\me'"]),
    ('[archive]\ndirectory = "C:\\temp"', ["line 2", "a tab (U+0009)", "'C:\\Users\\me'"]),
    ("[archive]\ndirectory = “a”", ["line 2, column 13", "“, U+201C", 'straight quote: "']),
    ('[archive]\ndirectory = "a”', ["line 2, column 15", "”, U+201D", 'straight quote: "']),
    ("[archive]\ndirectory = ‘a’", ["line 2, column 13", "‘, U+2018", "straight quote: '"]),
    ("[archive]\ndirectory = 'a’\n\n", ["line 2, column 15", "’, U+2019"]),
    ("[archive]\ndirectory = `a`", ["line 2, column 13", "straight quote: '"]),
    ("[archive]\ndirectory\u00a0= 'a'", ["line 2, column 10", "no-break space", "ordinary space"]),
    ("[archive]\n\u00a0directory = 'a'", ["line 2, column 1", "no-break space (U+00A0)"]),
    ("[archive]\ndirec\u200btory = 'a'", ["line 2, column 6", "zero-width space (U+200B)"]),
    ("[archive]\n\ufeffdirectory = 'a'", ["line 2, column 1", "byte order mark (U+FEFF)"]),
    ("[archive]\ndirectory ＝ 'a'", ["line 2, column 11", "fullwidth equals sign (＝, U+FF1D)"]),
    ("[media]\nthumbnails = true\x0b", ["line 2, column 18", "control character (U+000B)"]),
    ('[media]\nvideos = "best\u200b"', ["line 2", "not a text that holds a zero-width space"]),
    ('[media]\n"vid\u200beos" = "best"', ["line 2", "It holds a zero-width space (U+200B)"]),
    ("[media]\n[media]\n", ["line 2", "was defined before"]),
    ("", ["no settings in it", "archiver init"]),
    ("# only a remark\n", ["no settings in it"]),
]


@pytest.mark.parametrize(("text", "expected"), WRONG, ids=[text[:40] for text, _ in WRONG])
def test_what_is_wrong_is_named(text: str, expected: list[str], write: Write) -> None:
    said = refusal(write(text))
    assert said.startswith("archive.toml")
    assert [part for part in expected if part not in said] == []


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ('"1KB"', 1000),
        ('"1KiB"', 1024),
        ('"2 mb"', 2_000_000),
        ('"4.7GB"', 4_700_000_000),
        ('"1TiB"', 1024**4),
        ('"512B"', 512),
        ("1048576", 1_048_576),
    ],
)
def test_sizes(text: str, size: int, write: Write) -> None:
    assert load_config(write(f"[media]\nmax_size = {text}\n")).media.max_size == size


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("1.5h", 5400), ("2w", 1209600), ("0s", 0)]
)
def test_durations(text: str, seconds: int, write: Write) -> None:
    config = load_config(write(f'[archive]\nfull_every = "{text}"\n'))
    assert config.archive.full_every == timedelta(seconds=seconds)


def test_the_line_is_found_behind_texts_and_lists_over_many_lines(write: Write) -> None:
    text = """
[shelf]
note = '''
[media]
videos = "no"
'''
other = \"\"\"a "quoted" \\"\"\" # not a remark
[network]\"\"\"
list = [ # [
  "]", '[[',
]
inline = { media = "x" }

[media]   # [network]
"videos" = "bad"
"""
    assert "line 15" in refusal(write(text))


def test_the_line_of_the_right_account(write: Write) -> None:
    text = ACCOUNT + "\n" + ACCOUNT.replace('"a"', '"b"') + "colour = 1\n"
    config = load_config(write(text))
    with pytest.raises(ConfigError, match=r'line 10: "colour" is not known in the account "b"'):
        config.account(config.accounts[1], shelf_plugins())


class TestFiles:
    """A file that cannot be read says why."""

    def test_missing(self, tmp_path: Path) -> None:
        assert "archiver init" in refusal(tmp_path / "archive.toml")

    def test_a_folder(self, tmp_path: Path) -> None:
        said = refusal(tmp_path)
        assert "is a folder" in said
        assert str(tmp_path / "archive.toml") in said

    def test_not_utf_8(self, tmp_path: Path) -> None:
        path = tmp_path / "archive.toml"
        path.write_bytes('[archive]\ndirectory = "Müll"\n'.encode("latin-1"))
        said = refusal(path)
        assert "line 2, column 15: this is not UTF-8" in said
        assert "FC" in said
        assert "it is ü" in said

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32-le"])
    def test_an_encoding_of_windows_is_named_with_its_cure(
        self, tmp_path: Path, encoding: str
    ) -> None:
        path = tmp_path / "archive.toml"
        path.write_bytes("[archive]\r\ndirectory = 'a'\r\n".encode(encoding))
        said = refusal(path)
        assert "this is UTF-16, not UTF-8" in said
        assert "-Encoding utf8" in said

    @pytest.mark.parametrize("mark", ["", "\ufeff"])
    def test_utf_16_behind_utf_8_is_named_where_it_begins(self, tmp_path: Path, mark: str) -> None:
        path = tmp_path / "archive.toml"
        path.write_bytes(b"[archive]\r\n" + f"{mark}[[accounts]]\r\n".encode("utf-16-le"))
        said = refusal(path)
        assert re.search(r"line 2, column [12]: from here on this is UTF-16, not UTF-8", said)
        assert "-Encoding utf8" in said

    def test_a_zero_byte(self, write: Write) -> None:
        assert "line 2, column 2: there is a zero byte" in refusal(write("[archive]\na\0b = 1"))

    @given(
        st.binary(max_size=60)
        | st.text(max_size=40).map(str.encode)
        | st.text(
            alphabet="[]=\"'.\\#\n\r\0\t ab1,{}“”‘’\u00a0\u200b\ufeff\u2028ü＝", max_size=40
        ).map(str.encode)
        | st.text(alphabet='[a]="\n', max_size=20).map(lambda text: text.encode("utf-16"))
    )
    def test_garbage_is_refused_with_a_place_in_the_file(
        self, tmp_path_factory: pytest.TempPathFactory, data: bytes
    ) -> None:
        path = tmp_path_factory.getbasetemp() / "garbage.toml"
        path.write_bytes(data)
        path.chmod(0o600)
        try:
            load_config(path)
        except ConfigError as error:
            assert str(error).startswith("garbage.toml")  # noqa: PT017 — it need not be refused
            said = click.unstyle(layout(error)).replace("\n", " ")
            assert [c for c in said if unicodedata.category(c) in {"Cc", "Cs"}] == []

    def test_below_a_file(self, write: Write) -> None:
        assert "cannot be read. Not a directory" in refusal(write("[archive]\n") / "archive.toml")

    @pytest.mark.skipif(
        os.name != "posix" or os.geteuid() == 0, reason="this user may read everything"
    )
    def test_not_allowed(self, write: Write) -> None:
        path = write("[archive]\n")
        path.chmod(0)
        assert "Permission denied" in refusal(path)


class TestFinding:
    """Which config is used."""

    def test_the_named_one_comes_first(
        self, clean_environment: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "archive.toml").touch()
        (tmp_path / "other.toml").touch()
        monkeypatch.chdir(tmp_path)
        assert find_config(Path("named.toml"), {}) == Path("named.toml")
        other = str(tmp_path / "other.toml")
        assert find_config(None, {"ARCHIVER_CONFIG": other}) == Path(other)
        assert find_config(None, {"ARCHIVER_CONFIG": ""}) == Path("archive.toml")

    def test_the_users_own_comes_last(
        self, clean_environment: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        with pytest.raises(ConfigError, match="Run archiver init") as caught:
            find_config(None, {})
        assert str(tmp_path / "archive.toml") in str(caught.value)
        user_config().parent.mkdir(parents=True)
        user_config().touch()
        assert find_config(None, {}) == user_config()
        assert tmp_path in user_config().parents

    def test_a_variable_that_names_no_file_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="ARCHIVER_CONFIG names"):
            find_config(None, {"ARCHIVER_CONFIG": str(tmp_path / "gone.toml")})


class TestAccounts:
    """What belongs to plugins is checked by them."""

    def config(self, write: Write, more: str = "", head: str = "") -> Config:
        return load_config(write(head + ACCOUNT + more))

    def test_an_account_with_its_options(self, write: Write) -> None:
        config = self.config(write, 'profile_key = "env:P"\n')
        account = config.account(config.accounts[0], shelf_plugins())
        assert (account.name, account.platform, account.source) == ("a", "cards", "shelf")
        assert account.options == CardOptions(profile_key=Secret("env:P"))

    def test_options_that_exclude_each_other(self, write: Write) -> None:
        config = self.config(write, 'profile_key = "env:P"\nuser_name = "x"\n')
        with pytest.raises(ConfigError, match=r"^archive.toml, line 1: profile_key and user_name"):
            config.account(config.accounts[0], shelf_plugins())

    def test_an_unknown_option_suggests_the_nearest(self, write: Write) -> None:
        config = self.config(write, 'username = "x"\n')
        with pytest.raises(ConfigError, match=r'line 5: .*Did you mean "user_name"'):
            config.account(config.accounts[0], shelf_plugins())

    def test_an_unknown_platform_lists_those_there_are(self, write: Write) -> None:
        config = load_config(write(ACCOUNT.replace('"cards"', '"card"')))
        with pytest.raises(PluginError) as caught:
            config.check(shelf_plugins())
        said = str(caught.value)
        assert 'line 3: There is no platform "card"' in said
        assert "cards, notes" in said
        assert 'Did you mean "cards"' in said

    def test_an_entry_without_a_source_means_the_only_one(self, write: Write) -> None:
        config = load_config(write('[[accounts]]\nname = "a"\nplatform = "cards"\n'))
        assert config.account(config.accounts[0], shelf_plugins()).source == "shelf"

    @pytest.mark.parametrize(
        ("tables", "source"),
        [
            ("[needy]\nkey = 'k'\n", "needy"),
            ("", "shelf"),  # the one that needs no key
            ("[shelf]\n", "shelf"),
            ("[drawer]\n", "drawer"),
        ],
    )
    def test_of_several_sources_the_one_in_the_file_is_meant_else_the_one_without_a_key(
        self, tables: str, source: str, write: Write
    ) -> None:
        plugins = several_sources("shelf", "needy") if "drawer" not in tables else (
            several_sources("shelf", "needy", "drawer")
        )  # fmt: skip
        config = load_config(write(tables + '[[accounts]]\nname = "a"\nplatform = "cards"\n'))
        assert config.account(config.accounts[0], plugins).source == source

    @pytest.mark.parametrize(
        ("tables", "sources"),
        [
            ("[needy]\nkey = 'k'\n[shelf]\n", ("needy", "shelf")),
            ("", ("drawer", "shelf")),
            ("", ("needy", "needy_too")),
        ],
    )
    def test_where_several_sources_could_be_meant_the_entry_has_to_say_which(
        self, tables: str, sources: tuple[str, ...], write: Write
    ) -> None:
        config = load_config(write(tables + '[[accounts]]\nname = "a"\nplatform = "cards"\n'))
        with pytest.raises(ConfigError, match="more than one source: ") as caught:
            config.check(several_sources(*sources))
        assert ", ".join(sources) in str(caught.value)
        assert caught.value.hint == (
            f'Choose one in the account, for example: source = "{sources[0]}"'
        )

    def test_a_platform_that_nobody_reads_is_named(self, write: Write) -> None:
        config = load_config(write('[[accounts]]\nname = "a"\nplatform = "crads"\n'))
        with pytest.raises(PluginError, match='There is no platform "crads"') as caught:
            config.check(shelf_plugins())
        assert caught.value.hint == 'Did you mean "cards"?'

    def test_an_unknown_source(self, write: Write) -> None:
        config = load_config(write(ACCOUNT.replace('"shelf"', '"shlef"')))
        with pytest.raises(PluginError, match=r'line 4: .*"shlef".*Did you mean "shelf"'):
            config.check(shelf_plugins())

    def test_an_unknown_table_suggests_the_nearest(self, write: Write) -> None:
        config = self.config(write, head='[shel]\napi_key = "env:K"\n')
        with pytest.raises(PluginError, match=r"line 1: .*Did you mean \[shelf\]"):
            config.check(shelf_plugins())

    def test_the_settings_of_a_source(self, write: Write) -> None:
        config = self.config(write, head='[shelf]\napi_key = "env:K"\nlimit = 5\n')
        source = shelf_plugins().source("shelf")
        assert config.source_settings(source) == ShelfSettings(Secret("env:K"), 5)
        config.check(shelf_plugins())

    def test_the_settings_of_a_source_are_checked(self, write: Write) -> None:
        config = self.config(write, head="[shelf]\nlimit = 0\n")
        with pytest.raises(ConfigError, match=r'line 2: "limit" in \[shelf\] must be at least 1'):
            config.check(shelf_plugins())

    def test_a_source_that_is_used_needs_its_settings(self, write: Write) -> None:
        source = Shelf()
        source.settings = NeedySettings
        plugins = Plugins((Loaded(Origin("x", "x"), (source,), (Cards(),)),))
        with pytest.raises(ConfigError, match=r'"key" is missing in \[shelf\]'):
            self.config(write).check(plugins)

    def test_a_broken_source_matters_only_when_it_is_used(self, write: Write) -> None:
        origin = Origin("box", "box")
        problem = Problem(origin, "box is left out", "it is broken", frozenset({"box"}))
        plugins = Plugins(shelf_plugins().loaded, (problem,))
        self.config(write, head="[box]\nx = 1\n").check(plugins)
        config = load_config(write(ACCOUNT.replace('"shelf"', '"box"')))
        with pytest.raises(PluginError, match=r"line 4: .*is unavailable.*it is broken"):
            config.check(plugins)

    @pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
    @pytest.mark.parametrize("written", ["NFC", "NFD"])
    def test_a_name_is_found_however_its_letters_are_composed(
        self, write: Write, form: Literal["NFC", "NFD"], written: Literal["NFC", "NFD"]
    ) -> None:
        for name in ("café", "Ångström", "हिन्दी", "がくせい", "한국"):
            text = ACCOUNT.replace('"a"', f'"{unicodedata.normalize(written, name)}"')
            config = load_config(write(text))
            (entry,) = config.select([unicodedata.normalize(form, name)])
            assert entry.name == unicodedata.normalize("NFC", name)

    def test_two_names_that_differ_in_composition_alone_are_one(self, write: Write) -> None:
        text = "".join(
            ACCOUNT.replace('"a"', f'"{unicodedata.normalize(form, "café")}"')
            for form in ("NFC", "NFD")
        )
        assert "a second account is called" in refusal(write(text))

    def test_a_handle_is_sent_in_its_composed_form(self, write: Write) -> None:
        config = self.config(write, more='user_name = "cafe\u0301"\n')
        options = config.account(config.accounts[0], shelf_plugins()).options
        assert options == CardOptions(user_name="caf\u00e9")

    @pytest.mark.parametrize(
        "typed", ["Acme", "ACME-instagram", "acme-instagrm", "acme-instagram "]
    )
    def test_a_name_is_exact_but_its_suggestion_is_not(self, write: Write, typed: str) -> None:
        config = load_config(write(ACCOUNT.replace('"a"', '"Acme-Instagram"')))
        with pytest.raises(UsageError) as caught:
            config.select([typed])
        assert ('Did you mean "Acme-Instagram"' in str(caught.value)) is (typed != "Acme")

    def test_choosing_by_name(self, write: Write) -> None:
        config = self.config(write, more=ACCOUNT.replace('"a"', '"bcd"'))
        assert [entry.name for entry in config.select()] == ["a", "bcd"]
        assert [entry.name for entry in config.select(["bcd", "bcd"])] == ["bcd"]
        with pytest.raises(UsageError, match=r'no account "bdc".*Did you mean "bcd"'):
            config.select(["bdc"])

    def test_no_accounts_yet(self, write: Write) -> None:
        config = load_config(write("[archive]\n"))
        with pytest.raises(ConfigError, match=r"(?s)no accounts yet in .*no key.*--discover"):
            config.select()


class TestSecrets:
    """Secrets are references, resolved when used, and shown to nobody."""

    def settings(self, path: Path) -> ShelfSettings:
        settings = load_config(path).source_settings(shelf_plugins().source("shelf"))
        assert isinstance(settings, ShelfSettings)
        return settings

    def test_a_missing_variable_matters_only_when_used(self, write: Write) -> None:
        settings = self.settings(write('[shelf]\napi_key = "env:ARCHIVER_TEST_NOT_THERE"\n'))
        assert settings.api_key is not None
        with pytest.raises(SecretError, match="ARCHIVER_TEST_NOT_THERE is not set"):
            settings.api_key.reveal()

    def test_a_file_is_looked_for_beside_the_config(self, write: Write, tmp_path: Path) -> None:
        key = tmp_path / "key"
        key.write_text("s3cret-from-file\n")
        key.chmod(0o600)
        settings = self.settings(write('[shelf]\napi_key = "file:key"\n'))
        assert settings.api_key is not None
        assert settings.api_key.reveal() == "s3cret-from-file"

    @pytest.mark.skipif(os.name != "posix", reason="files have no such modes here")
    def test_a_literal_one_needs_a_private_file(self, write: Write) -> None:
        path = write('[shelf]\napi_key = "L1teral-s3cret"\n')
        settings = self.settings(path)
        assert settings.api_key is not None
        assert settings.api_key.reveal() == "L1teral-s3cret"
        path.chmod(0o644)
        with pytest.raises(ConfigError, match=r'line 2: "api_key".*chmod 600') as caught:
            self.settings(path)
        assert "L1teral" not in str(caught.value)

    @pytest.mark.skipif(os.name != "posix", reason="files have no such modes here")
    @pytest.mark.parametrize(("file", "folder"), [(0o606, 0o755), (0o602, 0o700), (0o600, 0o777)])
    def test_a_file_that_others_may_write_to_gets_no_key(
        self, write: Write, tmp_path: Path, file: int, folder: int
    ) -> None:
        path = write('[shelf]\napi_key = "cmd:echo sprung"\n' + ACCOUNT)
        path.chmod(file)
        tmp_path.chmod(folder)
        config = load_config(path)
        assert config.account(config.accounts[0], shelf_plugins()).name == "a"
        with pytest.raises(ConfigError, match=r'line 2: "api_key".*other users may write to'):
            config.source_settings(shelf_plugins().source("shelf"))

    @pytest.mark.skipif(os.name != "posix", reason="files have no such modes here")
    @pytest.mark.parametrize(("file", "folder"), [(0o660, 0o770), (0o600, 0o1777)])
    def test_a_group_may_write_and_so_may_all_where_nobody_replaces(
        self, write: Write, tmp_path: Path, file: int, folder: int
    ) -> None:
        path = write('[shelf]\napi_key = "env:SHELF"\n')
        path.chmod(file)
        tmp_path.chmod(folder)
        assert self.settings(path).api_key == Secret("env:SHELF")

    @pytest.mark.skipif(
        os.name != "posix" or os.geteuid() != 0, reason="only root can give files away"
    )
    def test_a_file_of_another_user_gets_no_key(self, write: Write) -> None:
        path = write('[shelf]\napi_key = "env:SHELF"\n')
        os.chown(path, 12345, -1)
        with pytest.raises(ConfigError, match="other users may write to"):
            self.settings(path)

    @pytest.mark.parametrize("text", ['""', '" "', '"env:"', '"evn:KEY"', '"ENV:KEY"', "5", "[]"])
    def test_what_is_no_secret(self, text: str, write: Write) -> None:
        with pytest.raises(ConfigError, match=r'line 2: "api_key"'):
            self.settings(write(f"[shelf]\napi_key = {text}\n"))

    def test_no_representation_shows_one(self, write: Write) -> None:
        config = load_config(
            write('[shelf]\napi_key = "L1teral-s3cret"\n' + ACCOUNT + 'profile_key = "L1teral"\n')
        )
        account = config.account(config.accounts[0], shelf_plugins())
        settings = config.source_settings(shelf_plugins().source("shelf"))
        assert "L1teral" not in repr((config, account, settings))


class TestExample:
    """archive.example.toml is what `archiver init` writes, and says everything."""

    text = files("archiver").joinpath("archive.example.toml").read_text("utf-8")

    def test_both_copies_are_one(self) -> None:
        root = Path(__file__).parent.parent / "archive.example.toml"
        assert root.read_text("utf-8") == self.text

    def test_it_shows_the_defaults(self, write: Write, tmp_path: Path) -> None:
        config = load_config(write(self.text))
        assert config.archive == ArchiveSettings(directory=tmp_path / "archive")
        assert config.media == MediaSettings()
        assert config.network == NetworkSettings()

    def test_it_shows_every_setting(self) -> None:
        tables = tomllib.loads(self.text)
        assert set(tables["archive"]) == set(ArchiveSettings.__dataclass_fields__) - {"actor"}
        assert set(tables["media"]) == set(MediaSettings.__dataclass_fields__)
        assert set(tables["network"]) == {"allow", "https_only"}
        for name in ("actor", *NetworkSettings.__dataclass_fields__):
            assert re.search(rf"^(# )?{name} = ", self.text, re.MULTILINE)
