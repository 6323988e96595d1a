"""The site: links lead somewhere, every page has a way to it, and the reference leaves nothing out.

``make docs`` builds it, with warnings as errors; what is here needs no build.
"""

import re
import sys

import pytest
import typer
from markdown_it import MarkdownIt
from mdit_py_plugins.deflist import deflist_plugin

import byrote
from byrote.cli.app import app

from pages import ROOT, text_of

DOCS = ROOT / "docs"
PAGES = [path.relative_to(ROOT) for path in [*ROOT.glob("*.md"), *DOCS.rglob("*.md")]]


@pytest.fixture(scope="module")
def reference():
    sys.path.insert(0, str(DOCS))
    import reference

    sys.path.remove(str(DOCS))
    return reference


def without_code(text):
    return re.sub(r"^( *)```.*?^\1```$|`[^`\n]*`", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(text):
    """Those that a forge makes of headings: lower case, without marks, hyphens for spaces."""
    text = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_lead_somewhere(page):
    lost = []
    for link in re.findall(r"\]\(([^)\s]+)\)", without_code(text_of(page))):
        path, _, anchor = link.partition("#")
        target = ROOT / page.parent / path if path else ROOT / page
        if "://" in link or (target.suffix, anchor) == (".md", "byrote-expose"):
            continue  # elsewhere, or made from the parser
        if not target.exists() or (anchor and anchor not in anchors(target.read_text())):
            lost.append(link)
    assert lost == []


def test_every_page_has_a_way_to_it():
    listed = set()
    for page in DOCS.rglob("*.md"):
        for block in re.findall(r"^```\{toctree\}\n(.*?)^```$", page.read_text(), re.M | re.S):
            entries = [line for line in block.splitlines() if line and not line.startswith(":")]
            names = [re.sub(r".*<(.*)>", r"\1", entry) for entry in entries]
            listed.update((page.parent / name).relative_to(DOCS).as_posix() for name in names)
    pages = [p for p in DOCS.rglob("*") if p.suffix in (".md", ".rst")]
    assert listed == {p.relative_to(DOCS).with_suffix("").as_posix() for p in pages} - {"index"}


def test_every_page_has_one_title():
    for path in PAGES:
        text = re.sub(r"^```.*?^```$", "", text_of(path), flags=re.MULTILINE | re.DOTALL)
        assert len(re.findall(r"^# ", text, flags=re.MULTILINE)) <= 1, path


def test_the_reference_has_every_public_name(reference):
    stub = text_of("src/byrote/__init__.pyi")
    names = re.findall(r"^from \. import (\w+)", stub, flags=re.MULTILINE)
    modules = {"byrote", *(f"byrote.{name}" for name in names)}
    pages = {p.stem: p.read_text() for p in (DOCS / "api").glob("*.rst")}
    named = {re.search(r"public-names:: (.*)", text)[1] for text in pages.values()}
    assert named == modules
    page = reference.reference(byrote.plans)
    listed = re.findall(r"^   (?:byrote\.)?(\w+)$", page, flags=re.MULTILINE)
    assert sorted(listed) == [n for n in byrote.plans.__all__ if n not in ("IN", "OUT", "UNUSED")]
    assert "autofunction:: design_of" in page
    assert "autoclass:: KFold" not in page  # it is on the page of byrote
    assert "CannotWrite" in reference.public_names(byrote.errors)


def shown(markdown):
    """The terms and definitions that a reader sees."""
    tokens = MarkdownIt().use(deflist_plugin).parse(markdown)
    return [
        "".join(child.content for child in token.children)
        for token in tokens
        if token.type == "inline"
    ]


def test_the_command_line_is_shown_as_its_parser_has_it(reference):
    visible = shown(reference.command_line())
    for name, verb in typer.main.get_command(app).commands.items():
        assert f"byrote {name}" in visible
        for parameter in verb.params:
            words, text = parameter.get_help_record(
                verb.make_context(name, [], resilient_parsing=True)
            )
            assert words.split(" <")[0] in visible
            assert " ".join(text.split()) in visible


def test_the_readme_is_short():
    assert len(text_of("README.md").splitlines()) < 150
