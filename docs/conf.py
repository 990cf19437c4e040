"""How Sphinx builds these pages: `python -m sphinx -W -b html docs docs/_build/html`. Needs no network."""

import sys
from importlib import metadata
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import gallery

project = "dokimasia"
author = "The dokimasia authors"
release = version = metadata.version("dokimasia")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]

myst_enable_extensions = ["amsmath", "dollarmath"]
myst_heading_anchors = 3

autodoc_typehints = "none"
napoleon_google_docstring = False
napoleon_use_rtype = False

html_theme = "furo"
html_title = f"dokimasia {release}"
html_show_copyright = False
html_show_sphinx = False


def end_sections(_app, _what, _name, _thing, _options, lines):
    """Put a heading before prose that follows the parameters, which napoleon would take for one more parameter."""
    rules = ("----------", "-------")  # under Parameters and under Returns
    opened = next((place for rule in rules for place, line in enumerate(lines) if line == rule), None)
    if opened is None:
        return
    for place in range(opened + 1, len(lines)):
        line, before = lines[place], lines[place - 1]
        after = lines[place + 1] if place + 1 < len(lines) else ""
        if line and not before and not line.startswith(" ") and not after.startswith((" ", "-")):
            lines[place:place] = ["Notes", "-----"]
            return


def setup(app):
    app.connect("builder-inited", lambda _app: gallery.write())
    app.connect("autodoc-process-docstring", end_sections, priority=400)  # before napoleon
