"""How Sphinx builds the site: Markdown by MyST, the theme furo, reference from docstrings."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import byrote

project = "byrote"
author = "The byrote developers"
project_copyright = author
release = version = byrote.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "finish",
    "reference",
]
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3  # links such as gate.md#the-thresholds work here and on a forge
highlight_language = "none"
smartquotes = False  # options begin with two dashes
nitpicky = True
nitpick_ignore_regex = [("py:(class|data|obj|exc)", ".*")]  # annotations name what is not public

autodoc_typehints = "signature"
autodoc_preserve_defaults = True
autodoc_member_order = "bysource"
autodoc_use_legacy_class_based = False
autosummary_generate = False
maximum_signature_line_length = 80
python_use_unqualified_type_names = True
napoleon_google_docstring = False
napoleon_attr_annotations = False
napoleon_custom_sections = ["Returns"]  # which are sentences, without a type in front
napoleon_use_ivar = True
napoleon_use_rtype = False
add_module_names = False
toc_object_entries = False  # each page of names begins with a table of them

html_theme = "furo"
html_title = "byrote"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_domain_indices = False
html_use_index = False
html_show_sphinx = False
html_copy_source = False
html_show_sourcelink = False
