"""Policy-gradient learning beside what the replicator equation predicts."""

import json

import numpy as np
import pytest

from dokimasia.core import DataError
from dokimasia.show import to_svg
from dokimasia.theory.selection import (
    Hypotheses,
    Hypothesis,
    Learner,
    Situation,
    learn,
    plain_gradient_shares,
    predict,
    shares,
    steps_by_plain_gradient,
)


def rivals(rare=0.1):
    """Two motives that earn alike but in a flawed tenth of training."""
    return Hypotheses(
        training=(Situation(name="easy", share=0.9), Situation(name="flawed", share=0.1)),
        deployment=(Situation(name="usual", share=1.0),),
        hypotheses=(
            Hypothesis(name="meant", prior=1 - rare, reward=(0.8, 0.1), misbehaves=(0.0,)),
            Hypothesis(name="hack", prior=rare, reward=(0.8, 0.9), misbehaves=(0.5,)),
        ),
    )


@pytest.fixture(scope="module")
def natural():
    return learn(rivals(), Learner.NATURAL, steps=300, eta=0.1, batch=4096, runs=64, points=7, seed=1)


@pytest.fixture(scope="module")
def plain():
    return learn(rivals(), Learner.PLAIN, steps=300, eta=0.1, batch=4096, runs=64, points=7, seed=1)


def test_natural_gradient_follows_the_replicator(natural):
    """Within four standard errors at every recorded step."""
    expected = shares(rivals().priors, rivals().fitness, natural.steps, eta=0.1)
    assert (np.abs(natural.mean - expected) <= 4 * natural.error + 1e-12).all()
    assert natural.mean[-1, 1] > 0.5


def test_plain_gradient_follows_its_own_equation_and_not_the_replicator(plain):
    """Within four standard errors of the noiseless steps; more than forty from the replicator."""
    steps, expected = plain_gradient_shares(rivals(), steps=300, eta=0.1, points=7)
    assert (steps == plain.steps).all()
    assert (np.abs(plain.mean - expected) <= 4 * plain.error + 1e-12).all()
    replicator = shares(rivals().priors, rivals().fitness, 300, eta=0.1)
    assert replicator[1] - plain.mean[-1, 1] > 40 * plain.error[-1, 1]


def test_plain_gradients_closed_form_is_the_limit_of_small_steps():
    """Noiseless steps reach the share after the number of steps that the closed form names, to 1%."""
    steps = steps_by_plain_gradient(0.1, 0.3, 0.08, eta=0.1)
    found = plain_gradient_shares(rivals(), steps=round(steps), eta=0.1, points=2)[1]
    assert found[-1, 1] == pytest.approx(0.3, rel=0.01)


def test_a_policy_that_sees_the_situation_selects_within_it():
    """Where motives earn alike they keep their priors, and where they differ one wins: the model's assumption fails."""
    found = learn(rivals(), Learner.SITUATED, steps=300, eta=0.1, batch=4096, runs=16, points=2, seed=2)
    assert found.situations[0, 1] == pytest.approx(0.1, abs=0.01)
    assert found.situations[1, 1] > 0.99
    assert found.mean[-1, 1] == pytest.approx(0.9 * 0.1 + 0.1, abs=0.02)


def test_learning_repeats_under_its_seed():
    """The same seed gives the same shares, another one other shares."""
    runs = [learn(rivals(), Learner.NATURAL, steps=20, eta=0.1, batch=64, runs=4, seed=seed).mean for seed in (0, 0, 1)]
    assert (runs[0] == runs[1]).all()
    assert (runs[0] != runs[2]).any()


def test_a_motive_without_a_prior_is_never_learnt():
    """No learner explores what its policy never does."""
    for learner in Learner:
        assert (
            learn(rivals(0.0), learner, steps=20, eta=0.5, batch=64, runs=4, seed=0).mean[:, 1].tolist() == [0.0] * 21
        )


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": 0},
        {"steps": 10**9},
        {"batch": 1},
        {"batch": 10**19},
        {"runs": 1},
        {"runs": 10**6, "steps": 1500},
        {"points": 1},
        {"eta": -1.0},
        {"level": 1.0},
    ],
)
def test_a_simulation_that_cannot_be_is_refused(wrong):
    """No steps or more than can be waited for, no episodes or too many to count, runs that cannot differ."""
    given = {"steps": 5, "eta": 0.1, "batch": 10, "runs": 2, "seed": 0} | wrong
    with pytest.raises(DataError):
        learn(rivals(), Learner.NATURAL, **given)


def test_the_prediction_holds_together():
    """Values agree with one another, figures draw, everything is JSON, and what training cannot tell apart is said."""
    found = predict(rivals(), steps=100, batch=256, runs=4, seed=0)
    assert found == predict(rivals(), steps=100, batch=256, runs=4, seed=0)
    total = found.value("share of meant").value + found.value("share of hack").value
    assert total == pytest.approx(1)
    after = found.value("deployment misbehaviour after training")
    assert after.value == pytest.approx(0.5 * found.value("share of hack").value)
    assert (after.low, after.high) == (0.0, 0.5)
    assert json.loads(json.dumps(found.plain(), allow_nan=False))["model"] == "selection"
    for figure in found.figures:
        assert figure.name.startswith("selection-")
        assert to_svg(figure)
    assert not any("cannot tell apart" in caveat for caveat in found.caveats)


def test_what_earns_the_same_is_named():
    """The caveat names both motives."""
    given = rivals()
    alike = Hypotheses(
        training=given.training,
        deployment=given.deployment,
        hypotheses=(
            Hypothesis(name="one", prior=0.5, reward=(0.8, 0.1), misbehaves=(0.0,)),
            Hypothesis(name="other", prior=0.5, reward=(0.8, 0.1), misbehaves=(1.0,)),
        ),
    )
    found = predict(alike, steps=10, batch=64, runs=2)
    assert any("one and other" in caveat for caveat in found.caveats)
    assert found.value("share of one").value == pytest.approx(0.5)
