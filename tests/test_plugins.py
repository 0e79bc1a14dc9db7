"""Plugins are loaded one by one; a broken one is named, and the others go on."""

import os
import sys
from collections.abc import Callable
from importlib.metadata import Distribution, EntryPoint
from pathlib import Path
from typing import Any

import pytest

from archiver import hookspecs
from archiver.errors import PluginError
from archiver.plugins import Plugins, load_plugins
from support.plugin_samples import Cards, Shelf

HEAD = "from archiver import hookimpl\nfrom support.plugin_samples import Cards, Shelf\n"
SOURCE = "@hookimpl\ndef archiver_sources():\n    return [Shelf()]\n"
PLATFORM = "@hookimpl\ndef archiver_platforms():\n    return [Cards()]\n"
Load = Callable[..., Plugins]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """`load(name="source text", …)` writes modules and loads them as plugins."""
    monkeypatch.syspath_prepend(tmp_path)

    def write_and_load(environ: dict[str, str] | None = None, **texts: str) -> Plugins:
        found = []
        for name, text in texts.items():
            module = f"sample_{name}_{tmp_path.name}"
            (tmp_path / f"{module}.py").write_text(HEAD + text, "utf-8")
            sys.modules.pop(module, None)
            found.append(EntryPoint(name, module, "archiver"))
        return load_plugins(found, environ or {})

    return write_and_load


def the_problem(plugins: Plugins) -> str:
    """The one problem there is."""
    (problem,) = plugins.problems
    return str(problem)


DEMO = """
class Show:
    name = "show"
    days = {days}
    def begin(self, now):
        return None

@hookimpl
def archiver_demos():
    return [Show()]
"""
API = """
class Api:
    name = "{name}"
    def begin(self, accounts):
        return None

@hookimpl
def archiver_served_apis():
    return [Api()]
"""


class TestDemosAndServedApis:
    """What `archiver demo` shows and `archiver serve` answers is brought by plugins."""

    def test_a_demo_is_brought(self, load: Load) -> None:
        assert load(show=DEMO.format(days=2)).demo().days == 2

    def test_without_a_demo_that_is_said_with_the_plugin_that_did_not_load(
        self, load: Load
    ) -> None:
        with pytest.raises(PluginError, match="There is no demo"):
            load(shelf=SOURCE).demo()
        with pytest.raises(PluginError, match="Not loaded: broken"):
            load(broken="1 / 0\n").demo()

    @pytest.mark.parametrize("days", ["0", "True", "None", "1.5"])
    def test_the_days_of_a_demo_are_a_whole_number(self, days: str, load: Load) -> None:
        assert "days must be a whole number" in the_problem(load(show=DEMO.format(days=days)))

    def test_the_only_api_needs_no_name(self, load: Load) -> None:
        plugins = load(cards=API.format(name="cards"))
        assert plugins.served_api().name == plugins.served_api("cards").name == "cards"

    def test_of_several_apis_one_is_chosen_by_name(self, load: Load) -> None:
        plugins = load(cards=API.format(name="cards"), notes=API.format(name="notes"))
        assert plugins.served_api("notes").name == "notes"
        with pytest.raises(PluginError, match="Several APIs") as caught:
            plugins.served_api()
        assert caught.value.hint == "Choose one with --api cards"
        with pytest.raises(PluginError, match='There is no API "crads"') as caught:
            plugins.served_api("crads")
        assert caught.value.hint == 'Did you mean "cards"?'

    def test_without_an_api_that_is_said(self, load: Load) -> None:
        with pytest.raises(PluginError, match="There is no API to answer"):
            load(shelf=SOURCE).served_api()

    @pytest.mark.parametrize("text", [DEMO.format(days=1), API.format(name="cards")])
    def test_two_of_one_name_are_left_out_both(self, text: str, load: Load) -> None:
        plugins = load(one=text, two=text)
        assert "more than one plugin brings it: one" in the_problem(plugins)
        assert [plugin.demos + plugin.served_apis for plugin in plugins.loaded] == [(), ()]


