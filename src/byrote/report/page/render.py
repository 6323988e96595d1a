"""Pages as bytes of HTML: nothing is loaded, nothing runs but the page's own script."""

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from byrote.errors import printable
from byrote.report.format import as_sentence
from byrote.report.page.content import Page
from byrote.report.page.drawing import drawings

_PACKAGE, _TEMPLATES = "byrote.report.page", "templates"
DATA = '<script type="application/json" id="data">'  # where the page's data begin
_UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


def render(page: Page) -> bytes:
    """Return a page as HTML in UTF-8; the same page gives the same bytes.

    Every text is escaped, and characters that are not printable are shown by their code. The
    policy of the page forbids whatever is not its own style, script and pictures.
    """
    style, script = _source("page.css"), _source("page.js")
    html = (
        _environment()
        .get_template("page.html")
        .render(
            page=page,
            style=Markup(style),  # noqa: S704 (byrote's own, as is the script)
            script=Markup(script),  # noqa: S704
            policy=_policy(style, script),
            data=Markup(as_json(page.data)),  # noqa: S704 (escaped there)
        )
    )
    return html.encode()


def as_json(data: Mapping[str, Any]) -> str:
    r"""Return JSON that cannot end the element it stands in.

    Examples
    --------
    >>> as_json({"id": "</script>"})
    '{"id": "\\u003c/script\\u003e"}'
    """
    text = json.dumps(data, ensure_ascii=True, allow_nan=False)
    for character, escape in _UNSAFE.items():
        text = text.replace(character, escape)
    return text


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(_PACKAGE, _TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(drawings=drawings, sentence=as_sentence)
    return environment


def _finalize(value: Any) -> Any:
    """Show by its code what is not printable; markup is byrote's own."""
    return value if isinstance(value, Markup) else printable(value)


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; img-src data:;"
        " base-uri 'none'; form-action 'none'"
    )


def _hash(source: str) -> str:
    digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _source(name: str) -> str:
    return files(_PACKAGE).joinpath(_TEMPLATES, name).read_text(encoding="utf-8")
