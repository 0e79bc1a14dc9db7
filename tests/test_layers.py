"""Who may import whom. A layer that is not enforced is a wish."""

import ast
import sys
from collections.abc import Iterator, Mapping, Set
from functools import cache
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "archiver"

GROUND = {
    "actors", "environment", "errors", "models", "reasons", "secrets", "jsonpieces", "jsontext",
    "canonical", "clock", "disks", "human", "media_keys", "metric_names", "minimisation",
    "plugin_calls", "private_files", "record_hashes", "saved_posts", "stop_signals", "urls",
    "version",
}  # fmt: skip
"""What knows nothing of what the program does, and may be used by all of it."""

MAY_IMPORT: dict[str, set[str]] = {
    "__init__": {
        "apis",
        "auth",
        "errors",
        "export_writers",
        "hookspecs",
        "jsontext",
        "media_keys",
        "models",
        "resolvers",
        "saved_posts",
        "secrets",
        "served_records",
        "urls",
    },
    "__main__": {"cli"},
    # the ground itself, in order
    "errors": set(),
    "clock": set(),
    "disks": set(),
    "garbage": set(),
    "stop_signals": set(),
    "urls": set(),
    "version": set(),
    "actors": set(),
    "environment": {"version"},
    "models": set(),
    "reasons": set(),
    "human": {"models"},
    "metric_names": set(),
    "plugin_calls": {"errors"},
    "private_files": {"disks"},
    "secrets": {"errors"},
    "jsonpieces": set(),
    "jsontext": {"jsonpieces", "models"},
    "media_keys": {"urls"},
    "canonical": {"media_keys", "models"},
    "record_hashes": {"media_keys", "models"},
    "saved_posts": set(),
    # the contract, and what the operator says
    "apis": {"models", "served_records"},
    "auth": {"models", "secrets"},
    "resolvers": set(),
    "export_writers": {"saved_posts"},
    "served_records": {"models"},
    "hookspecs": {"apis", "auth", "export_writers", "models", "resolvers", "secrets"},
    # what starts the programs of resolvers
    "confined": {"process_limits"},
    "process_limits": set(),
    "characters": set(),
    "tomllines": set(),
    "tomltext": {"characters", "errors"},
    "ownership": set(),
    "binding": {"characters", "errors", "human", "secrets", "tomllines", "tomltext", "urls"},
    "minimisation": {"errors", "models"},
    "settings": {"binding", "errors", "minimisation", "models", "secrets", "urls"},
    "config": {
        "characters",
        "errors",
        "models",
        "hookspecs",
        "binding",
        "settings",
        "tomllines",
        "tomltext",
        "ownership",
        "plugin_calls",
        "resolvers",
    },
    "plugins": {
        "apis",
        "binding",
        "errors",
        "export_writers",
        "hookspecs",
        "models",
        "ownership",
        "resolvers",
    },
    # logging in, and what is kept of it
    "tokens": {"config", "errors", "human", "models", "private_files", "secrets"},
    "login": {"auth", "errors", "hookspecs", "jsontext", "models", "secrets", "tokens"},
    "loopback": {"apis", "errors", "login", "webserver"},
    # where runs are counted up, and where an application is put on a port
    "report": {"archive", "errors", "secrets"},
    "webserver": {"apis", "errors"},
}
"""For each module right below `archiver`, all that it imports of the others."""