def test_what_plugins_bring(load: Load) -> None:
    plugins = load(shelf=SOURCE, cards=PLATFORM)
    assert plugins.problems == ()
    assert [source.name for source in plugins.sources] == ["shelf"]
    assert [platform.name for platform in plugins.platforms] == ["cards"]
    assert [origin.entry_point for origin in plugins.origins] == ["cards", "shelf"]
    assert isinstance(plugins.source("shelf"), Shelf)
    assert isinstance(plugins.platform("cards", "shelf"), Cards)


def test_without_plugins() -> None:
    plugins = load_plugins([], {})
    assert plugins == Plugins()
    with pytest.raises(PluginError, match=r'There is no platform "cards".*none'):
        plugins.platform("cards", "shelf")


BROKEN = {
    "raises": ("1 / 0\n", "ZeroDivisionError"),
    "exits": ("import sys\nsys.exit(3)\n", "SystemExit: 3"),
    "lacks": ("import no_such_module_anywhere\n", "no_such_module_anywhere"),
    "syntax": ("def\n", "SyntaxError"),
    "hookless": ("", "implements no hook"),
    "misspelt": ("@hookimpl\ndef archiver_platform():\n    return []\n", "archiver_platform"),
    "argument": ("@hookimpl\ndef archiver_sources(cli):\n    return []\n", "cli"),
    "no_list": ("@hookimpl\ndef archiver_sources():\n    return 5\n", "not iterable"),
    "failing": ("@hookimpl\ndef archiver_sources():\n    raise OSError('x')\n", "OSError: x"),
}


@pytest.mark.parametrize(("text", "why"), BROKEN.values(), ids=BROKEN)
def test_a_broken_plugin_is_named_and_the_others_go_on(text: str, why: str, load: Load) -> None:
    plugins = load(shelf=SOURCE, bad=text, cards=PLATFORM)
    assert len(plugins.platforms) == len(plugins.sources) == 1
    said = the_problem(plugins)
    assert "The plugin bad (sample_bad" in said
    assert why in said


def test_the_metadata_of_a_distribution_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    parse = Distribution.metadata.fget  # type: ignore[attr-defined]  # a property

    def metadata(self: Distribution) -> Any:
        found = parse(self)
        parsed.append(found["Name"])
        return found

    monkeypatch.setattr(Distribution, "metadata", property(metadata))
    plugins = load_plugins(environ={})
    assert len(plugins.loaded) > 10
    assert parsed.count("social-archiver") == 1


def test_an_account_that_needs_a_broken_plugin_names_it(load: Load) -> None:
    plugins = load(shelf=SOURCE, cards="1 / 0\n")
    with pytest.raises(PluginError, match=r'"cards" is unavailable.*sample_cards.*ZeroDivis'):
        plugins.platform("cards", "shelf")
    with pytest.raises(PluginError, match=r'no platform "other".*Not loaded: cards'):
        plugins.platform("other", "shelf")


def platform_with(**members: Any) -> str:
    """A plugin whose platform has these members instead of the right ones."""
    lines = [f"setattr(Bad, {name!r}, {value})" for name, value in members.items()]
    body = "\n".join(["class Bad(Cards):\n    pass\n", *lines])
    return body + "\n@hookimpl\ndef archiver_platforms():\n    return [Bad(), Cards()]\n"


INCOMPLETE = {
    "name": ("'Big'", "lower-case"),
    "options": ("dict", "must be a dataclass"),
    "streams": ("'posts'", "streams"),
    "content_version": ("'1'", "whole number"),
    "pages": ("None", "pages must be a method"),
    "source": ("7", "lower-case"),
    "read": ("property(lambda self: 1 / 0)", "its read failed: ZeroDivisionError"),
}


@pytest.mark.parametrize("name", INCOMPLETE)
def test_a_platform_that_breaks_the_contract_is_left_out(name: str, load: Load) -> None:
    value, why = INCOMPLETE[name]
    members = {"name": "'bad'", "source": "'shelf'", name: value}
    constructor = "def __init__(self):\n    pass\nBad.__init__ = __init__\n"
    text = platform_with(**members).replace("@hook", constructor + "@hook")
    plugins = load(cards=text)
    assert [platform.name for platform in plugins.platforms] == ["cards"]
    assert why in the_problem(plugins)


