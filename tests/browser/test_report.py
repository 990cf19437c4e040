"""The report in a real browser, opened from disk."""

import os
import shutil
from pathlib import Path

import pytest
from tests.fakes import FakeModel, fake_subject

from dokimasia.study import audit as audits

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None and not os.environ.get("CI"), reason="no Chromium on this machine"),
]


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audits, "load_subject", lambda name: fake_subject(FakeModel(), name=f"fake-{name}"))
        audits.audit("m", run=folder)
    return folder / "report.html"


@pytest.fixture(scope="module")
def chromium():
    from playwright.sync_api import sync_playwright

    assert CHROMIUM, "Chromium is expected where CI is set; `make test` installs it as root"
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync", "--no-first-run"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


VIEWS = {
    "desk, light": {"viewport": {"width": 1200, "height": 900}, "color_scheme": "light"},
    "phone, dark": {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark", "is_mobile": True},
}


@pytest.mark.parametrize("view", VIEWS)
def test_it_opens_from_disk_with_nothing_but_itself(chromium, report, view):
    """Figures are drawn, the console is silent, nothing is requested, nothing sticks out sideways."""
    context = chromium.new_context(**VIEWS[view])
    page = context.new_page()
    messages, requests = [], []
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(report.as_uri())
    assert messages == []
    assert requests == [report.as_uri()]
    figures = page.locator("figure svg")
    assert figures.count() == 4
    for index in range(figures.count()):
        box = figures.nth(index).bounding_box()
        assert box["width"] > 250
        assert box["height"] > 60
    assert page.evaluate("document.documentElement.scrollWidth") <= page.evaluate("window.innerWidth")
    markers = page.locator("figure svg use")
    assert markers.count() > 10
    assert markers.first.bounding_box()["width"] > 0
    context.close()


def test_the_style_sheet_is_in_force_in_both_colours(chromium, report):
    """The policy lets the page's own style through, and ink follows the colour scheme."""
    colours = []
    for scheme in ("light", "dark"):
        context = chromium.new_context(color_scheme=scheme)
        page = context.new_page()
        page.goto(report.as_uri())
        colours.append(
            page.evaluate(
                "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color,"
                " getComputedStyle(document.querySelector('figure svg text')).fill]"
            )
        )
        context.close()
    assert colours[0] != colours[1]
    for background, ink, label in colours:
        assert background != ink == label


def test_it_prints(chromium, report, tmp_path):
    """Paper gets every page."""
    page = chromium.new_page()
    page.goto(report.as_uri())
    assert len(page.pdf(path=str(tmp_path / "report.pdf"), format="A4")) > 20_000
