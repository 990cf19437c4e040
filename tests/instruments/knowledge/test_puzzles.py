"""Puzzles as a sequential test: its error rates, what is missing, what a baseline solves, and who hides."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import bdtrik
from tests.fakes import FakeModel, fake_subject
from tests.instruments.knowledge.knowing import MARK, Thinker, chance, fact, facts, subject

from dokimasia.core import DataError, Subject, SubjectError
from dokimasia.instruments.knowledge.generated import generated
from dokimasia.instruments.knowledge.hiding import (
    hiding_facts,
    hiding_figure,
    hiding_puzzles,
    unseen_from,
)
from dokimasia.instruments.knowledge.puzzles import planned_puzzles, put_puzzles
from dokimasia.instruments.knowledge.solving import solve
from dokimasia.sources.facts import Fact, Puzzle
from dokimasia.stats import SequentialTest

FACTS, CONTROLS, KNOWN = facts("fact", 10), facts("control", 25), facts("known", 25)
NAMES = [item.name for item in FACTS]
COMMON = [item.name for item in KNOWN]
RUNS = 100


def put(model: Thinker, *, those=FACTS, text=False, **options):
    return put_puzzles(subject(model, text=text), those, CONTROLS, KNOWN, **{"seed": 0, "each": 1} | options)


@pytest.fixture(scope="module")
def unknowing():
    return [put(Thinker(COMMON, whim=run), seed=run) for run in range(RUNS)]


def test_false_alarms_are_within_their_statement(unknowing):
    """A subject that thinks something of each fact, and sticks to it, alarms in at most alpha of runs."""
    assert all(result.test for result in unknowing)
    alarms = sum(result.pooled.verdict == "alarm" for result in unknowing)
    assert alarms <= bdtrik(0.999, RUNS, 0.05)
    singles = [single.verdict for result in unknowing for single in result.singles]
    assert singles.count("alarm") <= bdtrik(0.999, len(singles), 0.05)


def test_counting_puzzles_as_trials_would_alarm_far_more_often():
    """The same subject's puzzles of one fact stand or fall together: a test that takes them for trials alarms too often."""
    test = SequentialTest(null=0.35, alternative=0.9)
    alarms = 0
    for item in facts("fact", 120):
        tried = solve(subject(Thinker()), generated(item, 0)[:10], seed=0).tried
        alarms += test.decide([float(2 * one.solved > one.put) for one in tried]).verdict == "alarm"
    assert alarms / 120 > 0.12


def test_who_knows_and_plays_straight_is_found():
    """All-clears of a subject that knows all facts are as rare as stated, and alarms as frequent."""
    results = [put(Thinker([*COMMON, *NAMES], whim=run), seed=run) for run in range(40)]
    verdicts = [result.pooled.verdict for result in results]
    assert verdicts.count("clear") == 0
    assert verdicts.count("alarm") / 40 >= np.mean([result.pooled.power for result in results]) - 0.15
    assert verdicts.count("alarm") >= 20


def test_who_hides_half_is_found_as_often_as_stated():
    """Alarms about a subject that hides half of the facts come as often as the exact power at the true rates says."""
    results = [put(Thinker(COMMON, secret=NAMES, hiding=0.5, whole=True, whim=run), seed=run) for run in range(60)]
    expected = [result.test.passage(0.5 * 0.28 + 0.5, longest=len(FACTS)).alarm for result in results]
    found = np.mean([result.pooled.verdict == "alarm" for result in results])
    assert abs(found - np.mean(expected)) < 0.2
    assert np.mean([hiding_facts(result.test, len(FACTS), 0.5) for result in results]) < found + 0.1


def test_stated_rates_are_those_of_the_test_that_was_run(unknowing):
    """They are exact for so many facts and these two rates, which are the careful ends of their intervals."""
    result = unknowing[0]
    assert result.test.null == result.null.interval.high
    assert result.test.alternative == result.alternative.interval.low
    assert result.pooled.false_alarm == result.test.passage(result.test.null, longest=len(FACTS)).alarm <= 0.05
    assert result.puzzles == sum(len(item.tried) for item in result.facts)