@pytest.mark.parametrize("name", [name for name in vars(hookspecs.Platform) if name[0] != "_"])
def test_a_missing_member_is_named(name: str, load: Load) -> None:
    text = (
        "class Rest:\n    def __init__(self, whole):\n"
        f"        self.parts = {{n: getattr(whole, n) for n in dir(whole) if n != {name!r}}}\n"
        "    def __getattr__(self, n):\n"
        "        try:\n            return self.__dict__['parts'][n]\n"
        "        except KeyError:\n            raise AttributeError(n) from None\n"
        "@hookimpl\ndef archiver_platforms():\n    return [Rest(Cards('bad'))]\n"
    )
    assert f"it has no {name}, which a Platform needs" in the_problem(load(bad=text))


FORMER = """
class Old:
    name = "old"
    settings = Shelf.settings
    {members}

@hookimpl
def archiver_sources():
    return [Old()]
"""


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ("def client(self, settings, open_http): pass\n    async def linked(self, client): pass",
         "discover(settings, kit, profile_key) now takes the place of linked"),
        ("def client(self, settings, open_http): pass\n    async def linked(self, client): pass",
         "open(settings, account, kit) takes the place of client(settings, open_http)"),
        ("rank = 'native'\n    def client(self, settings, open_http): pass",
         "open(settings, account, kit) takes the place of client(settings, open_http)"),
        ("client = open = lambda *_: None", 'its rank ("native", "middleman" or "export")'),
    ],
)  # fmt: skip
def test_a_source_of_the_earlier_contract_gets_an_error_that_says_what_changed(
    members: str, says: str, load: Load
) -> None:
    said = the_problem(load(old=FORMER.format(members=members)))
    assert "written for an earlier version" in said
    assert says in said


def test_a_platform_of_the_earlier_contract_gets_an_error_that_says_what_changed(
    load: Load,
) -> None:
    text = "class Old(Cards):\n    listing = property()\n" + PLATFORM.replace("Cards()", "Old()")
    said = the_problem(load(old=text))
    assert 'says what its pages list ("all", "newest" or "snapshot")' in said


@pytest.mark.parametrize(("member", "value"), [("listing", "'some'"), ("listing", "7")])
def test_a_listing_is_one_of_three_words(member: str, value: str, load: Load) -> None:
    text = platform_with(name="'bad'", **{member: value})
    assert "its listing must be one of all, newest, snapshot" in the_problem(load(bad=text))


def test_a_rank_is_one_of_three_words(load: Load) -> None:
    text = "class Bad(Shelf):\n    rank = 'best'\n" + SOURCE.replace("Shelf()", "Bad()")
    assert "its rank must be one of native, middleman, export" in the_problem(load(bad=text))


def test_a_class_instead_of_an_instance(load: Load) -> None:
    said = the_problem(load(bad=PLATFORM.replace("Cards()", "Cards")))
    assert "it is a class; return an instance, Cards()" in said


@pytest.mark.parametrize("name", ["archive", "media", "network", "accounts"])
def test_a_source_may_not_take_a_table_of_the_core(name: str, load: Load) -> None:
    text = f"class Bad(Shelf):\n    name = {name!r}\n" + SOURCE.replace("Shelf()", "Bad()")
    assert "name of a table" in the_problem(load(bad=text))


def test_options_that_the_config_cannot_say(load: Load) -> None:
    text = (
        "from dataclasses import dataclass\n@dataclass\nclass Options:\n    when: complex = 0j\n"
        + platform_with(options="Options", name="'bad'")
    )
    assert "cannot be of type <class 'complex'>" in load(bad=text).problems[0].why


