"""Figures without their pixels."""

import pytest


@pytest.fixture
def unrendered(monkeypatch):
    """Figures are drawn, and their files written, where it is no matter how they look."""
    content = memoryview(b"a figure")
    monkeypatch.setattr("byrote.cli.verbs.figures._render", lambda *_: (content, False))