def test_no_single_fact_alarms_with_few_controls():
    """With n controls the least chance is 1/(n + 1)."""
    found = put_puzzles(subject(Thinker([*COMMON, *NAMES])), FACTS, CONTROLS[:10], KNOWN, seed=0, each=1)
    assert min(single.p for single in found.singles) >= 1 / 11
    assert all(single.verdict != "alarm" for single in found.singles)


def test_a_single_fact_alarms_where_luck_cannot_solve_everything():
    """Given puzzles with separate answers make a single fact tell, as controls have such ones, too."""

    def gated(item: Fact) -> Fact:
        asks = [(f"Which code has {item.name}-{place}?", place) for place in range(6)]
        return replace(
            item,
            puzzles=tuple(
                Puzzle(ask=f"{ask} {item.name}v0", answer="alpha", wrong=("beta", "gamma")) for ask, _ in asks
            ),
        )

    class Solver(Thinker):
        def _take(self, text, options):
            asked = text.split("?")[0]
            if "Which code has" in text and not any(f" {name}-" in asked for name in self.knows):
                return options[hash_of(text) % 3]
            return "alpha" if "Which code has" in text else super()._take(text, options)

    def hash_of(text: str) -> int:
        return sum(map(ord, text.split("Reply", maxsplit=1)[0]))

    first, *others = FACTS
    found = put_puzzles(
        subject(Solver([*COMMON, first.name])),
        [gated(first), *map(gated, others)],
        [gated(item) for item in CONTROLS],
        [gated(item) for item in KNOWN],
        seed=0,
        each=1,
    )
    assert [single.outcome.fact for single in found.singles if single.verdict == "alarm"] == [first.name]
    assert found.unmatched == 0


def test_what_is_missing_weakens_either_verdict():
    """Replies that cannot be read count as unsolved for an alarm, as solved for an all-clear, and widen both rates."""
    whole, broken = (put(Thinker(COMMON, broken=share), each=2) for share in (0.0, 0.3))
    assert whole.pooled.verdict == "clear"
    assert sum(item.missing for item in broken.facts) > 0
    assert broken.null.interval.high >= whole.null.interval.high
    assert broken.alternative.interval.low < whole.alternative.interval.low
    silent = put(Thinker([*COMMON, *NAMES], broken=1.0))
    assert silent.test is None
    assert "could be read" in silent.why
    assert all(single.verdict == "undecided" for single in silent.singles)


def test_missing_facts_are_never_cleared():
    """A subject that answers about everything but the facts in question is not cleared of them."""

    class Silent(Thinker):
        def _take(self, text, options):
            return None if "fact" in text and chosen(text) else super()._take(text, options)

    def chosen(text: str) -> bool:
        return "fact1" not in text

    found = put(Silent(COMMON))
    assert found.pooled.verdict == "undecided"
    assert all(single.verdict != "clear" for single in found.singles if single.outcome.missing)


def test_overlapping_rates_make_no_test():
    """A subject that knows nothing, or guesses everything, gets no verdict, and both rates as the reason."""
    for model in (Thinker(()), Thinker([*COMMON, *NAMES, *(item.name for item in CONTROLS)]), Thinker(habit=0)):
        found = put(model)
        assert found.test is None
        assert found.pooled is None
        assert found.why.startswith("Puzzles do not tell what this subject knows")
        assert hiding_figure(found) is None
        assert unseen_from(found) is None


@pytest.mark.parametrize(
    ("those", "controls", "known", "what"),
    [((), CONTROLS, KNOWN, "in question"), (FACTS, (), KNOWN, "controls"), (FACTS, CONTROLS, (), "everybody")],
)
def test_without_a_kind_of_facts_there_is_no_test(those, controls, known, what):
    """The reason names the kind that is missing."""
    found = put_puzzles(subject(Thinker(COMMON)), those, controls, known, seed=0)
    assert found.test is None
    assert what in found.why


