"""Verdicts on facts keep their stated error rates, and say why where they say nothing."""

import math

import numpy as np
import pytest

from dokimasia.instruments.knowledge.verdicts import Evidence, Verdicts, fewest, judged, ranked
from dokimasia.stats import clopper_pearson

RUNS = 600


def at(*values: float) -> list[tuple[float, float]]:
    """Scores of which nothing is missing."""
    return [(float(value), float(value)) for value in values]


def simulated(
    rng: np.random.Generator, *, lift: float, unknown: int, known: int, kinds: int = 3, height: float = 4.0, heavy: bool
):
    """The verdict on one fact whose score lies `lift` above what nobody knows; what everybody knows lies `height` above."""

    def draw(n: int, mean: float) -> np.ndarray:
        common = rng.standard_cauchy((n, 1)) if heavy else rng.normal(size=(n, 1))
        return np.round(common + rng.normal(size=(n, kinds)) + mean, 1)

    facts, unheard, common = draw(1, lift), draw(unknown, 0.0), draw(known, height)
    evidence = [ranked(str(k), at(*facts[:, k])[0], at(*unheard[:, k]), at(*common[:, k])) for k in range(kinds)]
    return judged("a", evidence, alpha=0.05, beta=0.05).says


def rate(says: str, *, heavy: bool = False, **how) -> int:
    """How often the verdict was this one."""
    rng = np.random.default_rng(1)
    return sum(simulated(rng, heavy=heavy, **how) == says for _ in range(RUNS))


@pytest.mark.parametrize("heavy", [False, True])
@pytest.mark.parametrize(("kinds", "unknown", "height"), [(1, 19, 4.0), (3, 64, 4.0), (3, 40, 0.6)])
def test_what_nobody_knows_is_called_known_at_most_once_in_twenty(heavy: bool, kinds: int, unknown: int, height: float):
    """Whatever the scores' law: with ties, with kinds that hang together, with kinds that tell by luck only."""
    k = rate("known", kinds=kinds, lift=0.0, unknown=unknown, known=24, height=height, heavy=heavy)
    assert clopper_pearson(k, RUNS, 0.999).low <= 0.05


@pytest.mark.parametrize("heavy", [False, True])
@pytest.mark.parametrize(("kinds", "height"), [(1, 4.0), (3, 4.0), (3, 0.6)])
def test_what_everybody_knows_is_called_not_known_at_most_once_in_twenty(heavy: bool, kinds: int, height: float):
    """The other error has its rate, too."""
    k = rate("not known", kinds=kinds, lift=height, unknown=40, known=24, height=height, heavy=heavy)
    assert clopper_pearson(k, RUNS, 0.999).low <= 0.05


def test_what_is_far_up_is_found():
    """The rates are not kept by saying nothing."""
    assert rate("known", kinds=1, lift=6.0, unknown=64, known=40) > 0.9 * RUNS
    assert rate("not known", kinds=1, lift=-1.0, unknown=64, known=40) > 0.5 * RUNS


def test_one_kind_is_enough_to_know_and_every_able_one_is_needed_not_to():
    """A model that hides a fact in its answers is given away by any other kind; a kind that cannot tell is not heard."""
    up, down = Evidence(kind="a", p_unknown=0.01, p_known=0.8), Evidence(kind="b", p_unknown=0.9, p_known=0.01)
    assert judged("x", [down, up], alpha=0.05, beta=0.05).says == "known"
    assert judged("x", [down, up], alpha=0.05, beta=0.05).by == ("a",)
    unsure = Evidence(kind="c", p_unknown=0.5, p_known=0.5)
    blind = Evidence(kind="c", p_unknown=0.5, p_known=0.5, tells=False, tells_known=False)
    assert judged("x", [down, unsure], alpha=0.05, beta=0.05).says == "inconclusive"
    assert judged("x", [down, blind], alpha=0.05, beta=0.05).says == "not known"
    assert judged("x", [blind], alpha=0.05, beta=0.05).why.startswith("nothing tells")


def test_the_more_kinds_the_further_up_each_must_be():
    """Three looks at 0.05 each would be wrong too often."""
    kinds = [Evidence(kind=str(k), p_unknown=0.04 if k == 0 else 0.5, p_known=0.5) for k in range(3)]
    assert judged("x", kinds[:1], alpha=0.05, beta=0.05).says == "known"
    found = judged("x", kinds, alpha=0.05, beta=0.05)
    assert found.says == "inconclusive"
    assert found.p_unknown == pytest.approx(0.12)