BEYOND_GROUND: dict[str, dict[str, set[str]]] = {
    # the three that do the work, and do not know each other
    "net": {},
    "media": {"playlists.remuxer": {"process_limits"}},
    "archive": {},
    # where they meet; platforms are handed in, so it knows the contract and not the loader
    "backup": {
        "account_tokens": {"hookspecs", "login", "tokens"},
        "account": {"archive", "report", "settings"},
        "account_reader": {"archive", "hookspecs", "report"},
        "backup_run": {"archive", "config", "evidence", "media", "net", "report", "tokens"},
        "clocks": {"net"},
        "context": {"report"},
        "due": {"archive", "config", "settings"},
        "fetched": {"archive", "media"},
        "media_fetcher": {"archive", "media", "report"},
        "mounts": {"archive"},
        "page_saver": {"archive", "report"},
        "parser_fingerprint": {"hookspecs"},
        "plain_settings": {"binding", "config"},
        "resolver_job": {"media", "net", "resolvers"},
        "run": {"archive", "config", "media", "net", "report"},
        "resolver_notices": {"config", "resolvers"},
        "resolving": {"archive", "config", "media", "net", "report", "resolvers"},
        "routes": {"net", "settings"},
        "setting_changes": {"archive", "media", "settings"},
        "wanted_files": {"media", "settings"},
        "profile_pictures": {"archive", "media"},
        "kits": {"config", "hookspecs", "net", "settings", "tokens"},
        "url_refresher": {"archive"},
        "validation": {"archive"},
    },
    # what takes official exports in
    "imports": {
        "accounts": {"archive", "config"},
        "files": {"media"},
        "film_import": {"archive", "media"},
        "single_films": {"archive", "media"},
        "import_record": {"archive", "config", "evidence", "media"},
        "import_run": {"archive", "config", "hookspecs", "media"},
        "linked_files": {"archive", "config", "media", "net"},
        "opening": {"archive"},
        "package_import": {"archive", "backup", "media"},
        "whole_packages": {"archive", "backup"},
        "recognition": {"hookspecs"},
        "transfer": {"archive"},
        "transfer_accounts": {"archive"},
        "transfer_import": {"archive", "media"},
        "transfer_lines": {"archive"},
        "transfer_reduction": {"archive", "backup", "config", "hookspecs", "media"},
        "transfer_rows": {"archive"},
    },
    "retention": {
        "certificate": {"archive"},
        "cleaning": {"archive", "media"},
        "erased_rows": {"archive"},
        "erasure": {"archive"},
        "rules": {"archive", "settings"},
    },
    # beside a run
    "evidence": {
        "backup_copy": {"archive", "media"},
        "checkpoint_copies": {"archive", "config"},
        "elsewhere": {"config"},
        "giving": {"archive", "config", "net"},
        "kept_stamps": {"archive", "config"},
        "commitments": {"archive"},
        "copy": {"archive", "media", "retention"},
        "database": {"archive", "media"},
        "files": {"archive", "media"},
        "known_heads": {"archive"},
        "ledger": {"archive"},
        "restored": {"actors", "archive", "config"},
        "signed_heads": {"config"},
        "slices": {"archive"},
        "signing": {"archive", "config"},
        "signing_keys": {"actors", "archive", "config"},
        "stamped": {"config", "net"},
        "stamping": {"archive", "config", "net"},
        "standing": {"archive", "config"},
        "time_tokens": {"net"},
        "proofs": {"archive", "hookspecs"},
        "renewal": {"archive", "media"},
        "repair": {"archive", "media"},
        "restore": {"archive", "media"},
        "rows": {"archive"},
        "schema": {"archive"},
        "verify": {"archive", "media"},
    },
    "unattended": {
        "care": {"archive", "backup", "browse", "config", "evidence", "media"},
        "care_log": {"archive"},
        "due_care": {"archive", "config", "settings"},
        "health": {"archive", "tokens"},
        "last_settings": {"binding", "config", "settings"},
        "news": {"archive"},
        "forecast": set(),
        "night_report": {"archive", "backup", "config"},
        "overdue": {"retention", "settings"},
        "sending": {"net", "settings"},
    },
    "export": {
        "account_document": {"archive"},
        "as_of": {"archive", "hookspecs"},
        "custody": {"archive"},
        "extract": {"archive", "media"},
        "folder": {"media"},
        "formats.form": {"export_writers"},
        "formats.sqlite": {"archive", "evidence"},
        "formats.wacz": {"media"},
        "package_files": {"media"},
        "proof_folder": {"archive", "evidence"},
        "run": {"archive", "media"},
        "selection": {"archive"},
        "snapshot": {"archive"},
        "zip_package": {"media"},
    },
    "audit": {
        "audit_report": {"archive"},
        "report_tables": {"archive"},
    },
    "site": {
        "html_format": {"export"},
        "pages": {"browse", "export"},
        "plan": {"export"},
        "search_index": {"archive", "export"},
    },
    # archives of many, on many machines; each tenant's run is the one of `backup`
    "fleet": {
        "account_lists": {"config"},
        "alerts": {"config", "unattended"},
        "deletion": {"archive", "media"},
        "demo": {"archive"},
        "jobs": {"config"},
        "settings": {"binding", "tomllines", "tomltext"},
        "starter": {"config", "plugins", "process_limits"},
        "storage": {"media"},
        "tenant_archive": {"archive"},
        "reading": {"archive", "config", "media"},
        "held_archives": {"config", "evidence", "media", "retention"},
        "tenant_export": {"archive", "evidence", "media"},
        "tenant_backup": {
            "archive",
            "backup",
            "config",
            "evidence",
            "plugins",
            "process_limits",
            "report",
        },
        "versions": {"archive", "media", "retention"},
    },
    "serve": {
        "app": {"apis", "archive", "media", "served_records"},
        "files": {"archive", "media"},
        "histories": {"apis", "archive", "media", "served_records"},
        "records": {"archive", "served_records"},
    },
    "testing": {
        "__init__": {"hookspecs"},
        "package": {"imports"},
        "store": {"media"},
    },
    "browse": {
        "thumbnailer": {"process_limits"},
        "accounts": {"archive"},
        "archives": {"archive", "media"},
        "cards": {"archive", "export"},
        "cells": {"archive"},
        "crossposts": {"archive"},
        "downloads": {"export", "media"},
        "emoji": {"archive"},
        "evidence_sheet": {"archive", "export"},
        "guard": {"media"},
        "home": {"archive"},
        "media": {"archive", "export", "media"},
        "metadata": {"archive"},
        "metric_totals": {"export"},
        "post": {"archive"},
        "post_text": {"archive"},
        "print_view": {"export"},
        "published": {"archive", "evidence", "media"},
        "routes": {"media"},
        "server": {"archive", "media", "webserver"},
        "stream": {"archive"},
        "timeline": {"archive"},
        "thumbs": {"archive", "media"},
    },
}
"""For each package, those of its modules that may import more than GROUND and itself, and what."""