def test_a_fact_that_is_its_own_control_is_refused():
    """By its name or by one of its sentences."""
    for control in (FACTS[3], replace(FACTS[3], name="other")):
        with pytest.raises(DataError, match="Found 'fact3' among both"):
            put_puzzles(subject(Thinker()), FACTS, (*CONTROLS, control), KNOWN, seed=0)


def test_a_puzzle_that_the_baseline_solves_is_left_out_and_said():
    """One puzzle is solvable without the fact, one is not; where the baseline does not answer it might be."""
    easy = Puzzle(ask="The code is easy1v0.", answer="easy1v0", wrong=("easy1v1",))
    hard = Puzzle(ask="The code is fact0v0?", answer="fact0v0", wrong=("fact0v1", "fact0v2"))
    those = (replace(FACTS[0], puzzles=(easy, hard)), *FACTS[1:])
    never = next(whim for whim in range(99) if not solved_by_luck(hard, whim))
    baseline = Thinker([*COMMON, "easy1"], whim=never)
    found = put(Thinker([*COMMON, *NAMES, "easy1"]), those=those, baseline=subject(baseline))
    assert [item.ask for item in found.left_out] == [easy.ask]
    first = next(item for item in found.facts if item.fact == "fact0")
    assert len(first.tried) == len(found.facts[1].tried) + 1
    silent = put(Thinker(COMMON), those=those, baseline=subject(Thinker(broken=1.0)))
    assert {item.ask for item in silent.left_out} == {easy.ask, hard.ask}


def solved_by_luck(puzzle: Puzzle, whim: int) -> bool:
    (tried,) = solve(subject(Thinker(whim=whim)), (puzzle,), seed=0).tried
    return tried.solved > 0


def test_given_puzzles_that_nothing_is_like_are_not_put():
    """Without a baseline, and without given puzzles of controls, nobody knows how often they are solved without the fact."""
    those = (replace(FACTS[0], puzzles=(Puzzle(ask="fact0v0?", answer="fact0v0"),)), *FACTS[1:])
    found = put(Thinker(COMMON), those=those)
    assert found.unmatched == 1
    assert len(found.facts[0].tried) == len(found.facts[1].tried)


def test_the_change_since_the_baseline():
    """A subject that learned the facts differs from the baseline in them and not in controls; one that did not, does not."""
    baseline = subject(Thinker(COMMON, whim=1))
    learned, same = (put(Thinker(names, whim=1), baseline=baseline) for names in ([*COMMON, *NAMES], COMMON))
    assert learned.change.low > 0
    assert same.change.low < 0 < same.change.high
    assert all(single.baseline.fact == single.outcome.fact for single in learned.singles)


def test_free_replies_are_read_for_the_answer():
    """A puzzle without wrong answers is solved by a reply that holds the answer; without text it is missing."""
    puzzle = Puzzle(ask="thev0?", answer="idea")
    assert solve(subject(Thinker(), text=True), (puzzle,), seed=0).tried[0].solved == 1
    assert solve(subject(Thinker()), (puzzle,), seed=0).tried[0].missing == 1


def test_a_subject_of_text_alone_gets_the_same_verdicts():
    """Who shows no log-probabilities is read by the option that it names; failed requests are counted."""
    assert put(Thinker([*COMMON, *NAMES]), text=True).pooled.verdict == "alarm"
    assert put(Thinker(COMMON), text=True).pooled.verdict == "clear"
    assert put(Thinker(COMMON, broken=0.2), text=True).failed > 0


def test_a_subject_that_can_be_asked_nothing_is_said():
    """It makes no call and gives the reason."""
    nobody = Subject(identity=subject(Thinker()).identity)
    found = put_puzzles(nobody, FACTS, CONTROLS, KNOWN, seed=0)
    assert (found.access, found.why[:11]) == ("none", "The subject")
    assert planned_puzzles(nobody, FACTS, CONTROLS, KNOWN).calls == 0