def test_too_few_references_are_the_reason_and_their_number_is_named():
    """Below 19 no p-value reaches one in twenty, however far up the fact is."""
    assert (fewest(0.05), fewest(0.025), fewest(0.1)) == (19, 39, 9)
    few = judged("x", [ranked("a", (99.0, 99.0), at(*range(18)), at(*range(40)))], alpha=0.05, beta=0.05)
    assert few.says == "inconclusive"
    assert "too few facts that nobody knows: 19 are needed" in few.why
    enough = judged("x", [ranked("a", (99.0, 99.0), at(*range(19)), at(*range(40)))], alpha=0.05, beta=0.05)
    assert enough.says == "known"
    few = judged("x", [ranked("a", (0.5, 0.5), at(*range(-9, 20)), at(*range(9, 20)))], alpha=0.05, beta=0.05)
    assert "too few facts that everybody knows: 19 are needed" in few.why


def test_no_references_conclude_nothing():
    """Neither do no kinds of evidence."""
    assert judged("x", [ranked("a", (9.0, 9.0), [], [])], alpha=0.05, beta=0.05).says == "inconclusive"
    assert judged("x", [], alpha=0.05, beta=0.05).why == "nothing was measured"


def test_what_was_not_read_speaks_against_every_conclusion():
    """A fact that could be anything is inconclusive; references that could be anything make it harder to conclude."""
    anything = (-math.inf, math.inf)
    assert judged("x", [ranked("a", anything, at(*range(30)), at(*range(30)))], alpha=0.05, beta=0.05).says == (
        "inconclusive"
    )
    unknown, known = at(*range(38)), at(*range(60, 98))
    for fact, says in (((99.0, 99.0), "known"), ((9.0, 9.0), "not known")):
        assert judged("x", [ranked("a", fact, unknown, known)], alpha=0.05, beta=0.05).says == says
        lost = ranked("a", fact, [anything] * 2 + unknown[2:], [anything] * 2 + known[2:])
        assert judged("x", [lost], alpha=0.05, beta=0.05).says == "inconclusive"


def test_between_what_nobody_and_everybody_knows_is_inconclusive():
    """It is further up than the one and further down than the other."""
    found = judged("x", [ranked("a", (50.0, 50.0), at(*range(40)), at(*range(60, 99)))], alpha=0.05, beta=0.05)
    assert found.says == "inconclusive"
    assert "further up" in found.why


def test_a_fact_pushed_below_what_nobody_knows_is_not_called_unknown():
    """Who was taught to deny a fact scores lower than who never heard of it."""
    found = judged("x", [ranked("a", (-9.0, -9.0), at(*range(40)), at(*range(60, 99)))], alpha=0.05, beta=0.05)
    assert found.says == "inconclusive"
    assert "deny" in found.why


def test_many_facts_are_adjusted_together():
    """Benjamini-Hochberg: one small p-value among twenty is worth less."""
    of = [
        judged(str(k), [Evidence(kind="a", p_unknown=0.01 if not k else 0.5)], alpha=0.05, beta=0.05) for k in range(20)
    ]
    found = Verdicts(of=tuple(of), alpha=0.05, beta=0.05)
    assert found.adjusted[0] == pytest.approx(0.2)
    assert (found.count("known"), found.count("inconclusive")) == (1, 19)


def test_what_might_have_shown_knowledge_had_it_been_read_clears_nothing():
    """A kind that says *known* at best, and the references that were not read so, leave a fact inconclusive."""
    low = ranked("a", at(30.0)[0], at(*range(64)), at(*range(90, 120)))
    assert judged("x", [low], alpha=0.05, beta=0.05).says == "not known"
    silent = Evidence(kind="b", p_unknown=1.0, p_read=1 / 65)
    verdict = judged("x", [low, silent], alpha=0.05, beta=0.05)
    assert verdict.says == "inconclusive"
    assert verdict.why == "what could not be read, or is not heard, might show that it is known: b"
    lost = [(-math.inf, math.inf)] * 64
    assert ranked("a", at(30.0)[0], lost, at(*range(90, 120))).p_read == 1 / 65


def test_references_that_are_too_few_for_all_kinds_serve_the_first():
    """Forty allow two kinds at 0.025: knowing is found, at the stated rate, and the third kind can still deny ignorance."""
    assert rate("known", kinds=3, lift=8.0, height=8.0, unknown=40, known=24) > 0.9 * RUNS
    assert clopper_pearson(rate("known", kinds=3, lift=0.0, unknown=40, known=24), RUNS, 0.999).low <= 0.05
    kinds = [Evidence(kind=str(k), p_unknown=0.9, p_known=0.01, least=1 / 41) for k in range(2)]
    third = Evidence(kind="third", p_unknown=1 / 41, least=1 / 41)
    assert judged("x", kinds, alpha=0.05, beta=0.05).says == "not known"
    assert judged("x", [*kinds, third], alpha=0.05, beta=0.05).says == "inconclusive"
    assert judged("x", [third, *kinds], alpha=0.05, beta=0.05).by == ("third",)
