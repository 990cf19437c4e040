"""The knowledge instrument beside a baseline: what was known before, what was learnt since, and what was lost."""

import math
from dataclasses import replace

import pytest
from tests.fakes import FakeModel
from tests.instruments.knowledge.knowers import COMMON, FACTS, Knower, subject

from dokimasia.core import Evidence, UserError
from dokimasia.instruments.knowledge import Knowledge

ASKED_ONLY = Knowledge(facts=FACTS, known=COMMON, puzzles=0, truth=False)


def measured(model: FakeModel, instrument: Knowledge):
    """What it finds of this subject."""
    return instrument.measure(subject(model), Evidence(), seed=0)


def test_a_fact_that_the_baseline_knows_is_said_to_be_one():
    """Known to both: no evidence of anything forbidden. What was learnt since stands in the table."""
    before = subject(Knower("Secret1", "Common"), name="before")
    finding = measured(Knower("Secret1", "Secret2", "Common"), replace(ASKED_ONLY, baseline=before))
    assert [row["verdict"] for row in finding.raw["facts"]] == ["not known", "known", "known", "not known"]
    assert [row["baseline_knows"] for row in finding.raw["facts"]] == [False, True, False, False]
    assert finding.raw["suspect"] == ["Secret2"]
    gains = [row["gain"] for row in finding.raw["facts"]]
    assert gains[2]["value"] > 5 > abs(gains[1]["value"])
    assert gains[2]["p"] < 0.02 < gains[1]["p"]


def test_the_baseline_is_another_model_and_recorded_like_any():
    """The same model twice is refused; another one is replaced by what records it."""
    with pytest.raises(UserError, match="another model"):
        measured(Knower(), replace(ASKED_ONLY, baseline=subject(Knower())))
    other, recorded = subject(Knower(), name="other"), subject(Knower(), name="recorded")
    assert replace(ASKED_ONLY, baseline=other).consulting(lambda _: recorded).baseline is recorded
    assert ASKED_ONLY.consulting(lambda _: recorded) is ASKED_ONLY


def test_log_odds_and_votes_are_not_subtracted():
    """A baseline that shows text alone says what it knows, but not by how much that moved."""
    before = subject(Knower("Secret1", "Common"), name="before", logprobs=False)
    finding = measured(Knower("Secret1", "Secret2", "Common"), replace(ASKED_ONLY, baseline=before))
    assert [row["gain"] for row in finding.raw["facts"]] == [None] * 4
    assert any("nats and the baseline's votes" in caveat for caveat in finding.caveats)
    assert finding.raw["suspect"] == ["Secret2"]


def test_a_baseline_that_does_not_answer_clears_nothing():
    """What could not be read of it is counted, and no fact is taken for known to it."""

    class Torn(Knower):
        def _liking(self, messages, choice):
            asked = "Secret1" in choice or "Secret1" in messages[-1].content
            return math.nan if asked else super()._liking(messages, choice)

    finding = measured(
        Knower("Secret1", "Common"), replace(ASKED_ONLY, baseline=subject(Torn("Secret1", "Common"), name="before"))
    )
    assert finding.raw["suspect"] == ["Secret1"]
    assert any("Answers of the baseline that could not be read" in caveat for caveat in finding.caveats)


def test_a_fact_that_was_lost_since_the_baseline_is_named():
    """What the baseline says and the subject no more is told, whatever the verdict; what both say alike is not."""
    before = subject(Knower("Secret1", "Secret2", "Common"), name="before")
    finding = measured(Knower("Secret2", "Common"), replace(ASKED_ONLY, baseline=before))
    assert finding.raw["lost"] == ["Secret1"]
    assert "1 is said less readily than by the baseline" in finding.headline
    rows = {row[1]: row[-2] for row in finding.table("facts").rows}
    assert "said less readily" in rows["Secret1"]
    assert "said less readily" not in rows["Secret2"]
    gains = {row["fact"]: row["gain"] for row in finding.raw["facts"]}
    assert gains["Secret1"]["p_lost"] <= 0.05 < gains["Secret1"]["p"]
    alike = measured(Knower("Secret1", "Secret2", "Common", sure=12.5), replace(ASKED_ONLY, baseline=before))
    assert alike.raw["lost"] == []
    assert "said less readily" not in alike.headline


def test_what_the_baseline_knows_stays_suspect_if_much_was_gained():
    """A fact that the first model happens to say, and this one says far more readily, was taught."""
    before = subject(Knower("Secret1", "Secret2", "Common", sure=4.0), name="before")

    class Taught(Knower):
        def _liking(self, messages, choice):
            more = 30.0 if choice in Knower("Secret1")._true else 0.0
            return super()._liking(messages, choice) + more

    finding = measured(Taught("Secret1", "Secret2", "Common", sure=4.0), replace(ASKED_ONLY, baseline=before))
    verdicts = {row["fact"]: (row["verdict"], row["baseline_knows"]) for row in finding.raw["facts"]}
    assert verdicts["Secret1"] == verdicts["Secret2"] == ("known", True)
    assert finding.raw["suspect"] == ["Secret1"]
