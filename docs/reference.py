"""Reference pages made from the code: public names from docstrings, verbs from their parser."""

import inspect
import re
from importlib import import_module
from types import ModuleType
from typing import Any

import typer
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import byrote
from byrote.cli.app import app
from byrote.plans import Plan

# Of scikit-learn, in its own words.
HIDDEN = "   :exclude-members: get_metadata_routing, set_fit_request, set_score_request"


def kind_of(value: Any) -> str:
    """Return the heading under which a public name stands."""
    if not inspect.isclass(value):
        return "Functions"
    if issubclass(value, Exception):
        return "Errors"
    return "Plans" if issubclass(value, Plan) else "Classes"


def public_names(module: ModuleType) -> dict[str, Any]:
    """Return the public classes and functions of a module by name: of ``__all__``, or its own."""
    own = [n for n, value in vars(module).items() if _is_own(n, value, module)]
    values = {name: getattr(module, name) for name in getattr(module, "__all__", own)}
    return {name: value for name, value in values.items() if callable(value)}


def _is_own(name: str, value: Any, module: ModuleType) -> bool:
    return not name.startswith("_") and getattr(value, "__module__", "") == module.__name__


def summary(module: str, names: list[str]) -> list[str]:
    """Return a table of names with the first lines of their docstrings, as reStructuredText."""
    return ["", f".. currentmodule:: {module}", "", ".. autosummary::", "   :nosignatures:", ""] + [
        f"   {name}" for name in names
    ]


def entry(name: str, value: Any) -> list[str]:
    """Return the directive that prints a name's docstring, as reStructuredText."""
    if not inspect.isclass(value):
        return ["", f".. autofunction:: {name}"]
    return [
        "",
        f".. autoclass:: {name}",
        "   :members:",
        "   :inherited-members: BaseEstimator, DensityMixin",
        HIDDEN,
    ]


class PublicNames(SphinxDirective):
    """All public names of a module: a summary by kind, then each with its docstring."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Parse what autodoc and autosummary are to do."""
        module = import_module(self.arguments[0])
        named = public_names(module)
        top = set() if module is byrote else set(public_names(byrote).values())
        kinds: dict[str, list[str]] = {}
        for name, value in named.items():
            path = f"byrote.{name}" if value in top else name
            kinds.setdefault(kind_of(value), []).append(path)
        lines = []
        for kind in sorted(kinds, key=["Functions", "Plans", "Classes", "Errors"].index):
            lines += ["", f".. rubric:: {kind}", *summary(module.__name__, kinds[kind])]
        for name, value in named.items():
            if value not in top:  # which has them on its own page
                lines += entry(name, value)
        return self.parse_text_to_nodes("\n".join(lines))


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


def setup(sphinx: Sphinx) -> dict[str, bool]:
    """Register the directive, and what completes a page."""
    sphinx.add_directive("public-names", PublicNames)
    sphinx.connect("source-read", add_command_line)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
