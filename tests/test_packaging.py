"""What is installed is what is meant: built as a wheel, put into a fresh environment, and run."""

import ast
import email
import json
import re
import sys
import tarfile
import tomllib
import zipfile
from hashlib import sha256
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from archiver_ayrshare.accounts import PLATFORMS
from support.floors import floors
from support.fresh import ROOT, build_sdist, build_wheel, fresh_environment, run_python
from support.sbom import write_sbom

pytestmark = pytest.mark.slow

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
ENTRY_POINTS: dict[str, str] = PROJECT["project"]["entry-points"]["archiver"]
WHEEL_PACKAGES: list[str] = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
PLUGIN_FOLDERS = sorted(path.name for path in (ROOT / "plugins").glob("*/"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree."""
    return build_wheel(ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has the wheel and its dependencies, and nothing else."""
    folder = tmp_path_factory.mktemp("fresh") / "venv"
    return fresh_environment(folder, [wheel], PROJECT["project"]["dependencies"])


def names_in(wheel: Path) -> set[str]:
    """The files of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


class TestAgreement:
    """Three places name the plugins, and they agree."""

    def test_the_wheel_lists_every_plugin_folder(self) -> None:
        expected = ["archiver", *(f"plugins/{name}" for name in PLUGIN_FOLDERS)]
        assert sorted(WHEEL_PACKAGES) == expected

    def test_every_plugin_folder_is_typed_and_is_a_package(self) -> None:
        for name in PLUGIN_FOLDERS:
            assert (ROOT / "plugins" / name / "__init__.py").exists()
            assert (ROOT / "plugins" / name / "py.typed").exists()

    def test_every_entry_point_is_a_module_of_a_plugin_folder(self) -> None:
        for target in ENTRY_POINTS.values():
            path = ROOT / "plugins" / target.replace(".", "/")
            assert path.with_suffix(".py").exists() or (path / "__init__.py").exists()

    def test_every_module_with_a_hook_is_an_entry_point(self) -> None:
        with_hooks = {
            ".".join(path.relative_to(ROOT / "plugins").with_suffix("").parts).removesuffix(
                ".__init__"
            )
            for path in (ROOT / "plugins").rglob("*.py")
            if any(line.startswith("@hookimpl") for line in path.read_text("utf-8").splitlines())
        }
        assert with_hooks == set(ENTRY_POINTS.values())

    def test_the_folder_of_plugins_is_no_package(self) -> None:
        assert not (ROOT / "plugins/__init__.py").exists()
        assert not (ROOT / "tests/__init__.py").exists()


class TestWheel:
    """What is in it, and what is not."""

    def test_only_our_packages(self, wheel: Path) -> None:
        tops = {name.split("/")[0] for name in names_in(wheel)}
        (info,) = [top for top in tops if top.endswith(".dist-info")]
        assert tops == {"archiver", *PLUGIN_FOLDERS, info}

    def test_data_types_and_licence(self, wheel: Path) -> None:
        names = names_in(wheel)
        assert {"archiver/py.typed", "archiver/archive.example.toml"} <= names
        assert {f"{name}/py.typed" for name in PLUGIN_FOLDERS} <= names
        assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)

    def test_its_metadata_are_those_of_the_project(self, wheel: Path) -> None:
        (name,) = [name for name in names_in(wheel) if name.endswith(".dist-info/METADATA")]
        with zipfile.ZipFile(wheel) as archive:
            metadata = email.message_from_bytes(archive.read(name))
        assert metadata["Name"] == "social-archiver"
        assert metadata["Version"] == PROJECT["project"]["version"]
        assert metadata["Requires-Python"] == ">=3.11"
        assert metadata["License-Expression"] == "Apache-2.0"
        assert metadata["Description-Content-Type"] == "text/markdown"
        assert set(metadata.get_all("Provides-Extra", [])) == set(
            PROJECT["project"]["optional-dependencies"]
        )

    def test_its_description_has_only_links_that_lead_somewhere_from_an_index(self) -> None:
        text = (ROOT / "DESCRIPTION.md").read_text("utf-8")
        links = re.findall(r"\]\(([^)]+)\)", text)
        assert links
        assert all(link.startswith("https://") for link in links)

    def test_its_version_has_a_section_in_the_changelog_once_it_is_released(self) -> None:
        changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
        version = PROJECT["project"]["version"]
        assert f"## {version}" in changelog or "## Unreleased\n\nThe first version." in changelog

    def test_it_comes_out_of_the_source_distribution_too(self, wheel: Path, tmp_path: Path) -> None:
        with tarfile.open(build_sdist(ROOT, tmp_path)) as archive:
            archive.extractall(tmp_path, filter="data")
        (project,) = [path for path in tmp_path.iterdir() if path.is_dir()]
        assert names_in(build_wheel(project, tmp_path)) == names_in(wheel)


@pytest.fixture(scope="module")
def bill(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The bill of materials of the wheel."""
    copy = tmp_path_factory.mktemp("bill") / wheel.name
    copy.write_bytes(wheel.read_bytes())
    found: dict[str, Any] = json.loads(write_sbom(copy).read_text("utf-8"))
    return found


class TestBillOfMaterials:
    """`make wheel` writes it beside the wheel, in CycloneDX JSON."""

    def test_it_is_of_this_very_wheel(self, bill: dict[str, Any], wheel: Path) -> None:
        assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
        product = bill["metadata"]["component"]
        assert (product["name"], product["version"]) == (
            "social-archiver", PROJECT["project"]["version"],
        )  # fmt: skip
        digest = sha256(wheel.read_bytes()).hexdigest()
        assert product["hashes"] == [{"alg": "SHA-256", "content": digest}]

    def test_it_has_every_dependency_also_by_way_of_others(self, bill: dict[str, Any]) -> None:
        required = {
            part["name"]: part["version"]
            for part in bill["components"] if part.get("scope") != "optional"
        }  # fmt: skip
        declared = {Requirement(text).name for text in PROJECT["project"]["dependencies"]}
        assert declared <= required.keys()
        assert required["h11"] == version("h11"), "by way of httpcore"
        assert "pytest" not in {part["name"] for part in bill["components"]}
        optional = [part["name"] for part in bill["components"] if part.get("scope") == "optional"]
        assert "datasette" in optional

    def test_what_depends_on_what_is_in_it(self, bill: dict[str, Any]) -> None:
        depends = {each["ref"]: each.get("dependsOn", []) for each in bill["dependencies"]}
        refs = {part["bom-ref"] for part in bill["components"]}
        assert {ref for each in depends.values() for ref in each} <= refs
        (client,) = [ref for ref in refs if ref.startswith("pkg:pypi/httpx@")]
        assert any(ref.startswith("pkg:pypi/httpcore@") for ref in depends[client])


class TestFreshEnvironment:
    """It runs from elsewhere, without anything that only developers have."""

    def test_it_has_no_tools_of_developers(self, python: Path, tmp_path: Path) -> None:
        done = run_python(python, "-c", "import pytest", cwd=tmp_path)
        assert "ModuleNotFoundError" in done.stderr
        done = run_python(python, "-c", "import archiver; print(archiver.__file__)", cwd=tmp_path)
        assert done.stdout.startswith(str(python.parent.parent))

    def test_nothing_else_became_importable(self, python: Path, tmp_path: Path) -> None:
        program = (
            "from importlib.util import find_spec\n"
            "print([n for n in ('plugins', 'tests', 'docs', 'benchmarks') if find_spec(n)])"
        )
        assert run_python(python, "-c", program, cwd=tmp_path).stdout == "[]\n"

    def test_the_command(self, python: Path, tmp_path: Path) -> None:
        program = (
            "from importlib.metadata import entry_points\n"
            "(script,) = entry_points(group='console_scripts', name='archiver')\n"
            "import sys; sys.argv = ['archiver', '--version']\nscript.load()()"
        )
        done = run_python(python, "-c", program, cwd=tmp_path)
        assert done.returncode == 0
        assert done.stdout == f"archiver {PROJECT['project']['version']}\n"

    @pytest.mark.parametrize(
        "command", ["", "init", "demo", "backup", "status", "accounts", "verify", "plugins"]
    )
    def test_help(self, command: str, python: Path, tmp_path: Path) -> None:
        done = run_python(python, "-m", "archiver", *command.split(), "--help", cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(f"Usage: {' '.join(['archiver', *command.split()])}")

    def test_every_platform_loads(self, python: Path, tmp_path: Path) -> None:
        done = run_python(python, "-m", "archiver", "plugins", "--json", cwd=tmp_path)
        answer = json.loads(done.stdout)
        assert answer["problems"] == []
        assert {plugin["name"] for plugin in answer["plugins"]} == set(ENTRY_POINTS)
        names = {item["name"] for plugin in answer["plugins"] for item in plugin["platforms"]}
        assert names == {*PLATFORMS, "mastodon"}

    def test_a_config_can_be_made_and_read(self, python: Path, tmp_path: Path) -> None:
        assert run_python(python, "-m", "archiver", "init", cwd=tmp_path).returncode == 0
        done = run_python(python, "-m", "archiver", "accounts", cwd=tmp_path)
        assert done.returncode == 2
        assert "no accounts yet" in done.stderr


def test_every_import_is_a_declared_dependency() -> None:
    extras = PROJECT["project"]["optional-dependencies"].values()
    declared = [*PROJECT["project"]["dependencies"], *(text for extra in extras for text in extra)]
    allowed = {Requirement(text).name.lower() for text in declared} | {"social-archiver"}
    distributions = packages_distributions()
    for folder in WHEEL_PACKAGES:
        for path in (ROOT / folder).rglob("*.py"):
            for top in _tops(path) - set(sys.stdlib_module_names):
                owners = {name.lower() for name in distributions.get(top, [top])}
                assert owners & allowed or top in PLUGIN_FOLDERS, f"{path} imports {top}"


def _tops(path: Path) -> set[str]:
    tops: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            tops.update(name.name.split(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            tops.add(node.module.split(".")[0])
    return tops - {"archiver"}


def test_the_floors_are_constraints_that_pip_takes() -> None:
    """Each is `name==version`: a constraint with extras, as `name[extra]==version`, is refused."""
    project = {
        "name": "sample", "dependencies": ["click>=8.3"],
        "optional-dependencies": {"films": ["yt-dlp[default]>=2026.7.4"], "all": ["sample[films]"]},
    }  # fmt: skip
    assert floors(project) == ["click==8.3", "yt-dlp==2026.7.4"]
