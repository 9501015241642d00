"""Imports run one way only, and the command answers without loading what it does not need."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CLI = ROOT / "cli" / "clv_cli"

# What each part of the package may import of the others (the order is drawn in CONTRIBUTING.md).
BASE = {
    "clv.arrays",
    "clv.errors",
    "clv.numerics",
    "clv.history",
    "clv.incident_history",
    "clv.side_by_side",
}
MAY_IMPORT: dict[str, set[str]] = {
    "clv.passwords": set(),
    "clv.errors": {"clv.passwords"},
    "clv.arrays": set(),
    "clv.small_tables": {"clv.errors"},
    "clv.datasets": {"clv.errors"},
    "clv.toml_files": {"clv.errors"},
    "clv.numerics": {"clv.errors", "clv.arrays"},
    "clv.history": {"clv.errors", "clv.arrays"},
    "clv.side_by_side": set(),
    "clv.incident_history": {"clv.errors", "clv.arrays", "clv.history"},
    "clv.simulated_shop": set(),
    "clv.transactions": {
        "clv.errors",
        "clv.passwords",
        "clv.arrays",
        "clv.history",
        "clv.incident_history",
        "clv.toml_files",
    },  # knows no model
    "clv.models": BASE,
    "clv.inference": BASE | {"clv.transactions", "clv.models"},
    "clv.value": BASE | {"clv.passwords", "clv.transactions", "clv.models", "clv.inference"},
    "clv.quality": BASE | {"clv.transactions", "clv.models", "clv.inference"},
    "clv.recommend": {
        "clv.errors",
        "clv.arrays",
        "clv.small_tables",
        "clv.numerics",
        "clv.toml_files",
    },  # numbers in, numbers out
}
MAY_IMPORT["clv.evaluate"] = MAY_IMPORT["clv.value"] | {"clv.value"}  # knows no policy
MAY_IMPORT["clv.book.directory"] = {"clv.errors", "clv.passwords"}  # a book whole or not at all
MAY_IMPORT["clv.book.values"] = {"clv.book.directory"}
MAY_IMPORT["clv.book.learned"] = {"clv.errors", "clv.book.directory", "clv.recommend"}
MAY_IMPORT["clv.book.intervals"] = set(MAY_IMPORT) - {"clv.datasets", "clv.evaluate"}
for above, below in (
    ("decisions", "intervals"),
    ("budget_range", "decisions"),
    ("budget", "budget_range"),
    ("recovery", "budget"),
    ("split", "recovery"),
    ("orders", "split"),
):
    MAY_IMPORT[f"clv.book.{above}"] = MAY_IMPORT[f"clv.book.{below}"] | {f"clv.book.{below}"}
MAY_IMPORT["clv.book"] = set(MAY_IMPORT["clv.book.orders"])  # the Book itself, above its answers
MAY_IMPORT["clv.book.orders"] |= {"clv.book"}
MAY_IMPORT["clv.book.since"] = MAY_IMPORT["clv.book.orders"] | {"clv.book.orders"}
MAY_IMPORT["clv.book.written_values"] = MAY_IMPORT["clv.book.decisions"]
MAY_IMPORT["clv.build"] = (
    {"clv.book.written_values"} | MAY_IMPORT["clv.book.since"] | {"clv.book.since"}
)
MAY_IMPORT["clv.campaigns"] = MAY_IMPORT["clv.build"]
MAY_IMPORT["clv.plots"] = MAY_IMPORT["clv.build"] | {"clv.build", "clv.evaluate", "clv.campaigns"}
MAY_IMPORT["clv.incidents"] = MAY_IMPORT["clv.build"]
MAY_IMPORT["clv_cli"] = {*MAY_IMPORT, "clv"}

# Half a second or more between them; a command imports them when it runs, not before.
HEAVY = {
    "duckdb", "ibis", "lifetimes", "matplotlib", "numpy",
    "pandas", "pyarrow", "pydantic", "rich", "scipy",
}  # fmt: skip


def modules() -> Iterator[tuple[str, Path]]:
    """Every module of the two packages, by dotted name, but clv/__init__.py, the public face."""
    for base in (ROOT, CLI.parent):
        package = "clv" if base == ROOT else "clv_cli"
        for path in sorted((base / package).rglob("*.py")):
            parts = path.relative_to(base).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            if name != "clv":
                yield name, path


MODULES = dict(modules())


def part_of(module: str) -> str | None:
    """Which part of the package a module belongs to; None where it is not ours."""
    steps = module.split(".")
    if steps[0] == "clv_cli":
        return "clv_cli"
    if steps[0] != "clv":
        return None
    deeper = ".".join(steps[:3])
    return deeper if deeper in MAY_IMPORT else ".".join(steps[:2])


def imported(tree: ast.AST, module: str, *, package: bool) -> Iterator[tuple[int, str]]:
    """Line and dotted name of every import below a node, inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = node.module or ""
            if node.level:
                here = module.split(".")[: None if package else -1]
                here = here[: len(here) - (node.level - 1)]
                source = ".".join([*here, *([source] if source else [])])
            for alias in node.names:  # `from clv import errors` is clv.errors; a public name is clv
                below = f"{source}.{alias.name}"
                yield node.lineno, below if below in MAY_IMPORT else source


