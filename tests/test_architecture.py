"""DESIGN's import rules and sizes, read from the source: downward only, no cycles, gradio in one place, small files."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAX_LINES, MAX_UI_LINES, MAX_APP_LINES = 400, 250, 80

# Inside stylegan a part imports from itself and from the lines above its own, never from beside it or below.
LAYERS = [
    {"errors"},
    {"atomic", "config", "images", "latents", "seeds"},
    {"ops"},
    {"networks"},
    {"model_file"},
    {"convert", "data"},
    {"opening"},
    {"directions"},
    {"metrics"},  # separability needs the scorers of directions
    {"training"},
    {"cli"},
]
RANK = {part: rank for rank, parts in enumerate(LAYERS) for part in parts}
RANK[""] = RANK["opening"] + 0.5  # stylegan/__init__.py itself: above all that it shows, below what is built on it
RANK["__main__"] = len(LAYERS)


def python_files() -> Iterator[Path]:
    """Every Python file of the project but its tests."""
    for folder in ("stylegan", "explorer", "benchmarks"):
        yield from sorted((ROOT / folder).rglob("*.py"))
    yield from sorted(ROOT.glob("*.py"))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module_name(path): path for path in python_files() if "benchmarks" not in path.parts}


def imports(name: str, *, only_at_import: bool = False) -> set[str]:
    """Full names of the modules that module `name` imports, wherever it does, or just those that its import loads."""
    path = FILES[name]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = set()
    for node in ast.walk(tree):
        lazy = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)) or (
            isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        )
        if only_at_import and lazy:
            skipped |= set(ast.walk(node)) - {node}
    found = set()
    for node in set(ast.walk(tree)) - skipped:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: write imports out in full"
            base = node.module or ""
            found |= {f"{base}.{a.name}" if f"{base}.{a.name}" in FILES else base for a in node.names}
    return found


def tops(name: str) -> set[str]:
    """Top-level packages that a module imports."""
    return {imported.split(".")[0] for imported in imports(name)}


def in_package(package: str) -> list[str]:
    return [name for name in FILES if name == package or name.startswith(f"{package}.")]


def test_stylegan_stands_on_its_own():
    assert in_package("stylegan")
    for name in in_package("stylegan"):
        assert not tops(name) & {"gradio", "explorer", "app", "tests", "benchmarks"}, name


@pytest.mark.parametrize("name", in_package("stylegan"))
def test_stylegan_imports_run_downward(name):
    def part(module: str) -> str:
        return module.split(".")[1] if "." in module else ""

    own = part(name)
    assert own in RANK, f"{name}: say in this file where the new part stands"
    for imported in imports(name):
        if imported.split(".")[0] == "stylegan" and part(imported) != own:
            assert RANK[part(imported)] < RANK[own], f"{name} imports {imported}"


def test_gradio_is_in_the_interface_only():
    for name in FILES:
        if name != "app" and name not in in_package("explorer.ui"):
            assert "gradio" not in tops(name), name


def test_the_interface_computes_nothing():
    for name in in_package("explorer.ui"):
        assert not tops(name) & {"torch", "numpy", "stylegan", "sklearn", "scipy"}, name


def test_explorer_knows_nothing_of_its_interface():
    for name in set(in_package("explorer")) - set(in_package("explorer.ui")):
        assert not {i for i in imports(name) if i == "app" or i.startswith("explorer.ui")}, name


def test_no_cycles():
    """At import no module comes round to itself, so that the order in which they are first imported plays no part."""
    graph = {name: imports(name, only_at_import=True) & FILES.keys() for name in FILES}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " → ".join((*trail[trail.index(name) :], name))
        if name not in done:
            for imported in sorted(graph[name] - {name}):
                visit(imported, (*trail, name))
            done.add(name)

    for name in sorted(graph):
        visit(name, ())


@pytest.mark.parametrize("path", list(python_files()), ids=lambda path: str(path.relative_to(ROOT)))
def test_files_are_small(path):
    limit = MAX_LINES
    if "explorer/ui/" in path.as_posix():
        limit = MAX_UI_LINES
    if path == ROOT / "app.py":
        limit = MAX_APP_LINES
    assert len(path.read_text(encoding="utf-8").splitlines()) <= limit


def test_the_rules_can_fail(tmp_path, monkeypatch):
    """The reader of imports sees every form of them."""
    path = tmp_path / "sample.py"
    path.write_text(
        "import a.b, c as d\nfrom e.f import g\nfrom typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    import h\ndef k():\n    from stylegan import seeds, load\n"
    )
    monkeypatch.setitem(FILES, "sample", path)
    assert imports("sample") == {"a.b", "c", "e.f", "typing", "h", "stylegan.seeds", "stylegan"}
    assert imports("sample", only_at_import=True) == {"a.b", "c", "e.f", "typing"}
