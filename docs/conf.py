"""How Sphinx builds these pages: `python -m sphinx -W -b html docs docs/_build/html`. Needs no network."""

from importlib import metadata

project = "dokimasia"
author = "The dokimasia authors"
release = version = metadata.version("dokimasia")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
nitpicky = False

myst_enable_extensions = ["amsmath", "deflist", "dollarmath"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "none"
napoleon_google_docstring = False
napoleon_use_rtype = False

html_theme = "furo"
html_title = f"dokimasia {release}"
html_show_sphinx = False
html_show_copyright = False
