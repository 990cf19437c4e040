"""The report in a real browser, opened from disk."""

import os
import shutil
from pathlib import Path

import pytest
from tests.fakes import FakeModel
from tests.study.small import small, steerable

from dokimasia.case import build_case
from dokimasia.case.reports import as_html
from dokimasia.core import Citation, Estimate, FigureData, Finding, Table
from dokimasia.core.figure import interval_dots
from dokimasia.study import audit as audits
from dokimasia.study.run import open_run

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None and not os.environ.get("CI"), reason="no Chromium on this machine"),
]


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audits, "load_subject", lambda name, *_: steerable(FakeModel(), name=f"fake-{name}"))
        small(patch.setattr)
        audits.audit("m", run=folder)
    return folder / "report.html"


@pytest.fixture(scope="module")
def drawn(report) -> int:
    """Figures that the findings of the run hold."""
    return sum(len(finding.figures) for finding in open_run(report.parent).findings)


@pytest.fixture(scope="module")
def chromium():
    from playwright.sync_api import sync_playwright

    assert CHROMIUM, "Chromium is expected where CI is set; `make test` installs it as root"
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync", "--no-first-run"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


LOADING = 120_000
"""Milliseconds that a page may take to open on a busy machine."""
VIEWS = {
    "desk, light": {"viewport": {"width": 1200, "height": 900}, "color_scheme": "light"},
    "phone, dark": {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark", "is_mobile": True},
}


@pytest.fixture(scope="module")
def shared(report) -> Path:
    return audits.report_on(report.parent, text=False)


@pytest.mark.parametrize("view", VIEWS)
def test_without_text_it_opens_as_well_and_says_so_above_the_title(chromium, shared, drawn, view):
    """The notice is in sight before any scrolling, the figures are there, nothing sticks out sideways."""
    context = chromium.new_context(**VIEWS[view])
    page = context.new_page()
    messages = []
    page.on("console", lambda message: messages.append(message.text))
    page.goto(shared.as_uri(), timeout=LOADING)
    assert messages == []
    notice, title = page.locator(".notice"), page.locator("h1")
    assert "left out of this report on purpose" in notice.inner_text()
    assert notice.bounding_box()["y"] < title.bounding_box()["y"] < VIEWS[view]["viewport"]["height"]
    assert page.locator("figure svg").count() == drawn
    assert page.locator("blockquote").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= page.evaluate("window.innerWidth")
    context.close()


@pytest.mark.parametrize("view", VIEWS)
def test_it_opens_from_disk_with_nothing_but_itself(chromium, report, drawn, view):
    """Figures are drawn, the console is silent, nothing is requested, nothing sticks out sideways."""
    context = chromium.new_context(**VIEWS[view])
    page = context.new_page()
    messages, requests = [], []
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(report.as_uri(), timeout=LOADING)
    assert messages == []
    assert requests == [report.as_uri()]
    figures = page.locator("figure svg")
    assert figures.count() == drawn > 8
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
        page.goto(report.as_uri(), timeout=LOADING)
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


def test_hostile_text_stays_text(chromium, tmp_path):
    """Markup in every place of a finding, of the plan and of a figure: no element, no dialogue, no request comes of it."""
    hostile = "</pre><script>alert(1)</script><img src=http://x.invalid/ onerror=alert(2)>$\\frac{"
    estimate = Estimate(
        name=hostile, value=0.5, low=0.4, high=0.6, level=0.95, n=9, unit="share", direction=hostile, method=hostile
    )
    finding = Finding(
        instrument="x",
        version=hostile,
        question=hostile,
        status="measured",
        headline=hostile,
        access="none",
        estimates=(estimate,),
        tables=(Table(name="t", title=hostile, columns=(hostile,), rows=((hostile,),), note=hostile),),
        figures=(
            FigureData(
                name="f",
                title=hostile,
                kind="dots",
                x_label=hostile,
                y_label="",
                series=(interval_dots(hostile, [(0, 0.5, 0.4, 0.6)]),),
                rows=(hostile,),
                caption=hostile,
            ),
        ),
        citations=(Citation(transcript=hostile, source=hostile, message=0, start=0, end=9, text=hostile, why=hostile),),
        caveats=(hostile,),
    )
    described = {"name": hostile, "digest": hostile, "transcripts": 1, "notes": {hostile: 1}}
    plan = {
        "digest": "d",
        "seed": 0,
        "options": {hostile: hostile},
        "subject": {"name": hostile, "digest": "d", "parameters": 0, "dtype": "endpoint", "threads": 0},
        "evaluation": [described],
        "deployment": described,
        "instruments": [["x", "1"], [hostile, "1"]],
        "versions": {hostile: hostile},
        "stopped": hostile,
    }
    path = tmp_path / "report.html"
    path.write_text(as_html(build_case([finding], plan)), encoding="utf-8")
    page = chromium.new_page()
    acted, requests = [], []
    page.on("dialog", lambda dialog: (acted.append(dialog.message), dialog.dismiss()))
    page.on("console", lambda message: acted.append(message.text))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.as_uri(), timeout=LOADING)
    assert acted == []
    assert requests == [path.as_uri()]
    assert page.locator("script, img, iframe, a, form").count() == 0
    assert page.locator("section").count() == 1


def test_it_prints(chromium, report, tmp_path):
    """Paper gets every page."""
    page = chromium.new_page()
    page.goto(report.as_uri(), timeout=LOADING)
    assert len(page.pdf(path=str(tmp_path / "report.pdf"), format="A4")) > 20_000
