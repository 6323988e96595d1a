"""Reference pages made from the code: public names from docstrings, verbs from their parser."""

import inspect
import re
from importlib import import_module
from types import ModuleType
from typing import Any

import typer
from docutils import nodes
from jinja2 import Template
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import byrote
from byrote.cli.app import app
from byrote.plans import Plan

KINDS = ("Functions", "Plans", "Classes", "Errors")
PAGE = """\
.. currentmodule:: {{ module }}
{% for kind in kinds if names[kind] %}
.. rubric:: {{ kind }}

.. autosummary::
   :nosignatures:

{% for name in names[kind] %}   {{ name }}
{% endfor %}
{% endfor %}
{% for kind in kinds if here[kind] %}
{{ kind }}
---------

{% for name in here[kind] %}
{% if kind == "Functions" %}
.. autofunction:: {{ name }}
{% else %}
.. autoclass:: {{ name }}
   :members:
   :inherited-members: BaseEstimator, DensityMixin
   :exclude-members: get_metadata_routing, set_fit_request, set_score_request
{% endif %}
{% endfor %}
{% endfor %}
"""


def public_names(module: ModuleType) -> dict[str, Any]:
    """Return the public classes and functions of a module by name: of ``__all__``, or its own."""
    own = [n for n, value in vars(module).items() if _is_own(n, value, module)]
    values = {name: getattr(module, name) for name in getattr(module, "__all__", own)}
    return {name: value for name, value in values.items() if callable(value)}


def _is_own(name: str, value: Any, module: ModuleType) -> bool:
    return not name.startswith("_") and getattr(value, "__module__", "") == module.__name__


def _kind(value: Any) -> str:
    if not inspect.isclass(value):
        return "Functions"
    if issubclass(value, Exception):
        return "Errors"
    return "Plans" if issubclass(value, Plan) else "Classes"


def reference(module: ModuleType) -> str:
    """Return the page of a module: tables of its names, and docstrings, as reStructuredText.

    A name that is public in byrote itself has its docstring on that page alone.
    """
    names: dict[str, list[str]] = {kind: [] for kind in KINDS}
    here: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for name, value in public_names(module).items():
        elsewhere = module is not byrote and name in byrote.__all__
        names[_kind(value)].append(f"byrote.{name}" if elsewhere else name)
        if not elsewhere:
            here[_kind(value)].append(name)
    return Template(PAGE).render(module=module.__name__, kinds=KINDS, names=names, here=here)


class PublicNames(SphinxDirective):
    """All public names of a module with their docstrings."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Let autosummary and autodoc fill the page."""
        page = reference(import_module(self.arguments[0]))
        return self.parse_text_to_nodes(page, allow_section_headings=True)


def command_line() -> str:
    """Return a section for each verb, with the help of its parser, as Markdown."""
    group: Any = typer.main.get_command(app)
    return "\n".join(
        f"\n## byrote {name}\n\n{_help(verb)}" for name, verb in group.commands.items()
    )


def _help(verb: Any) -> str:
    context = verb.make_context(verb.name, [], resilient_parsing=True)
    arguments_first = sorted(verb.params, key=lambda p: p.param_type_name)
    records = [parameter.get_help_record(context) for parameter in arguments_first]
    listed = [f"`{re.sub(' <.*>', '', words)}`\n: {_escaped(text)}\n" for words, text in records]
    return "\n".join([_escaped(verb.help), "", *listed])


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>#|])", r"\\\1", " ".join(text.split()))


def add_command_line(_: Sphinx, page: str, source: list[str]) -> None:
    """Complete the page of the command line before Sphinx reads it."""
    if page == "command-line":
        source[0] += command_line()


def link_pages(*arguments: Any) -> None:
    """Make links of the pages that a docstring names, as in ``docs/gate.md``."""
    lines: list[str] = arguments[-1]
    lines[:] = [re.sub(r"docs/([\w-]+)\.md", r":doc:`/\1`", line) for line in lines]


def setup(sphinx: Sphinx) -> dict[str, bool]:
    """Register the directive, and what completes pages."""
    sphinx.add_directive("public-names", PublicNames)
    sphinx.connect("source-read", add_command_line)
    sphinx.connect("autodoc-process-docstring", link_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
