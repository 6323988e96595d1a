"""Small runs of every kind, made once."""

from functools import cache

import pytest

import byrote
from byrote.report.page.render import render
from byrote.report.page.report import make_page

from page_runs import make_runs


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    """Return a folder of runs: images, wide (their other model), rows, texts, canaries."""
    folder = tmp_path_factory.mktemp("runs")
    make_runs(folder)
    return folder


@pytest.fixture(scope="session")
def opened(runs):
    """Return a function from a name to its run, which computes each result once."""
    return cache(lambda name: byrote.open_run(runs / name))


@pytest.fixture(scope="session")
def pages(opened):
    """Return a function from names of runs to their page, each made once."""

    @cache
    def page(*names, show_records=False, thresholds=()):
        handles = {name: opened(name) for name in names}
        return render(make_page(handles, show_records=show_records, thresholds=dict(thresholds)))

    return page