def broken_imports(module: str, source: str, *, package: bool) -> list[str]:
    """Imports of a module that go against the direction."""
    part = part_of(module)
    assert part is not None
    allowed = MAY_IMPORT.get(part, set()) | {part}
    return [
        f"{module}:{line} imports {name}"
        for line, name in imported(ast.parse(source), module, package=package)
        if (target := part_of(name)) is not None and target not in allowed
    ]


def test_every_module_has_a_place_in_the_order() -> None:
    strays = {m for m in MODULES if part_of(m) not in MAY_IMPORT}
    assert not strays, f"give them a place in MAY_IMPORT: {sorted(strays)}"


def test_imports_go_one_way() -> None:
    broken = [
        line
        for module, path in MODULES.items()
        for line in broken_imports(
            module, path.read_text(encoding="utf-8"), package=path.name == "__init__.py"
        )
    ]
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize(
    ("module", "package", "source"),
    [
        ("clv.transactions.summary", False, "from clv.models.bg_nbd import BGNBD"),
        ("clv.transactions.summary", False, "from ..models import bg_nbd"),
        ("clv.transactions", True, "from ..models import bg_nbd"),
        ("clv.history", False, "def f():\n    import clv.value.lifetime"),
        ("clv.models.bg_nbd", False, "from clv import Histories"),
        ("clv.models.bg_nbd", False, "from clv import inference"),
        ("clv.recommend.recovery", False, "from clv.history import Histories"),
        ("clv.book", True, "from clv_cli.main import main"),
        ("clv.book.customer_book", False, "from clv.book.orders import orders_of"),
        ("clv.book.directory", False, "from clv.book import Book"),
        ("clv.book.decisions", False, "from clv.book import budget"),
    ],
)
def test_a_wrong_import_is_seen(module: str, package: bool, source: str) -> None:
    assert broken_imports(module, source, package=package)


@pytest.mark.parametrize(
    ("module", "package", "source"),
    [
        ("clv.models.bg_nbd", False, "from .maximum_likelihood import maximise"),
        ("clv.models.bg_nbd", False, "from clv import numerics"),
        ("clv.models", True, "from . import bg_nbd"),
        ("clv_cli.main", False, "def demo():\n    from clv import BGNBD"),
    ],
)
def test_a_right_import_is_let_through(module: str, package: bool, source: str) -> None:
    assert not broken_imports(module, source, package=package)


def test_the_order_has_no_circle() -> None:
    left = dict(MAY_IMPORT)
    while left:
        free = [part for part, below in left.items() if not below & set(left)]
        assert free, f"these import each other: {sorted(left)}"
        for part in free:
            del left[part]


def test_commands_import_the_heavy_inside() -> None:
    """A module of clv_cli loads nothing heavy, nor any part of clv but its errors, at the top."""
    broken = []
    for module, path in MODULES.items():
        if part_of(module) != "clv_cli":
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for statement in tree.body:
            if not isinstance(statement, ast.Import | ast.ImportFrom):
                continue
            for line, name in imported(
                ast.Module([statement], []), module, package=path.name == "__init__.py"
            ):
                ours = part_of(name) not in {None, "clv_cli", "clv", "clv.errors"}
                if ours or name.split(".")[0] in HEAVY:
                    broken.append(f"{module}:{line} imports {name} at the top")
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize("arguments", [["--help"], ["recover", "--help"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    clv = shutil.which("clv", path=str(Path(sys.executable).parent))
    assert clv, "the command clv is not installed beside this Python"
    run = subprocess.run(
        [sys.executable, "-X", "importtime", clv, *arguments],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-2000:]
    assert "Usage: clv" in run.stdout
    lines = [line for line in run.stderr.splitlines() if line.startswith("import time:")]
    loaded = {line.rsplit("|", 1)[1].strip().split(".")[0] for line in lines}
    assert "click" in loaded  # the listing was read
    assert not loaded & HEAVY


def test_importing_clv_loads_nothing_heavy() -> None:
    code = "import sys, clv; print(*{m.split('.')[0] for m in sys.modules})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "clv" in run.stdout.split()
    assert not set(run.stdout.split()) & HEAVY