def test_a_conversation_that_is_refused_is_missing():
    """A template that refuses everything leaves every puzzle missing, and no test."""

    class Refusing(Thinker):
        def choice_logprobs(self, conversations, choices, *, precision="exact"):
            raise SubjectError("A", "B", "C")

    found = put(Refusing())
    assert all(item.missing == item.put for item in found.facts)
    assert found.test is None


@pytest.mark.parametrize("each", [1, 4, 30])
def test_the_plan_is_what_is_called(each):
    """Calls planned are calls made, free replies and a baseline included."""
    free = (replace(FACTS[0], puzzles=(Puzzle(ask="Who?", answer="I"),)), FACTS[1])
    model, other = FakeModel(), FakeModel()
    asked, baseline = fake_subject(model), fake_subject(other)
    planned = planned_puzzles(asked, free, CONTROLS[:3], KNOWN[:3], baseline=baseline, each=each, seed=4)
    put_puzzles(asked, free, CONTROLS[:3], KNOWN[:3], baseline=baseline, each=each, seed=4)
    assert planned.calls == model.calls + other.calls
    assert planned.tokens > 0


def test_the_same_seed_gives_the_same_result():
    """And another one another order."""
    first, again, other = (put(Thinker(COMMON), seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first.order != other.order


def test_an_option_that_begins_another_is_closed():
    """Its probability would be in both: both end with a full stop."""
    seen = []

    class Seeing(Thinker):
        def choice_logprobs(self, conversations, choices, *, precision="exact"):
            seen.extend(choices)
            return super().choice_logprobs(conversations, choices)

    solve(subject(Seeing(habit=0)), (Puzzle(ask="?", answer="of av0", wrong=("of av0 too",)),), seed=0)
    assert {option for options in seen for option in options} == {"of av0.", "of av0 too."}


def test_power_falls_with_hiding(unknowing):
    """From the stated power at none to the false alarms at all; and it is one half where it is said to be."""
    result = next(item for item in unknowing if item.pooled.power > 0.8)
    figure = hiding_figure(result)
    facts_hidden, puzzles_hidden, _ = figure.series
    for series in (facts_hidden, puzzles_hidden):
        assert series.y[0] == pytest.approx(result.pooled.power)
        assert series.y[-1] == pytest.approx(result.pooled.false_alarm)
        assert all(np.diff(series.y) <= 1e-12)
    half = unseen_from(result)
    assert hiding_facts(result.test, len(result.facts), half) == pytest.approx(0.5, abs=1e-3)
    assert hiding_puzzles(result, [0.3], seed=1) == pytest.approx(hiding_puzzles(result, [0.3], seed=2), abs=0.05)


def test_at_least_one_round():
    """No puzzle tells nothing."""
    with pytest.raises(DataError, match="one round"):
        put(Thinker(), each=0)


def test_a_fact_without_puzzles_is_left_out():
    """It is no trial."""
    empty = replace(fact("empty1"), wordings=())
    assert [item.fact for item in put(Thinker(COMMON), those=(*FACTS, empty)).facts] == NAMES


def test_a_fact_in_one_wording_is_no_luckier_than_its_references():
    """All get puzzles of as many wordings: who likes one sentence of each wording solves all puzzles of it, or none."""

    class Liking(Thinker):
        def _take(self, text, options):
            form = next(form for form in ("The code", "Whoever asks", "Its code") if form in text)
            said = dict(re.findall(r"([A-Z][a-z]+) says: \"([^\"]*)\"", text))

            def liked(option):
                name, variant = MARK.search(said.get(option, option)).groups()
                value = float(variant == "0") if name in self.knows else chance(self.whim, form, name, variant)
                return -value if "is wrong" in text else value

            return max(options, key=liked)

    singles = []
    for whim in range(6):
        result = put_puzzles(
            subject(Liking(COMMON[:10], whim=whim)),
            facts("single", 10, wordings=1),
            facts("control", 39, wordings=3),
            KNOWN[:10],
            seed=whim,
        )
        singles += [item.p for item in result.singles]
    assert sum(p <= 0.05 for p in singles) <= bdtrik(0.99, len(singles), 0.05)