class TestClashes:
    """Of two that claim one name, none is taken, and both are named."""

    def test_two_entry_points_of_one_name(self, load: Load, tmp_path: Path) -> None:
        load(one=PLATFORM, two=PLATFORM)
        found = [
            EntryPoint("cards", f"sample_{name}_{tmp_path.name}", "archiver")
            for name in ("one", "two")
        ]
        plugins = load_plugins(found, {})
        assert plugins.platforms == ()
        with pytest.raises(PluginError) as caught:
            plugins.platform("cards", "shelf")
        assert "sample_one" in str(caught.value)
        assert "sample_two" in str(caught.value)

    def test_two_platforms_of_one_name_and_source(self, load: Load) -> None:
        plugins = load(one=PLATFORM, two=PLATFORM, shelf=SOURCE)
        assert plugins.platforms == ()
        with pytest.raises(PluginError, match=r"one \(sample_one.* and two \(sample_two"):
            plugins.platform("cards", "shelf")

    def test_one_name_through_two_sources_is_no_clash(self, load: Load) -> None:
        other = PLATFORM.replace("Cards()", "Cards(source='box')")
        plugins = load(one=PLATFORM, two=other)
        assert plugins.problems == ()
        assert plugins.platform("cards", "box") is not plugins.platform("cards", "shelf")
        with pytest.raises(PluginError, match=r'not read through "x".*source = "box"'):
            plugins.platform("cards", "x")

    def test_two_sources_of_one_name(self, load: Load) -> None:
        plugins = load(one=SOURCE, two=SOURCE)
        assert plugins.sources == ()
        with pytest.raises(PluginError, match=r'The source "shelf" is unavailable.*two'):
            plugins.source("shelf")


class TestChoosing:
    """ARCHIVER_PLUGINS says which are loaded."""

    @pytest.mark.parametrize(
        ("wish", "names"), [("", []), ("cards", ["cards"]), (" cards, shelf,", ["cards", "shelf"])]
    )
    def test_by_name(self, wish: str, names: list[str], load: Load) -> None:
        plugins = load({"ARCHIVER_PLUGINS": wish}, shelf=SOURCE, cards=PLATFORM)
        assert [origin.entry_point for origin in plugins.origins] == names

    def test_a_name_that_is_not_installed(self, load: Load) -> None:
        with pytest.raises(PluginError, match=r'"crads".*Did you mean "cards"'):
            load({"ARCHIVER_PLUGINS": "crads"}, cards=PLATFORM)

    def test_what_is_not_chosen_is_not_imported(self, load: Load) -> None:
        plugins = load({"ARCHIVER_PLUGINS": "cards"}, bad="1 / 0\n", cards=PLATFORM)
        assert plugins.problems == ()


@pytest.mark.skipif(os.name != "posix", reason="files have no such modes here")
@pytest.mark.parametrize("which", ["file", "folder", "package"])
def test_what_others_may_have_written_is_not_imported(
    load: Load, tmp_path: Path, which: str
) -> None:
    name = f"sample_bad_{tmp_path.name}"
    trap = tmp_path / f"{name}.py"
    if which == "package":
        trap = tmp_path / name / "__init__.py"
        trap.parent.mkdir()
    trap.write_text(f"from pathlib import Path\nPath({str(tmp_path / 'sprung')!r}).touch()\n")
    opened = {"file": trap, "folder": tmp_path, "package": trap.parent}[which]
    opened.chmod(opened.stat().st_mode | 0o002)
    sys.modules.pop(name, None)
    plugins = load_plugins([EntryPoint("bad", name, "archiver")], {})
    assert f"other users may write to {opened}" in the_problem(plugins)
    assert not (tmp_path / "sprung").exists()
    opened.chmod(0o1777 if opened.is_dir() else 0o664)
    load_plugins([EntryPoint("bad", name, "archiver")], {})
    assert (tmp_path / "sprung").exists()


def test_what_a_plugin_prints_does_not_reach_stdout(
    load: Load, capsys: pytest.CaptureFixture[str]
) -> None:
    load(cards="print('hello')\n" + PLATFORM)
    out, err = capsys.readouterr()
    assert (out, err) == ("", "hello\n")
