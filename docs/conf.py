"""Sphinx settings, and the pages of the Python reference, written from the public names."""

from __future__ import annotations

import inspect
import types
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import clv

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "clv"
author = "the clv contributors"
copyright = "the clv contributors"  # noqa: A001 - Sphinx reads this name
release = version = metadata.version("clv")

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx_click",
]
exclude_patterns = ["_build"]
myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
autosummary_generate = False  # the generated pages hold the objects themselves
autodoc_typehints = "none"  # numpydoc states types, with shapes and units
autodoc_member_order = "bysource"
numpydoc_show_class_members = False  # autodoc lists them
toc_object_entries = False  # each object has a heading of its own
html_theme = "pydata_sphinx_theme"
html_title = "clv"
html_show_sourcelink = False
html_static_path = ["_static"]
html_css_files = ["width.css"]
html_theme_options = {"show_toc_level": 2, "show_prev_next": True}

# Part of the package -> heading of its page, in the order in which data flow.
PARTS = {
    "clv.datasets": "Bundled data",
    "clv.transactions": "Orders, incidents and campaigns",
    "clv.history": "Purchase histories",
    "clv.incident_history": "Histories with incidents",
    "clv.models": "Models",
    "clv.inference": "Inference",
    "clv.quality": "Quality of orders",
    "clv.value": "Value",
    "clv.recommend": "Recommender",
    "clv.evaluate": "Evaluation",
    "clv.book": "Customer book",
    "clv.build": "Building a book",
    "clv.campaigns": "Campaigns",
    "clv.incidents": "What incidents teach",
    "clv.plots": "Plots",
    "clv.errors": "Errors",
}


def reference_pages() -> dict[str, str]:
    """One reST page for each part of the package that has public names: file name to text."""
    names: dict[str, list[str]] = {part: [] for part in PARTS}
    for name in clv.__all__:
        if name == "__version__":  # a string has no home and no docstring; see the index page
            continue
        home = inspect.getmodule(getattr(clv, name))
        part = ".".join(home.__name__.split(".")[:2]) if home else ""
        if part not in names:
            message = f"clv.{name} lives in {part or 'no module'}; give that a heading in PARTS."
            raise LookupError(message)
        names[part].append(name)
    pages = {}
    for number, (part, title) in enumerate(PARTS.items()):
        if names[part]:
            file = f"{number:02d}-{part.removeprefix('clv.')}.rst"
            pages[file] = reference_page(title, names[part])
    return pages


def reference_page(title: str, names: list[str]) -> str:
    """A summary table of the names, then each in full."""
    whole = {name: getattr(clv, name) for name in names}
    table = [f"   clv.{name}" for name in names]
    lines = [title, "=" * len(title), "", ".. autosummary::", "   :nosignatures:", "", *table, ""]
    for name, thing in whole.items():
        lines += ["", name, "-" * len(name), ""]
        if isinstance(thing, types.ModuleType):
            lines += [f".. automodule:: clv.{name}", "   :members:"]
        elif isinstance(thing, type) and issubclass(thing, Exception):
            lines += [f".. autoexception:: clv.{name}", "   :show-inheritance:"]
        elif isinstance(thing, type):
            inherited = "   :inherited-members: object, BaseModel"  # `fit` is, pydantic's are not
            lines += [f".. autoclass:: clv.{name}", "   :members:", inherited]
        elif callable(thing):
            lines += [f".. autofunction:: clv.{name}"]
        else:
            lines += [f".. autodata:: clv.{name}"]
    return "\n".join(lines) + "\n"


def plain(app: Sphinx, ctx: object, lines: list[str]) -> None:  # noqa: ARG001 - Sphinx passes them
    """Help texts are plain text: a star in a file pattern is a star, not emphasis."""
    lines[:] = [line.replace("*", r"\*") for line in lines]


def setup(app: Sphinx) -> None:
    """Write the generated pages before Sphinx looks for documents."""
    for text in ("description", "epilog"):
        app.connect(f"sphinx-click-process-{text}", plain)
    folder = Path(app.srcdir) / "reference" / "generated"
    folder.mkdir(parents=True, exist_ok=True)
    pages = reference_pages()
    for stale in {p.name for p in folder.iterdir()} - set(pages):
        (folder / stale).unlink()
    for name, text in pages.items():
        page = folder / name
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")
