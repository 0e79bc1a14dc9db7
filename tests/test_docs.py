"""The documentation is true: pages are current, samples load, the sample plugin runs."""

import ast
import configparser
import importlib.util
import inspect
import json
import plistlib
import re
import shlex
import sqlite3
import tomllib
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import click
import pytest

from archiver import hookspecs
from archiver.cli import COMMANDS, EXIT_CODES, main
from archiver.config import Config, load_config
from archiver.fleet.account_lists import check_tenants, read_list
from archiver.fleet.settings import load_fleet
from archiver.plugins import load_plugins
from docs.figures import put_figures
from support.exports.packing import write_zip
from support.fresh import ROOT, build_wheel, fresh_environment, run_python
from support.media.samples import movie
from support.receivers import http_receiver

pytestmark = pytest.mark.slow

DOCS = ROOT / "docs"
PAGES = [
    path for path in (ROOT / "README.md", ROOT / "plugins/README.md", *sorted(DOCS.glob("*.md")))
    if path.exists()
]  # fmt: skip
_FENCE = re.compile(r"^(?:\*\*`([^`\n]+)`\*\*\n\n)?```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


def fences(path: Path) -> list[tuple[int, str, str, str]]:
    """Line, file name (where one is given), language and text of each code block of a page."""
    text = path.read_text("utf-8")
    return [
        (text.count("\n", 0, match.start()) + 1, match[1] or "", match[2], match[3])
        for match in _FENCE.finditer(text)
    ]


def generator() -> ModuleType:
    """docs/generate.py as a module."""
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_pages_are_current() -> None:
    stale = [str(path.relative_to(ROOT)) for path, _ in generator().stale()]
    assert stale == [], "run docs/generate.py"


def test_figures_go_into_their_place_and_nowhere_else(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("Before\n<!-- figures: speed -->\nold\n<!-- end of figures: speed -->\nAfter\n")

    put_figures(page, "speed", "new")

    assert re.sub(r"\n+", "\n", page.read_text()) == (
        "Before\n<!-- figures: speed -->\nnew\n<!-- end of figures: speed -->\nAfter\n"
    )
    with pytest.raises(LookupError):
        put_figures(page, "weight", "new")


def test_every_block_stands_on_a_page() -> None:
    marks = {
        name for path in PAGES for name in re.findall(r"<!-- begin ([\w-]+)", path.read_text())
    }
    assert marks == set(generator().BLOCKS)


SAMPLES = [
    pytest.param(text, id=f"{path.relative_to(ROOT)}:{line}")
    for path in PAGES
    for line, name, language, text in fences(path)
    if language == "toml"
    and not any(table in text for table in ("[build-system]", "[loops]", "[fleet]"))
]


def check_config(text: str, folder: Path) -> Config:
    """Load a config and check it with the plugins of this project."""
    path = folder / "archive.toml"
    path.write_text(text, "utf-8")
    path.chmod(0o600)
    config = load_config(path)
    plugins = load_plugins(environ={})
    if "ayrshare" in config.sources and "api_key" in config.sources["ayrshare"]:
        config.check(plugins)
    for entry in config.accounts:
        config.account(entry, plugins)
    return config


@pytest.mark.parametrize("text", SAMPLES)
def test_every_sample_of_a_config_loads(text: str, tmp_path: Path) -> None:
    check_config(text, tmp_path)


def test_the_files_of_a_fleet_are_read_as_the_page_has_them(tmp_path: Path) -> None:
    found = {name: text for _, name, _, text in fences(DOCS / "fleet.md") if name}
    for name, text in found.items():
        (tmp_path / name).write_text(text, "utf-8")
    settings = load_fleet(tmp_path / "fleet.toml")
    tenants = read_list(found["accounts.csv"].splitlines())
    check_tenants(tenants, settings, load_plugins(environ={}))
    assert {tenant.name for tenant in tenants} == {"acme", "city-of-mare"}


def test_the_example_loads_with_everything_in_it_switched_on(tmp_path: Path) -> None:
    text = (ROOT / "archive.example.toml").read_text("utf-8")
    on = re.sub(r"^# (?=\[|\w+ = )", "", text, flags=re.MULTILINE)
    config = check_config(on, tmp_path)
    assert len(config.accounts) == 6
    written = tomllib.loads(on)
    for source in load_plugins(environ={}).sources:
        assert set(written.get(source.name, {})) == set(source.settings.__dataclass_fields__)


SCHEDULES = fences(DOCS / "scheduling.md")


@pytest.mark.parametrize("text", [text for _, _, language, text in SCHEDULES if language == "ini"])
def test_units_of_systemd_are_well_formed(text: str) -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[method-assign,assignment]  # keys keep their case
    unit.read_string(text)
    assert set(unit.sections()) <= {"Unit", "Service", "Timer", "Install"}


def test_every_schedule_runs_a_backup() -> None:
    commands = [
        line for _, _, _, text in SCHEDULES for line in text.splitlines() if "-q" in line.split()
    ]
    assert len(commands) >= 2
    for line in commands:
        words = line.replace("&&", " ").split()
        assert "backup" in words[words.index("-q") :]
    plist, task = [text for _, _, language, text in SCHEDULES if language == "xml"]
    program = plistlib.loads(plist.encode())["ProgramArguments"]
    assert [program[1], program[2], *program[4:]] == ["-q", "--config", "backup", "--due"], plist
    arguments = [node.text for node in ElementTree.fromstring(task).iter() if node.text]
    assert any("-q --config" in text and text.endswith(" backup --due") for text in arguments)


def test_alarms_cover_every_exit_code() -> None:
    page = (DOCS / "scheduling.md").read_text("utf-8").partition("| what to do |")[2]
    rows = re.findall(r"^\| ([\d, ]+) \|", page.partition("\n\n")[0], re.MULTILINE)
    codes = [int(code) for row in rows for code in row.split(", ")]
    assert sorted(codes) == sorted(EXIT_CODES)


def test_every_hook_is_documented_with_its_arguments() -> None:
    page = (DOCS / "hooks.md").read_text("utf-8")
    for name, hook in inspect.getmembers(hookspecs, inspect.isfunction):
        if name.startswith("archiver_"):
            arguments = list(inspect.signature(hook).parameters)
            (documented,) = re.findall(rf"^### `{name}\((.*?)\)", page, re.MULTILINE)
            assert [part.split(":")[0] for part in documented.split(", ") if part] == arguments
    for protocol in (hookspecs.Source, hookspecs.Platform, hookspecs.Http, hookspecs.Package):
        for name in vars(protocol):
            if not name.startswith("_"):
                assert re.search(
                    rf"^### {protocol.__name__}: `(async )?{name}[(:]", page, re.MULTILINE
                )


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    for target in _LINK.findall(path.read_text("utf-8")):
        if "://" in target or target.startswith("mailto:"):
            continue
        file, _, anchor = target.partition("#")
        page = path.parent / file if file else path
        assert page.exists(), f"{target} does not exist"
        if anchor:
            assert anchor in {slug(line) for line in headings(page)}, f"{target} has no heading"


def headings(path: Path) -> list[str]:
    """The headings of a page."""
    return re.findall(r"^#+ (.*)$", path.read_text("utf-8"), re.MULTILINE)


def slug(heading: str) -> str:
    """The anchor that Markdown gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the page."""
    folder = tmp_path_factory.mktemp("loops")
    for _, name, _, text in fences(DOCS / "writing-a-plugin.md"):
        if name:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, "utf-8")
    return folder


@pytest.fixture(scope="module")
def python(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has this program, the plugin, and pytest."""
    out = tmp_path_factory.mktemp("wheels")
    wheels = [build_wheel(ROOT, out), build_wheel(project, out)]
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    needed = [*pyproject["project"]["dependencies"], "pytest"]
    return fresh_environment(tmp_path_factory.mktemp("fresh") / "venv", wheels, needed)


class TestSamplePlugin:
    """What docs/writing-a-plugin.md shows is installed into a fresh environment, and runs."""

    def test_it_is_found(self, python: Path, tmp_path: Path) -> None:
        done = run_python(python, "-m", "archiver", "plugins", "--json", cwd=tmp_path)
        answer = json.loads(done.stdout)
        assert answer["problems"] == []
        (loops,) = [plugin for plugin in answer["plugins"] if plugin["name"] == "loops"]
        assert loops["distribution"] == "archiver-loops"
        assert loops["platforms"] == [{"name": "loops", "source": "loops"}]
        assert loops["export_readers"] == ["loops"]

    def test_it_keeps_the_contract(self, python: Path, project: Path) -> None:
        done = run_python(
            python, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", cwd=project
        )
        assert done.returncode == 0, done.stdout
        assert " passed, 6 skipped" in done.stdout
        assert "failing()" not in done.stdout, "its server is tested to fail, too"

    def test_it_backs_up_over_http_and_imports_a_package(
        self, python: Path, project: Path, tmp_path: Path
    ) -> None:
        """What both have is one post, and the export brings its video."""
        record = {"id": "1", "posted": 1_700_000_001, "caption": "One"}
        older = {"id": "0", "posted": 1_700_000_000, "caption": "None"}
        config = (project / "archive.toml").read_text("utf-8")
        with http_receiver() as server:
            server.answer = json.dumps({"loops": [record], "next": None}).encode()
            address = f'[loops]\nbase_url = "http://127.0.0.1:{server.port}"\n'
            text = config.replace("[loops]\n", address).replace("env:LOOPS_API_KEY", "cmd:echo k")
            (tmp_path / "archive.toml").write_text(text, "utf-8")
            done = run_python(python, "-m", "archiver", "backup", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        files: dict[str, bytes | str] = {
            "owner.json": json.dumps({"id": "41", "user": "Ann"}),
            "loops.json": json.dumps([record | {"video": "videos/1.mp4"}, older]),
            "videos/1.mp4": movie(),
        }
        package = write_zip(tmp_path / "export.zip", files)
        words = ("import", "--account", "my-loops", package)
        done = run_python(python, "-m", "archiver", *words, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "1 new, 1 matched by their id" in done.stdout
        with sqlite3.connect(tmp_path / "archive/archive.db") as database:
            rows = database.execute("SELECT platform_id, text FROM posts ORDER BY 1").fetchall()
            media = database.execute("SELECT content_type FROM media").fetchall()
        database.close()
        assert rows == [("0", "None"), ("1", "One")]
        assert media == [("video/mp4",)]


def said_by_the_program() -> str:
    """Every text in the code, with a `…` for each place where a value is put in."""
    texts = []
    for folder in ("archiver", "plugins"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.JoinedStr):
                    parts = (
                        part.value if isinstance(part, ast.Constant) else "…"
                        for part in node.values
                    )  # fmt: skip
                    texts.append("".join(map(str, parts)))
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    texts.append(node.value)
    return "\n".join(texts)


def test_every_message_of_the_troubleshooting_page_is_one_of_the_program() -> None:
    page = (DOCS / "troubleshooting.md").read_text("utf-8")
    quoted = re.findall(r"^### `(.+)`$", page, re.MULTILINE)
    assert len(quoted) > 25
    program = said_by_the_program()
    unknown = [
        message
        for message in quoted
        if message not in program and message.strip("… ") not in program
    ]
    assert unknown == []


def commands_in(path: Path) -> list[str]:
    """Every call of the program on a page: in blocks for a shell, and between backticks."""
    text = path.read_text("utf-8")
    blocks = [part for _, _, language, part in fences(path) if language in {"console", "sh"}]
    lines = [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]
    inline = re.findall(r"`([^`]+)`", _FENCE.sub("", text))
    calls = (re.split(r"&&|\|\|?|>+|;| 2>", " ".join(line.split())) for line in [*lines, *inline])
    return [
        part.strip()
        for parts in calls
        for part in parts
        if re.match(r"(\w+=\S+ )*archiver( |$)", part.strip())
    ]


def unknown_words(line: str) -> list[str]:
    """The command and the options of a call that the program does not have."""
    words = shlex.split(line, comments=True)
    words = words[words.index("archiver") + 1 :]
    known = {option for param in main.params for option in param.opts} | {"--help"}
    at = next((n for n, word in enumerate(words) if word in COMMANDS), None)
    before, after = (words, []) if at is None else (words[:at], words[at + 1 :])
    if at is None and any(not word.startswith("-") for word in words):
        return [word for word in words if word not in known]  # there is no such command
    command = None if at is None else main.get_command(click.Context(main), words[at])
    own = {option for param in command.params for option in param.opts} if command else set()
    options = [word.partition("=")[0] for word in (*before, *after) if word.startswith("-")]
    return [option for option in options if option not in known | own]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_on_a_page_is_one_of_the_program(path: Path) -> None:
    assert {line: bad for line in commands_in(path) if (bad := unknown_words(line))} == {}
