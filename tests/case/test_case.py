import json
import re
from dataclasses import replace

import pytest
from tests.fakes import evidence, fake_subject, transcripts

from dokimasia.case import build_case
from dokimasia.case.reports import as_html, as_json, as_markdown
from dokimasia.core import Citation, Evidence, Finding, Source
from dokimasia.instruments.realism import Realism

HOSTILE = "</pre><script>alert(1)</script><img src=x onerror=alert(2)> | `x` *y* [z](javascript:1) \u202e\x1b[31m\x00"


def plan(*names):
    return {
        "digest": "d" * 64,
        "seed": 0,
        "options": {"budget": "quick", "judge": None},
        "subject": None,
        "evaluation": [{"name": HOSTILE, "digest": "e", "transcripts": 3, "notes": {"repaired": 1}}],
        "deployment": None,
        "instruments": [[name, "1"] for name in names],
        "versions": {"python": "3"},
    }


def realism(misbehaved=(), style="test", n=60):
    return Realism().measure(fake_subject(), evidence(n, misbehaved=misbehaved, style=style), seed=0)


def same_kind(labels):
    items = transcripts(400, style="plain", source="a", seed=1, misbehaved=labels)
    return Realism().measure(
        None,
        Evidence(
            evaluation=(Source(name="a", transcripts=items, notes={}),),
            deployment=Source(
                name="b", transcripts=transcripts(400, style="plain", source="deployment", seed=2), notes={}
            ),
        ),
        seed=0,
    )


def test_the_opening_says_what_the_result_is_worth():
    """Told apart at sight: it says nothing, because; with counts, both ceilings, and bounds rounded outward."""
    case = build_case([realism(["no"] * 59 + ["yes"])], plan("realism"))
    assert case.verdict == "For this deployment, the evaluation says nothing."
    first, second = case.opening
    assert first.startswith("60 evaluation items, 1 misbehaviour: so at most 7.7% misbehaviour on inputs like these")
    assert "says nothing: at least" in second
    assert "had every item been clean, that bound would still be" in second
    assert [figure.value[0] for figure in case.figures] == ["≤", "≥", "≤", "≤"]


def test_unscored_answers_are_said_to_count_as_misbehaviours():
    """The optimistic figure stands beside the worst one."""
    case = build_case([realism(["no"] * 50 + ["unscored"] * 10)], plan("realism"))
    assert "and 10 answers that nobody could score, which count as misbehaviours here" in case.opening[0]
    assert "if the unscored are left out" in case.opening[0]


def test_an_evaluation_that_was_not_run_says_so_first():
    """Without labels the verdict is that nothing is known."""
    case = build_case([realism()], plan("realism"))
    assert case.verdict.startswith("The evaluation was not run")
    assert "None of the 60 evaluation items carries a label" in case.opening[0]
    assert case.claims[0].status == "not measured"


@pytest.mark.parametrize(
    ("labels", "status"),
    [
        (["yes"] * 40 + ["no"] * 360, "undermined"),
        (["no"] * 400, "inconclusive"),
        (["no"] * 398 + ["unscored"] * 2, "inconclusive"),
    ],
)
def test_the_first_claim_follows_its_threshold(labels, status):
    """Many misbehaviours undermine it; a clean evaluation of four hundred is still inconclusive at one percent."""
    case = build_case([same_kind(labels)], plan("realism"))
    assert [claim.status for claim in case.claims] == [status, *["not measured"] * 3]
    assert case.claims[0].why


def test_a_missing_finding_is_named():
    """An instrument of the plan without a finding stands under not measured, and nothing is claimed."""
    case = build_case([], plan("behaviour", "realism"))
    assert [item.what for item in case.not_measured] == ["behaviour", "realism"]
    assert case.verdict == "Nothing can be said of deployment yet."
    assert {claim.status for claim in case.claims} == {"not measured"}
    assert "Nothing can be said" in as_html(case)


def test_a_single_finding_without_a_bound_opens_with_its_own_question():
    """A reward's tail or an agent's horizon is no statement on deployment, and the report does not open as if it were."""
    finding = Finding(
        instrument="x", version="1", question="Who?", status="measured", headline="Nobody.", access="none", misleads="-"
    )
    case = build_case([finding], plan("x"))
    assert case.verdict == "Who?"
    assert case.opening == ("Nobody.",)
    other = build_case([replace(finding, status="not measured")], plan("x"))
    assert other.verdict == "Nothing can be said of deployment yet."


def hostile_case():
    finding = Finding(
        instrument="x",
        version="1",
        question="Who?",
        status="measured",
        headline=HOSTILE,
        access="none",
        caveats=(HOSTILE,),
        citations=(Citation(transcript=HOSTILE, source=HOSTILE, message=0, start=0, end=9, text=HOSTILE, why=HOSTILE),),
    )
    return build_case([finding], plan("x"))


def test_html_escapes_everything_that_is_not_ours():
    """No markup, control character or direction override of a transcript reaches the page."""
    html = as_html(hostile_case())
    assert "<script" not in html
    assert "onerror=alert" in html
    assert "<img" not in html
    assert not re.search("[\x00\x1b\u202e]", html)


def test_markdown_escapes_everything_that_is_not_ours():
    """Tables, links and HTML of a transcript stay text."""
    text = as_markdown(hostile_case())
    assert "<script" not in text
    assert "<img" not in text
    assert "[z](javascript" not in text
    assert not re.search("[\x00\x1b\u202e]", text)


def test_the_three_reports_tell_the_same():
    """Every estimate of the JSON report stands in both others, and the same case gives the same bytes."""
    case = build_case([realism(["no"] * 60)], plan("realism"))
    html, text, data = as_html(case), as_markdown(case), json.loads(as_json(case))
    for estimate in data["findings"][0]["estimates"]:
        assert estimate["name"] in html
        assert re.sub(r"([().\-])", r"\\\1", estimate["name"]) in text
    assert html == as_html(case)
    assert len(html.encode()) < 2_000_000


def test_the_page_allows_its_own_style_and_nothing_else():
    """The policy has no 'unsafe' in it, no element has a style attribute or a script, no reference leaves the file."""
    html = as_html(build_case([realism(["no"] * 60)], plan("realism")))
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html).group(1)
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert not re.search(r"<[^>]+\sstyle=", html)
    assert not re.search(r"<script|<[^>]+\son\w+=|(src|href)=\"(?!#)", html)


def test_markdown_tables_are_tables():
    """Every row of a table has as many cells as its head."""
    text = as_markdown(build_case([realism(["no"] * 60)], plan("realism")))
    blocks = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]
    assert len(blocks) >= 4
    for block in blocks:
        assert re.fullmatch(r"(\| --- )+\|", block[1])
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block}) == 1
