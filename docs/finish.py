"""What Sphinx and its theme leave undone: dashes, keyboards, levels of headings."""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx


def set_dashes(_: Sphinx, page: nodes.document) -> None:
    """Set a dash between a parameter and its description, where Sphinx has two hyphens."""
    for text in list(page.findall(nodes.Text)):
        if text == " -- ":
            text.parent.replace(text, nodes.Text(" – "))


def serve_keyboards(_: Sphinx, __: str, ___: str, context: dict[str, Any], ____: Any) -> None:
    """Let keys scroll long lines, and give headings of the navigation their level."""
    context["body"] = context.get("body", "").replace("<pre>", '<pre tabindex="0">')
    tree = context.get("furo_navigation_tree", "")
    context["furo_navigation_tree"] = tree.replace('"heading"', '"heading" aria-level="2"')


def setup(sphinx: Sphinx) -> dict[str, bool]:
    """Register both."""
    sphinx.connect("doctree-read", set_dashes)
    sphinx.connect("html-page-context", serve_keyboards, priority=900)  # after the theme
    return {"parallel_read_safe": True, "parallel_write_safe": True}