PACKAGES = {name: GROUND.union(*modules.values()) for name, modules in BEYOND_GROUND.items()}
ALL = {**MAY_IMPORT, **PACKAGES}
"""For each module or package of `archiver`, which others it may import. `cli` may import all."""

NOT_FOR_NETWORK = {"httpx", "httpcore", "urllib.request", "http.client", "socket", "ssl", "aiohttp"}
NOT_FOR_STORES = {"sqlite3", "sqlite_utils"}


def unit(path: Path) -> str:
    """The module or package right below `archiver` that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def sources(folder: Path) -> list[Path]:
    """The Python files below a folder."""
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


@cache
def imports(path: Path) -> frozenset[str]:
    """The full names of all modules that a file imports, anywhere in it, for types only too."""
    return frozenset(_imports(path))


@cache
def tree_of(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text("utf-8"))


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports by a relative name"
            yield node.module or ""
            yield from (f"{node.module}.{name.name}" for name in node.names)


def units_imported(path: Path) -> set[str]:
    """The modules and packages of `archiver` that a file imports; `""` for the face itself."""
    names = [name.split(".") for name in imports(path) if name.split(".")[0] == "archiver"]
    known = {unit(other) for other in sources(PACKAGE)}
    found = {parts[1] for parts in names if len(parts) > 1 and parts[1] in known}
    from_face = any(len(parts) == 1 for parts in names) and not found
    return found | ({""} if from_face else set())


@pytest.mark.parametrize("path", sources(PACKAGE), ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_import_what_lies_below_them(path: Path) -> None:
    name = unit(path)
    if name == "cli":
        return
    assert name in ALL, f"say in tests/test_layers.py what {name} may import"
    if name in MAY_IMPORT:
        assert units_imported(path) == MAY_IMPORT[name]
        return
    module = ".".join(path.relative_to(PACKAGE / name).with_suffix("").parts)
    allowed = GROUND | BEYOND_GROUND[name].get(module, set())
    foreign = units_imported(path) - allowed - {name}
    assert foreign == set(), f"{name}.{module} may not import {sorted(foreign)}"


def test_the_table_has_no_cycle() -> None:
    done: set[str] = set()
    waiting = dict(ALL)
    while waiting:
        free = [name for name, below in waiting.items() if not below - done - {"cli"}]
        assert free, f"these import each other in a circle: {sorted(waiting)}"
        for name in free:
            done.add(name)
            del waiting[name]


def test_the_table_names_what_there_is() -> None:
    there = {unit(path) for path in sources(PACKAGE)} - {"cli"}
    assert set(ALL) == there
    assert there >= GROUND
    assert set().union(*ALL.values()) <= there | {"cli"}
    for package, modules in BEYOND_GROUND.items():
        for module in modules:
            path = PACKAGE / package / f"{module.replace('.', '/')}.py"
            assert path.is_file(), f"{package}.{module} is no more: take it out of the table"


@pytest.mark.parametrize("package", ["net", "media", "archive"])
def test_the_three_that_do_the_work_do_not_need_each_other(package: str) -> None:
    """Not by way of others either."""
    needs = {name: modules_imported(path) - {name} for name, path in MODULES.items()}
    needed: set[str] = set()
    for name in MODULES:
        if name.startswith(f"archiver.{package}"):
            needed |= reached_from(name, needs)
    packages = {"net", "media", "archive"} - {package}
    assert [name for name in needed if set(name.split(".")) & packages] == []


def test_nobody_imports_the_command_line() -> None:
    importers = {
        unit(path)
        for path in sources(PACKAGE)
        if any(name.startswith("archiver.cli") for name in imports(path))
    }
    assert importers <= {"cli", "__main__"}


MODULES: dict[str, Path] = {
    ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path
    for root, folder in ((ROOT, PACKAGE), (ROOT / "plugins", ROOT / "plugins"))
    for path in sources(folder)
}
"""Every module of the program and of its plugins, by its full name."""


@cache
def modules_imported(path: Path) -> frozenset[str]:
    """The modules of ours that a file needs to run; what it imports for types alone is left out."""
    for_types = {
        id(node)
        for block in ast.walk(tree_of(path))
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for statement in block.body
        for node in ast.walk(statement)
    }
    found: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            found.update(name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{name.name}" for name in node.names}
            found |= names & MODULES.keys()
            if names - MODULES.keys():
                found.add(node.module)
    return frozenset(found & MODULES.keys())


def reached_from(name: str, needs: Mapping[str, Set[str]]) -> set[str]:
    """All modules that one needs, directly or by way of others."""
    seen: set[str] = set()
    waiting = list(needs[name])
    while waiting:
        below = waiting.pop()
        if below not in seen:
            seen.add(below)
            waiting += needs[below]
    return seen


def circles(needs: Mapping[str, Set[str]]) -> list[set[str]]:
    """The groups of modules each of which needs, by way of others, every other of its group."""
    reached = {name: reached_from(name, needs) for name in needs}
    groups = {
        frozenset(other for other in reached[name] if name in reached[other])
        for name in reached
        if name in reached[name]
    }
    return sorted(map(set, groups), key=sorted)


def test_circles_are_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"d"}}) == [{"b", "c"}, {"d"}]


def test_no_modules_need_each_other() -> None:
    needs = {name: modules_imported(path) - {name} for name, path in MODULES.items()}
    assert circles(needs) == []


def test_no_two_classes_have_one_name() -> None:
    places: dict[str, list[str]] = {}
    for name, path in MODULES.items():
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(name)
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


PLUGIN_FILES = sources(ROOT / "plugins")


@pytest.mark.parametrize("path", PLUGIN_FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_plugins_import_the_face_and_themselves(path: Path) -> None:
    own = path.relative_to(ROOT / "plugins").parts[0]
    for name in imports(path):
        top = name.split(".")[0]
        allowed = {"archiver", own} | ({"PIL"} if "demo" in path.parts else set())
        assert top in allowed | sys.stdlib_module_names, f"{name} is not for plugins"
        assert name not in NOT_FOR_NETWORK | NOT_FOR_STORES, "a plugin opens nothing itself"
    assert not units_imported(path) - {""}, "a plugin imports from archiver itself, not from inside"


def test_the_face_offers_what_it_says() -> None:
    import archiver

    assert sorted(set(archiver.__all__)) == sorted(archiver.__all__)
    assert [name for name in archiver.__all__ if not hasattr(archiver, name)] == []


@pytest.mark.parametrize(
    ("folder", "banned"),
    [
        ("archive", NOT_FOR_NETWORK),
        ("media", NOT_FOR_NETWORK | NOT_FOR_STORES),
        ("net", NOT_FOR_STORES),
    ],
)
def test_each_part_keeps_to_its_trade(folder: str, banned: set[str]) -> None:
    for path in sources(PACKAGE / folder):
        assert not imports(path) & banned, f"{path.relative_to(ROOT)} does another's work"


FOR_STEPS = {
    "archiver.canonical.row_sha256",  # the hash that docs/schema.md defines; it never changes
    "archiver.canonical.row_digest",  # the whole of it
    "archiver.media_keys.address_key",  # its results are pinned in test_m003_media
}


def test_a_step_of_the_schema_uses_no_code_that_may_change() -> None:
    for path in sources(PACKAGE / "archive" / "steps"):
        found = {
            name for name in imports(path)
            if name.startswith("archiver.") and not name.startswith("archiver.archive.steps")
            and name not in {"archiver.canonical", "archiver.media_keys"}
        }  # fmt: skip
        assert found <= FOR_STEPS, f"{path.name} must not change its meaning with live code"


VENDOR = "ayrshare"
NAMED_IN = {"archiver/archive.example.toml"}  # what `archiver init` writes to begin with


def test_the_core_names_no_vendor() -> None:
    naming = {
        str(path.relative_to(ROOT))
        for path in PACKAGE.rglob("*")
        if path.is_file() and path.suffix in {".py", ".toml", ".html", ".css", ".js", ".sql"}
        # in released steps of the schema, which are never edited, a comment gives it as an example
        if VENDOR in path.read_text("utf-8").lower().replace(f"-- {VENDOR}, …", "")
    }
    assert naming == NAMED_IN
