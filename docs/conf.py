"""How Sphinx builds the documentation: `make site`."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

project = "MaskAAE"
author = "the authors of this repository"
copyright = "MIT licence"
release = version = PROJECT["version"]

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx-mathjax-offline",
    "sphinx_design",
]
exclude_patterns = ["_build"]
source_suffix = {".md": "myst-nb"}

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "amsmath", "attrs_inline"]
myst_heading_anchors = 4
myst_url_schemes = ("http", "https", "mailto")
nb_execution_mode = "off"  # `make site` builds pages; `make site NOTEBOOKS=1` runs the tutorials too
nb_execution_timeout = 3600  # of a cell, on a machine that does much else
nb_execution_raise_on_error = True
nb_execution_in_temp = True  # a tutorial writes its files beside no page
nb_merge_streams = True

autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autosummary_generate = True
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

nitpicky = False
linkcheck_anchors = False  # pages that are made by scripts have none to look for
html_theme = "pydata_sphinx_theme"
html_title = f"MaskAAE {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "logo": {"text": "MaskAAE"},
    "navigation_with_keys": False,
    "show_prev_next": True,
    "header_links_before_dropdown": 7,
    "navbar_end": ["theme-switcher"],
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": ["theme-version"],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}

REPLACED_LINKS = {"../config/README.md": "/reference/keys.md", "../../config/README.md": "/reference/keys.md"}
"""Links of pages that are read in the repository too, where the page stands elsewhere on the site."""


def commands_page() -> str:
    """What `make` can do, from the Makefile's own descriptions."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    rows = re.findall(r"^([a-z0-9_-]+):[^=\n]*?## (.+)$", makefile, re.MULTILINE)
    table = "\n".join(f"| `make {name}` | {words} |" for name, words in sorted(rows))
    return f"""# Commands

`make help` prints this list. Every target sets up `.venv` first, if it is not there.

| command | what it does |
|---|---|
{table}

Variables: `CORES=4`, `GPUS=0`, `PYTHON=python3.12`, `CONFIG=my.yaml`, `DATA=my.csv`, `SITE=my-cluster`.

`snakemake --list-rules` lists the targets of Snakemake, figures and tables by their names among them.
"""


def read_source(app: Sphinx, document: str, source: list[str]) -> None:
    """Fill the page of commands, give tables of runs a title, and lead links to their place on the site."""
    if document == "reference/commands":
        source[0] = commands_page()
    if document.startswith("results/") and not re.search(r"^# ", source[0], re.MULTILINE):
        source[0] = f"# {document.removeprefix('results/')}\n\n{source[0]}"
    for link, place in REPLACED_LINKS.items():
        source[0] = re.sub(rf"\]\({re.escape(link)}(?=[)#])", f"]({place}", source[0])


def setup(app: Sphinx) -> None:
    """Connect what this file does while Sphinx reads."""
    app.connect("source-read", read_source)
