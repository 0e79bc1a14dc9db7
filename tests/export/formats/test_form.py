"""A format that a plugin adds, as docs/writing-a-plugin.md shows it."""

import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from archiver import hookimpl
from archiver.cli.export import export_forms
from archiver.cli.shell import Shell
from archiver.errors import PluginError
from archiver.export.run import export_posts
from archiver.export.selection import ArchiveSelection
from archiver.export_writers import ExportTarget, ExportWriter, PostSnapshot
from archiver.media.folder_store import FolderStore
from archiver.plugins import Loaded, Origin, Plugins
from support.exporting import PICTURE
from support.running import Cli

PAGE = Path(__file__).parents[3] / "docs" / "writing-a-plugin.md"


def sample() -> ExportWriter:
    """The format that the page shows."""
    text = PAGE.read_text("utf-8").partition("## A format for `archiver export`")[2]
    names: dict[str, Any] = {"hookimpl": hookimpl}
    for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(code, names)
    (writer,) = names["archiver_export_writers"]()
    return writer  # type: ignore[no-any-return]  # what the page makes


class Failing:
    """A format that fails, or writes where it may not."""

    name, contents, is_public = "failing", (), False

    def __init__(self, path: str) -> None:
        self._path = path

    def write(self, snapshot: PostSnapshot, target: ExportTarget) -> None:
        target.write(self._path, [])
        raise KeyError("bug")


def test_the_sample_of_the_page_writes_texts_and_files(directory: Path, tmp_path: Path) -> None:
    form = export_forms([sample()])["text"]
    made = export_posts(
        directory, FolderStore(directory), tmp_path / "out", form, ArchiveSelection()
    )
    text = (made.folder / "texts" / "1.txt").read_text("utf-8")
    assert (made.posts, made.files) == (3, 1)
    assert "Good evening" in text
    (file,) = re.findall(r"files/.*", text)
    assert (made.folder / file).read_bytes() == PICTURE
    assert "the texts of each account" in (made.folder / "README.txt").read_text()


@pytest.mark.parametrize(
    ("path", "says"),
    [("a.txt", "failing failed"), ("../a.txt", "no name"), ("/a.txt", "no name"), ("", "no name")],
)
def test_a_format_that_fails_or_leaves_its_folder_is_named(
    directory: Path, tmp_path: Path, path: str, says: str
) -> None:
    form = export_forms([Failing(path)])["failing"]
    with pytest.raises(PluginError, match=says):
        export_posts(directory, FolderStore(directory), tmp_path / "out", form, ArchiveSelection())
    assert not (tmp_path / "out").exists()


def test_the_command_finds_it_among_the_plugins(directory: Path, tmp_path: Path, cli: Cli) -> None:
    config = tmp_path / "archive.toml"
    config.write_text(f'[archive]\ndirectory = "{directory}"\n')
    origin = Origin("text", "text", "text", "1")
    plugins = Plugins((Loaded(origin, (), (), export_writers=(sample(),)),))

    def run(form: str) -> Result:
        place = str(tmp_path / form)
        return cli("--config", str(config), "export", form, place, shell=Shell(_plugins=plugins))

    assert run("text").exit_code == 0
    assert (tmp_path / "text" / "texts" / "1.txt").exists()
    refused = run("txt")
    assert refused.exit_code == 2
    assert "There is no export format txt" in refused.stderr
    assert "sqlite, text, wacz" in " ".join(refused.stderr.split())
    listed = cli("plugins", shell=Shell(_plugins=plugins))
    assert "export format text text text 1" in " ".join(listed.stdout.split())


def test_two_formats_of_one_name_are_an_error() -> None:
    writer = sample()
    with pytest.raises(PluginError, match="two export formats of the name text"):
        export_forms([writer, writer])
