"""Pages in a real browser without a network: policy, keyboard, links, sorting, accessibility."""

import os
import shutil
from functools import cache, partial

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
WIDTHS = (400, 800, 1400)
pytestmark = pytest.mark.skipif(
    CHROMIUM is None and os.environ.get("CI") != "true",
    reason="Chromium is not installed (apt-get install chromium)",
)


@pytest.fixture(scope="module")
def open_page(pages, tmp_path_factory):
    """Open the page of runs without a network; note whatever it requests or complains of."""
    folder, complaints = tmp_path_factory.mktemp("pages"), []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        contexts = {
            script: browser.new_context(offline=True, java_script_enabled=script)
            for script in (True, False)
        }

        def open_page(*names, scheme="light", script=True, **options):
            file = folder / f"{'-'.join(names)}-{'-'.join(options)}.html"
            file.write_bytes(pages(*names, **options))
            page = contexts[script].new_page()
            page.set_viewport_size({"width": WIDTHS[-1], "height": 900})
            page.emulate_media(color_scheme=scheme)
            page.on("console", lambda message: complaints.append(message.text))
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("dialog", lambda dialog: complaints.append(dialog.message))
            page.on("request", lambda request: _allowed(request.url, file, complaints))
            page.goto(file.as_uri())
            return page

        open_page.complaints = complaints
        yield open_page
        browser.close()


def _allowed(url, file, complaints):
    if not url.startswith((file.as_uri(), "data:image/png;base64,")):
        complaints.append(f"requested {url}")


@pytest.fixture
def visit(open_page):
    """Open a page; whatever it requests or complains of fails."""
    opened = []

    def visit(*names, **options):
        opened.append(open_page(*names, **options))
        return opened[-1]

    yield visit
    for page in opened:
        page.close()
    assert open_page.complaints == []


@pytest.fixture(scope="module")
def loaded(open_page):
    """Return a function from a run to its page with records, which tests share and leave usable."""
    return cache(partial(open_page, show_records=True))


@pytest.fixture
def shared(loaded, open_page):
    def shared(name):
        page = loaded(name)
        page.bring_to_front()  # what is behind another page is drawn once a second
        return page

    yield shared
    assert open_page.complaints == []


@pytest.mark.parametrize(
    ("names", "scheme"),
    [(("images", "wide"), "light"), (("images",), "dark"), (("canaries",), "light")],
)
def test_a_page_fits_its_window_hostile_texts_run_nothing_and_axe_finds_nothing(
    visit, names, scheme
):
    page = visit(*names, scheme=scheme, show_records=True)
    assert "pwned" not in page.title()
    assert page.locator("body script").count() == 2
    assert page.locator("h1", has_text="taken over").count() == 0
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    # axe takes a second for each 2,000 elements; rows of a table are alike
    page.evaluate("document.querySelectorAll('tbody tr:nth-child(n+7)').forEach(r => r.remove())")
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [(rule["id"], rule["impact"], rule["nodes"][0]["html"]) for rule in found] == []


@pytest.mark.parametrize("kind", ["images", "canaries"])
def test_every_mark_is_reached_by_keyboard_and_described(shared, kind):
    page = shared(kind)
    marks = page.locator("svg.wide a")
    texts = page.evaluate(
        "[...document.querySelectorAll('svg.wide a')].map(a => a.getAttribute('aria-label'))"
    )
    assert marks.count() > 2
    assert all(texts)
    assert page.evaluate(
        """() => [...document.querySelectorAll('svg.wide [aria-label]')].every((mark) => {
          mark.focus();
          return document.activeElement === mark;
        })"""
    )


def test_a_mark_shows_its_records_and_leads_to_one(shared):
    page = shared("images")
    first = page.locator("svg.wide a").first
    first.focus()
    page.keyboard.press("Enter")
    assert page.locator(".pick:visible").count() == 1
    before = page.locator(".pick:visible h4").inner_text()
    page.keyboard.press("ArrowRight")
    assert page.locator(".pick:visible h4").inner_text() != before
    page.locator("svg.wide a").last.press("Enter")  # the highest score, which was found
    link = page.locator(".pick:visible a").first
    target = link.get_attribute("href")
    link.click()
    assert page.locator(f"tr{target}").is_visible()


def test_tables_sort_by_numbers_and_fold(shared):
    page = shared("images")
    table = page.locator("table.sortable").first
    column = table.locator("thead th").all_inner_texts().index("q")
    button = table.locator("thead button", has_text="q").last
    cells = f"tbody tr td:nth-child({column + 1})"
    button.click()
    falling = [float(text) for text in table.locator(cells).all_inner_texts()]
    assert falling == sorted(falling, reverse=True)
    button.click()
    rising = [float(text) for text in table.locator(cells).all_inner_texts()]
    assert rising == sorted(rising)


def test_a_filter_keeps_the_rows_with_a_name(shared):
    page = shared("canaries")
    name = page.get_by_label("Show only names with").first
    name.fill("canary-03")
    assert page.locator("table.sortable tbody tr:visible").count() == 1
    name.fill("")
    assert page.locator("table.sortable tbody tr:visible").count() > 1


def test_marks_work_without_the_script(visit):
    page = visit("images", script=False)
    assert page.locator(".pick:visible").count() == 0
    page.locator("svg.wide a").first.click()
    assert page.locator(".pick:visible").count() == 1


def test_a_printed_page_shows_the_numbers_of_its_figures(shared):
    page = shared("images")
    page.emulate_media(media="print")
    assert page.locator("figure details table").first.is_visible()
    assert not page.locator("nav").first.is_visible()
    page.emulate_media(media="screen")
