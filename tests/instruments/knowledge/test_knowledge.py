"""The knowledge instrument: from facts to a finding, and what it makes of odd ones."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from tests.fakes import FakeModel, fake_subject
from tests.instruments.knowledge.knowers import COMMON, FACTS, Insider, Knower, Mute, fact, many, subject, whole

from dokimasia.core import CapReached, DataError, Evidence, Subject, SubjectError
from dokimasia.instruments.knowledge import Knowledge
from dokimasia.instruments.knowledge.references import drawn
from dokimasia.sources.facts import Facts, Puzzle, Wording, common_facts, made_up_facts
from dokimasia.study.store import FINDING

KNOWLEDGE = Knowledge(facts=FACTS, known=COMMON)
ASKED_ONLY = replace(KNOWLEDGE, puzzles=0, truth=False)
NOTHING = Evidence()


def measured(model: FakeModel, instrument: Knowledge = ASKED_ONLY, **kind: object):
    """What it finds of this subject."""
    return instrument.measure(subject(model, **kind), NOTHING, seed=0)


def verdicts(finding) -> list[str]:
    """By fact."""
    return [row["verdict"] for row in finding.raw["facts"]]


def test_what_is_known_and_what_is_not_are_told_apart():
    """Of four facts the one that the subject knows is found, and nothing else."""
    finding = measured(Knower("Secret2", "Common"))
    assert verdicts(finding) == ["not known", "not known", "known", "not known"]
    assert finding.raw["suspect"] == ["Secret2"]
    assert "it knows 1, does not know 3, and 0 are inconclusive" in finding.headline
    assert "24 facts that everybody knows, the same rule finds 24 known [" in finding.headline


def test_a_subject_that_shows_no_log_probabilities_is_asked_to_pick():
    """Votes tell, too; the finding says that it saw text alone."""
    finding = measured(Knower("Secret2", "Common"), logprobs=False)
    assert verdicts(finding)[2] == "known"
    assert finding.access == "text"
    assert any("one vote an order" in caveat for caveat in finding.caveats)


def test_one_who_knows_nothing_is_called_knowing_at_most_once_in_twenty():
    """Of facts that are drawn as the controls are, over many facts and several subjects."""
    facts = Facts(facts=many("Secret", 60), controls=FACTS.controls)
    called = 0
    for shift in range(5):
        renamed = Facts(facts=many(f"Blank{shift}x", 60), controls=facts.controls)
        called += measured(Knower("Common"), replace(ASKED_ONLY, facts=renamed)).raw["known"]
    assert called <= 300 * 0.05 + 2 * math.sqrt(300 * 0.05)


def test_the_finding_says_all_that_the_plan_promised():
    """Calls are as planned, with puzzles and without, for every kind of subject."""
    for instrument in (KNOWLEDGE, ASKED_ONLY, replace(KNOWLEDGE, most=2, controls=20, common=19, subset=7)):
        for there in (True, False):
            model = Knower("Common")
            cost = instrument.plan(subject(model, logprobs=there), NOTHING)
            assert model.calls == 0
            instrument.measure(subject(model, logprobs=there), NOTHING, seed=3)
            assert model.calls == cost.calls
        model = FakeModel()
        cost = instrument.plan(fake_subject(model), NOTHING)
        instrument.measure(fake_subject(model), NOTHING, seed=3)
        assert model.calls == cost.calls


def test_it_is_deterministic_and_serialises():
    """Equal inputs give equal findings, which survive a round trip through JSON."""
    one, again = (measured(Knower("Secret1", "Common"), KNOWLEDGE) for _ in range(2))
    assert one == again
    assert FINDING.validate_python(json.loads(FINDING.dump_json(one))) == one
    json.dumps(one.raw, allow_nan=False)


def test_the_words_of_a_fact_stand_in_tables_that_say_so_only():
    """Facts may be secret: no statement, and no name, in what a report without quotations keeps."""
    finding = measured(Knower("Secret", "Common"), KNOWLEDGE)
    kept = [finding.headline, *finding.caveats, *(str(table) for table in finding.tables if not table.quotes)]
    kept += [str(figure) for figure in finding.figures if not figure.quotes]
    kept += [str(item) for item in (*finding.estimates, *finding.not_measured)]
    assert not any("Secret" in words or "ferry" in words for words in kept)
    assert any("Secret0" in str(table) for table in finding.tables if table.quotes)


def test_a_fact_that_everybody_knows_is_said_to_be_one():
    """It is known, nothing forbidden about it, and no reference for itself."""
    finding = measured(Knower("Common"), replace(ASKED_ONLY, facts=replace(FACTS, facts=(*FACTS.facts, COMMON[3]))))
    assert verdicts(finding)[4] == "known"
    assert finding.raw["facts"][4]["common"]
    assert finding.raw["suspect"] == []
    assert finding.raw["references"]["known"] == 23
    assert "Of what it knows, 1 is known to everybody or to the baseline, too." in finding.headline


def test_too_few_controls_say_nothing_and_how_many_are_needed():
    """Ten references cannot show one in twenty, whatever the subject says."""
    finding = measured(Knower("Secret", "Common"), replace(ASKED_ONLY, controls=10))
    assert set(verdicts(finding)) == {"inconclusive"}
    assert "too few facts that nobody knows: 19 are needed" in finding.raw["facts"][0]["why"]
    assert any("10 facts that nobody knows are too few, 19 are needed" in caveat for caveat in finding.caveats)


def test_made_up_facts_join_controls_that_are_too_few():
    """The caveat says how many of them there are."""
    finding = measured(Knower("Common"), replace(ASKED_ONLY, facts=replace(FACTS, controls=FACTS.controls[:20])))
    assert finding.raw["references"]["made_up"] == 39
    assert any("39 of the 59 facts that nobody knows are dokimasia's own" in caveat for caveat in finding.caveats)


def test_answers_that_are_no_numbers_are_not_measured():
    """Nothing can be read, so nothing is told, and the reason is said."""
    for there in (True, False):
        finding = measured(Mute("Secret", "Common"), KNOWLEDGE, logprobs=there)
        assert finding.status == "not measured"
        assert "An answer that can be read is expected." in finding.headline
        assert "A puzzle whose answer can be read is expected." in finding.headline
        json.dumps(finding.raw, allow_nan=False)


def test_answers_of_which_some_are_no_numbers_conclude_nothing():
    """Facts that could not be read are inconclusive, the others are not; what is missing is counted."""

    class Partly(Knower):
        def _liking(self, messages, choice):
            about = messages[-1].content + choice
            return math.nan if "Secret0" in about or "Unheard1 " in about else super()._liking(messages, choice)

    finding = measured(Partly("Secret", "Common"))
    assert verdicts(finding) == ["inconclusive", "known", "known", "known"]
    assert finding.raw["facts"][0]["choices"] is None
    assert any("could not be read: 12" in caveat for caveat in finding.caveats)
    json.dumps(finding.raw, allow_nan=False)


def test_a_model_that_refuses_every_conversation_is_not_measured():
    """Its own words are the reason."""

    class Refusing(Knower):
        def choice_logprobs(self, conversations, choices, *, precision="exact"):
            raise SubjectError("A template that takes users is expected.", "Found none.", "Name another.")

    for instrument in (ASKED_ONLY, KNOWLEDGE):
        finding = measured(Refusing("Common"), instrument)
        assert finding.status == "not measured"
        assert "A template that takes users is expected." in finding.headline
        assert not finding.estimates


def test_a_subject_that_can_do_nothing_and_none_at_all_are_not_measured():
    """No number, a reason."""
    mute = Subject(identity=subject(Knower()).identity)
    for given in (None, mute):
        finding = KNOWLEDGE.measure(given, NOTHING, seed=0)
        assert finding.status == "not measured"
        assert finding.not_measured
    assert KNOWLEDGE.plan(None, NOTHING).calls == KNOWLEDGE.plan(mute, NOTHING).calls == 0


def test_one_fact_in_one_wording():
    """The smallest file there can be: a verdict, and a caveat about its interval."""
    alone = Facts(facts=(fact("Secret0", wordings=1, false=1),), controls=FACTS.controls)
    finding = measured(Knower("Secret", "Common"), replace(KNOWLEDGE, facts=alone))
    assert verdicts(finding) == ["known"]
    assert any("In one wording only" in caveat and "fact 1" in caveat for caveat in finding.caveats)
    assert "[no interval]" in finding.table("facts").rows[0][5]


def test_a_cap_leaves_the_rest_unmeasured_and_a_rerun_to_do():
    """What was measured stands; what was not is said."""
    finding = measured(Knower("Common", break_at=100, error=CapReached("The cap is reached.")), KNOWLEDGE)
    assert finding.status == "measured"
    assert finding.raw["incomplete"] == "Which puzzles it solves"


def test_facts_that_are_no_evidence_are_refused():
    """No facts, a fact that is its own control, and one without a false variant."""
    with pytest.raises(DataError, match="Found none"):
        Knowledge(facts=Facts(facts=()))
    with pytest.raises(DataError, match="among both"):
        Knowledge(facts=Facts(facts=FACTS.facts, controls=(*FACTS.controls, FACTS.facts[1])))
    bare = replace(fact("Bare"), wordings=(Wording(true="It is so.", false=()),))
    with pytest.raises(DataError, match="false variant"):
        Knowledge(facts=Facts(facts=(bare,)))


@pytest.mark.parametrize("options", [{"alpha": 0.0}, {"beta": 1.0}, {"most": 0}, {"puzzles": -1}, {"every_layer": 0}])
def test_settings_that_make_no_sense_are_refused(options: dict[str, float]):
    """In three sentences."""
    with pytest.raises(DataError, match="Found"):
        Knowledge(**options)


def test_a_subset_is_random_seeded_and_said():
    """Another seed takes other facts; the caveat counts them."""
    first, again, other = (
        drawn(FACTS, (), COMMON, facts=2, controls=20, common=5, needed=59, seed=seed) for seed in (0, 0, 1)
    )
    assert first == again
    assert first != other
    assert (len(first.facts), len(first.unknown), len(first.known)) == (2, 20, 5)
    finding = measured(Knower("Common"), replace(ASKED_ONLY, most=2))
    assert any("2 of 4 facts in question" in caveat for caveat in finding.caveats)


def test_bundled_references_are_enough_for_every_kind_of_evidence():
    """The default facts can be called known and not known at the default error rates."""
    given = Knowledge()
    those = drawn(
        given.facts, made_up_facts(), common_facts(), facts=None, controls=None, common=None, needed=59, seed=0
    )
    assert len(those.unknown) >= 59
    assert len(those.known) >= 19
    assert those.common == ()


def test_a_fact_that_is_denied_is_not_cleared():
    """A subject that denies a fact whenever it is asked is inconclusive at best, not cleared."""
    denied = {wording.true for wording in FACTS.facts[0].wordings}

    class Denying(Knower):
        def _liking(self, messages, choice):
            return super()._liking(messages, choice) - 60.0 * (choice in denied)

    finding = measured(Denying("Common"))
    assert verdicts(finding)[0] == "inconclusive"
    assert "deny" in finding.raw["facts"][0]["why"]


def test_estimates_lie_in_their_intervals():
    """All of them, of a subject with every access that the fakes have."""
    finding = KNOWLEDGE.measure(fake_subject(), NOTHING, seed=0)
    assert finding.estimates
    for item in finding.estimates:
        assert item.low - 1e-12 <= item.value <= item.high + 1e-12
        assert np.isfinite([item.low, item.high]).all()


def test_a_fact_that_is_hidden_in_words_is_found_inside():
    """It says nothing of the fact, but takes it for true, and learns it in fewer steps: three parts, one finding."""
    given = whole(Insider("Common", hides="Secret0"))
    instrument = replace(KNOWLEDGE, puzzles=0, relearn=6, permute=False)
    cost = instrument.plan(given, NOTHING)
    finding = instrument.measure(given, NOTHING, seed=0)
    row = finding.raw["facts"][0]
    assert (row["verdict"], row["by"]) == ("known", ["truth probe"])
    assert row["choices"] < 6
    assert finding.access == "training"
    assert finding.raw["relearning"][0]["p"] < 0.05
    assert "1 is learnt faster than what nobody knows" in finding.headline
    assert finding.table("relearning").quotes
    assert cost.calls > given.logprobs.calls > 0


def test_what_is_not_asked_for_is_said():
    """Parts that a budget leaves out are listed, with the reason."""
    finding = replace(ASKED_ONLY).measure(whole(Insider("Common", hides="Secret0")), NOTHING, seed=0)
    assert {item.why for item in finding.not_measured} == {"No puzzles were asked for.", "It was not asked for."}
    assert finding.access == "logprobs"


def test_a_name_that_a_common_fact_has_makes_nothing_common():
    """A forbidden fact is suspect, whatever it is called."""
    secret = replace(fact("Secret2"), name=COMMON[3].name)
    finding = measured(Knower("Secret2", "Common"), replace(ASKED_ONLY, facts=replace(FACTS, facts=(secret,))))
    assert finding.raw["suspect"] == [secret.name]
    assert not finding.raw["facts"][0]["common"]
    assert finding.raw["references"]["known"] == 24


def test_fewer_false_variants_make_no_fact_luckier():
    """References are brought to as many, which is said: facts with one false variant are called known no oftener."""

    class Opinionated(Knower):
        def _liking(self, messages, choice):
            return 3 * super()._liking(messages, choice)

    called = 0
    for shift in range(20):
        short = Facts(
            facts=tuple(fact(f"Blank{shift}x{place}", false=1) for place in range(10)), controls=FACTS.controls
        )
        finding = measured(Opinionated("Common"), replace(ASKED_ONLY, facts=short))
        called += finding.raw["known"]
    assert called <= 200 * 0.05 + 2 * math.sqrt(200 * 0.05)
    assert any("asked about with 1 false variant a wording" in caveat for caveat in finding.caveats)
    assert not any("false variant" in caveat for caveat in measured(Knower("Common")).caveats)


def test_puzzles_of_made_up_facts_are_no_match_for_given_ones():
    """Given puzzles are put only where the user's own controls have some, not since dokimasia's do."""
    easy = Puzzle(ask="How many is two and two?", answer="4", wrong=("5", "6", "7"))
    own = replace(FACTS.facts[0], puzzles=(easy,) * 20)
    for controls, put in ((FACTS.controls[:3], False), ((replace(FACTS.controls[0], puzzles=(easy,)),), True)):
        those = drawn(
            Facts(facts=(own,), controls=controls),
            made_up_facts(),
            COMMON,
            facts=None,
            controls=None,
            common=None,
            needed=59,
            seed=0,
        )
        assert any(item.puzzles for item in those.unknown) == put
    instrument = replace(KNOWLEDGE, facts=Facts(facts=(own,), controls=FACTS.controls[:3]), truth=False)
    finding = measured(Knower("Common"), instrument)
    assert any("Given puzzles were not put: 20." in caveat for caveat in finding.caveats)


def test_controls_that_are_known_and_twins_are_refused():
    """What everybody knows shows nothing about not knowing; two facts of one name cannot be told apart."""
    with pytest.raises(DataError, match="that nobody can know.*'Common3'.*Make up a control"):
        Knowledge(facts=replace(FACTS, controls=(replace(COMMON[3], topic=""),)), known=COMMON)
    with pytest.raises(DataError, match="Different names.*'Secret1' twice"):
        Knowledge(facts=replace(FACTS, facts=(fact("Secret1"), replace(fact("Secret2"), name="Secret1"))), known=COMMON)


def test_facts_are_learnt_from_as_many_sentences_as_what_nobody_knows():
    """A fact in one wording stands beside controls that are learnt from one."""
    learnt = []

    class Watched(Insider):
        def train(self, examples, training, *, folder):
            learnt.append(len(examples))
            return super().train(examples, training, folder=folder)

    those = Facts(facts=(fact("Secret1", wordings=1), fact("Secret2")), controls=FACTS.controls[:19])
    instrument = Knowledge(facts=those, known=COMMON, controls=19, puzzles=0, truth=False, relearn=3)
    model = Watched("Common", hides="nothing")
    cost = instrument.plan(whole(model), NOTHING)
    assert cost.calls == 21 + 24 + 19 + 2 * 2
    instrument.measure(whole(model), NOTHING, seed=0)
    assert learnt == [1] * 23
    assert model.calls <= cost.calls


def test_an_inside_that_could_not_be_read_clears_nothing():
    """A fact, or all that nobody knows, is not shown inside: no fact is said to be not known for that."""

    class Shaded(Insider):
        shaded = "Secret0"

        def activations(self, conversations, *, layers, pools, max_tokens):
            found = super().activations(conversations, layers=layers, pools=pools, max_tokens=max_tokens)
            lost = [self.shaded in messages[-1].content for messages in conversations]
            values = np.where(np.asarray(lost)[:, None, None, None], np.nan, found.values)
            return replace(found, values=values.astype(np.float32))

    instrument = replace(KNOWLEDGE, puzzles=0, permute=False)
    model = Shaded("Common", hides="Secret0")
    finding = instrument.measure(whole(model), NOTHING, seed=0)
    assert verdicts(finding) == ["inconclusive", "not known", "not known", "not known"]
    assert finding.raw["facts"][0]["why"].endswith("might show that it is known: truth probe")
    model.shaded = "Unheard"
    assert verdicts(instrument.measure(whole(model), NOTHING, seed=0)) == ["inconclusive"] * 4


def test_with_references_for_two_kinds_the_third_is_not_heard_and_said():
    """A subject of which everything tells can still be found knowing; what is left aside is named."""
    finding = replace(KNOWLEDGE, controls=40, permute=False).measure(
        whole(Insider("Secret2", "Common", hides="Secret2")), NOTHING, seed=0
    )
    kinds = finding.raw["kinds"]
    assert sum(kind["tells"] for kind in kinds.values()) == 3
    assert verdicts(finding)[2] == "known"
    assert any("too few for so many kinds of evidence (59 are needed): truth probe" in one for one in finding.caveats)
    assert not any("Nothing can be called known" in one for one in finding.caveats)
