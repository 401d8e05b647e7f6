"""The map in CONTRIBUTING.md is the truth: who imports whom, and what is public."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import zephyrkit

PACKAGE = Path(zephyrkit.__file__).parent
ROOT = PACKAGE.parent


def table() -> dict[str, set[str]]:
    """The rows of CONTRIBUTING's import table: a room, and the rooms it may import."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", text.split("may import, of ours")[1], re.MULTILINE)
    names = re.compile(r"`([\w_]+)`")
    return {room: set(names.findall(allowed)) for rooms, allowed in rows for room in names.findall(rooms)}


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    """The rooms of ours that a file imports, also inside functions."""
    found = set()
    package = ["zephyrkit", *path.relative_to(PACKAGE).parent.parts]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {tuple(alias.name.split(".")) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = (*base, *(node.module or "").split(".")) if node.module else tuple(base)
            found |= {(*module, alias.name) for alias in node.names}
    return {name[1] for name in found if name[0] == "zephyrkit" and len(name) > 1}


FILES = sorted(path for path in PACKAGE.rglob("*.py") if path.name != "__main__.py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_only_what_the_table_allows(path):
    here = room(path)
    if here == "__init__":
        return
    allowed = table()
    assert here in allowed, f"CONTRIBUTING.md has no row for {here}"
    rooms = {room(other) for other in FILES}
    assert (imports(path) & rooms) - {here} <= allowed[here]


def test_the_table_names_no_room_that_is_gone():
    rooms = {room(path) for path in FILES}
    named = set(table()) | set().union(*table().values())
    assert named <= rooms, named - rooms


def test_all_is_what_can_be_had():
    for name in zephyrkit.__all__:
        assert getattr(zephyrkit, name) is not None
        assert name in dir(zephyrkit)
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = zephyrkit.no_such_name


def test_the_import_loads_nothing_heavy():
    code = "import sys, zephyrkit; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"torch", "transformers", "llama_cpp", "numpy", "ipywidgets", "matplotlib", "anywidget"} & set(
        loaded
    )


@pytest.mark.parametrize("name", zephyrkit.__all__)
def test_every_public_function_and_class_is_described(name):
    value = getattr(zephyrkit, name)
    if isinstance(value, type) or callable(value):
        assert (value.__doc__ or "").strip(), name
        assert not value.__doc__.startswith(f"{name}("), "dataclasses need a docstring of their own"


def test_every_error_is_in_the_tree_and_says_what_to_catch():
    from zephyrkit import errors

    tree = re.findall(r"[├└]── (\w+)", errors.__doc__)
    defined = [
        name for name, value in vars(errors).items() if isinstance(value, type) and name != "ZephyrkitError"
    ]
    assert tree == defined
    assert all(issubclass(getattr(errors, name), errors.ZephyrkitError) for name in defined)


def test_the_code_passes_the_linter_and_the_formatter():
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "."], cwd=ROOT, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
