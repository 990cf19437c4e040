"""The Bayesian student, the misfit inequality, capacity, and what the command puts together."""

import json
import math
from itertools import pairwise

import mpmath
import numpy as np
import pytest
from scipy.special import softmax

from dokimasia.core import DataError
from dokimasia.show import to_svg
from dokimasia.theory.weak_to_strong import (
    Student,
    bregman_gain,
    cone_student,
    crossover,
    drift,
    kl_bernoulli,
    kl_gain,
    learned,
    linear_student,
    mixture_students,
    predict,
    recovered_by_capacity,
    simulate,
    squared_gain,
    student_errors,
)

NARROW = Student()
WIDE = Student(aligned=0.45, misaligned=0.45, mixture=0.1)


def at_thirty_digits(student, q, n, counts=None):
    """The expected probability of misbehaviour, summed with mpmath over all counts or those given."""
    with mpmath.workdps(30):
        q, error, total = mpmath.mpf(q), mpmath.mpf(student.error), mpmath.mpf(0)
        for k in counts or range(n + 1):
            evidence = [
                mpmath.mpf(student.aligned) * error**k * (1 - error) ** (n - k),
                mpmath.mpf(student.misaligned) * error ** (n - k) * (1 - error) ** k,
                mpmath.mpf(student.mixture)
                * mpmath.beta(student.a + k, student.b + n - k)
                / mpmath.beta(student.a, student.b),
            ]
            rates = [error, 1 - error, mpmath.mpf(student.a + k) / (student.a + student.b + n)]
            weight = mpmath.binomial(n, k) * q**k * (1 - q) ** (n - k)
            total += weight * sum(e * r for e, r in zip(evidence, rates, strict=True)) / sum(evidence)
        return float(total)


def test_the_worked_example_of_ninety_percent():
    """After 100 samples of a teacher aligned in 90%: .0100 without the mixture in the class, .1054 with it."""
    assert learned(NARROW, 0.1, 100).misbehaves == pytest.approx(0.0100, rel=1e-3)
    assert learned(WIDE, 0.1, 100).misbehaves == pytest.approx(0.1054, rel=1e-3)


@pytest.mark.parametrize("student", [NARROW, WIDE, Student(error=1e-6, mixture=1e-9, a=0.5, b=3.0)])
@pytest.mark.parametrize(("q", "n"), [(0.1, 1), (0.5, 40), (0.999, 100), (0.0, 30), (0.3, 400)])
def test_what_is_learnt_is_an_exact_sum(student, q, n):
    """30 digits agree to 1e-8."""
    assert learned(student, q, n).misbehaves == pytest.approx(at_thirty_digits(student, q, n), rel=1e-8)


def test_what_is_learnt_stays_exact_with_many_samples():
    """After 20,000 samples, over counts within seven standard deviations."""
    found = at_thirty_digits(WIDE, 0.1, 20_000, range(1700, 2301))
    assert learned(WIDE, 0.1, 20_000).misbehaves == pytest.approx(found, rel=1e-8)


@pytest.mark.parametrize("student", [NARROW, WIDE])
def test_lessons_one_by_one_agree_with_the_sum(student):
    """Belief multiplied lesson by lesson gives the exact mean, within four standard errors."""
    mean, error = simulate(student, 0.2, 30, runs=4000, seed=3)
    assert abs(mean - learned(student, 0.2, 30).misbehaves) <= 4 * error
    assert error < 0.01


def test_the_drift_is_the_expected_change_of_log_odds():
    """Mean over samples of the log likelihood ratio, and its sign turns where the teacher is aligned in half."""
    q, error = 0.1, 0.01
    step = math.log((1 - error) / error)
    assert drift(q, error) == pytest.approx((1 - q) * step - q * step) == pytest.approx(3.676, rel=1e-3)
    assert drift(0.5, error) == 0
    assert drift(0.6, error) < 0
    assert drift(0.1, 0.0) == math.inf
    assert drift(0.5, 0.0) == 0


@pytest.mark.parametrize(("q", "end"), [(0.4, 0.01), (0.6, 0.99)])
def test_without_the_mixture_the_nearer_hypothesis_wins(q, end):
    """Aligned if and only if the teacher is in more than half of its samples, exponentially fast."""
    assert learned(NARROW, q, 2000).misbehaves == pytest.approx(end, rel=1e-6)
    left = [abs(learned(NARROW, q, n).misbehaves - end) for n in (50, 100, 150)]
    assert left[1] / left[0] == pytest.approx(left[2] / left[1], rel=0.2)


@pytest.mark.parametrize("q", [0.05, 0.1, 0.3, 0.7])
def test_with_the_mixture_the_student_copies_its_teacher(q):
    """Its probability of misbehaviour tends to the teacher's."""
    assert learned(WIDE, q, 20_000).misbehaves == pytest.approx(q, rel=0.01)


def test_a_hypothesis_without_error_is_refuted_by_one_sample():
    """After both kinds of sample nothing is left of aligned and misaligned, and that is said, with its probability."""
    strict = Student(error=0.0)
    assert learned(strict, 0.1, 1).refuted == 0
    two = learned(strict, 0.1, 2)
    assert two.refuted == pytest.approx(2 * 0.1 * 0.9)
    assert learned(strict, 0.1, 100).refuted == pytest.approx(1 - 0.9**100 - 0.1**100)
    assert learned(strict, 0.1, 100).misbehaves is None
    assert learned(strict, 0.1, 100_000).refuted == 1
    assert learned(Student(error=0.0, mixture=0.1), 0.1, 1000).misbehaves == pytest.approx(0.1, rel=0.02)


@pytest.mark.parametrize(("q", "error", "mixture"), [(0.1, 0.01, 0.1), (0.1, 0.01, 1e-6), (0.02, 0.01, 0.01)])
def test_the_mixture_overtakes_when_its_evidence_has_paid_for_its_parameter(q, error, mixture):
    """Near `(ln(prior odds) + ln(n) / 2 + constant) / KL`, with half a logarithm of n inside the division by KL."""
    student = Student(aligned=(1 - mixture) / 2, misaligned=(1 - mixture) / 2, mixture=mixture, error=error)
    found = crossover(student, q)
    odds = math.log(student.aligned / student.mixture)
    constant = (
        0.5 * math.log(1 / (2 * math.pi * q * (1 - q))) - 0.5
    )  # Laplace; the mean fit exceeds the true rate's by 1/2
    assert found == pytest.approx((odds + 0.5 * math.log(found) + constant) / kl_bernoulli(q, error), rel=0.08)
    before, after = learned(student, q, found // 3), learned(student, q, found * 3)
    assert before.aligned > 0.5 > after.aligned


@pytest.mark.parametrize(("q", "error", "mixture"), [(0.1, 0.01, 0.1), (0.2, 0.1, 1e-3)])
def test_the_crossover_is_the_first_sample_with_expected_odds_for_the_mixture(q, error, mixture):
    """At 30 digits the expected log odds are at least 0 there, and below 0 one sample earlier."""
    student = Student(aligned=(1 - mixture) / 2, misaligned=(1 - mixture) / 2, mixture=mixture, error=error)

    def odds(n):
        with mpmath.workdps(30):
            start = mpmath.log(mpmath.mpf(student.mixture) / mpmath.mpf(student.aligned))
            return start + sum(
                mpmath.binomial(n, k)
                * mpmath.mpf(q) ** k
                * (1 - mpmath.mpf(q)) ** (n - k)
                * (mpmath.log(mpmath.beta(1 + k, 1 + n - k)) - k * mpmath.log(error) - (n - k) * mpmath.log(1 - error))
                for k in range(n + 1)
            )

    found = crossover(student, q)
    assert odds(found - 1) < 0 <= odds(found)


def test_the_evidence_against_aligned_is_kl():
    """KL(0.1 || 0.01), written out; infinite where aligned allows no misbehaviour; nought where the two agree."""
    assert kl_bernoulli(0.1, 0.01) == pytest.approx(0.1 * math.log(10) + 0.9 * math.log(0.9 / 0.99), rel=1e-12)
    assert kl_bernoulli(0.1, 0.0) == math.inf
    assert kl_bernoulli(0.1, 0.1) == 0


def test_a_crossover_that_never_comes_is_none():
    """Without a mixture, or with a teacher that is what the aligned hypothesis says."""
    assert crossover(NARROW, 0.1) is None
    assert crossover(WIDE, 0.01, most=20_000) is None
    assert crossover(Student(aligned=0.0, mixture=0.5), 0.1) == 0
    assert crossover(Student(error=0.0, mixture=0.1), 0.1) == 1


@pytest.mark.parametrize("seed", range(4))
def test_a_linear_student_gains_exactly_its_misfit(seed):
    """Pythagoras: equality to rounding."""
    gain = linear_student(seed)
    assert gain.student == pytest.approx(gain.teacher - gain.misfit, rel=1e-10)
    assert gain.misfit > 0


def test_a_student_in_a_cone_gains_at_least_its_misfit():
    """Never less, and strictly more for some."""
    gains = [cone_student(seed) for seed in range(6)]
    assert all(gain.slack >= -1e-10 for gain in gains)
    assert any(gain.slack > 0.01 * gain.teacher for gain in gains)


def test_a_class_that_is_not_convex_can_gain_less_than_its_misfit():
    """Single members fall short for some seed; mixtures of all members never do."""
    found = [mixture_students(seed) for seed in range(3)]
    assert min(gains[0].slack for gains in found) < -0.1
    assert all(gains[-1].slack > -1e-6 for gains in found)
    for gains in found:
        assert all(after.misfit <= before.misfit + 1e-9 for before, after in pairwise(gains))


def test_a_target_out_of_reach_breaks_the_inequality():
    """The class must hold the target: with one that it cannot express the gain falls short of the misfit."""
    basis = np.eye(4)[:, :1]
    teacher, target = np.array([1.0, 1.0, 0, 0]), np.array([0.0, 2.0, 0, 0])
    student = basis @ np.linalg.lstsq(basis, teacher, rcond=None)[0]
    assert squared_gain(target, teacher, student).slack < -0.1


def test_kl_and_squares_are_bregman_divergences():
    """The general form with their generators gives what their own functions do."""
    rng = np.random.default_rng(0)
    three = softmax(rng.standard_normal((3, 20, 4)), axis=2)
    general = bregman_gain(*three, generator=lambda p: (p * np.log(p)).sum(axis=-1), gradient=lambda p: np.log(p) + 1)
    own = kl_gain(*three)
    assert (general.teacher, general.student, general.misfit) == pytest.approx((own.teacher, own.student, own.misfit))
    flat = bregman_gain(*three[:, :, :1], generator=lambda p: (p**2).sum(axis=-1), gradient=lambda p: 2 * p)
    squares = squared_gain(*three[:, :, 0])
    assert (flat.teacher, flat.slack) == pytest.approx((squares.teacher, squares.slack))


def test_ordinary_cross_entropy_in_flat_logits_is_the_mirror_image():
    """Minimising KL(teacher || student) over log-linear students gives equality with error KL(. || target)."""
    rng = np.random.default_rng(1)
    features = rng.standard_normal((80, 3))
    teacher = softmax(rng.standard_normal((80, 2)), axis=1)
    target = softmax(np.stack([np.zeros(80), features @ rng.standard_normal(3)], axis=1), axis=1)
    weights = np.zeros(3)
    for _ in range(50):
        p = 1 / (1 + np.exp(-features @ weights))
        hessian = features.T @ (features * (p * (1 - p))[:, None])
        weights += np.linalg.solve(hessian, features.T @ (teacher[:, 1] - p))
    student = softmax(np.stack([np.zeros(80), features @ weights], axis=1), axis=1)
    assert kl_gain(teacher, target, student).slack == pytest.approx(0.0, abs=1e-12)


def test_students_of_each_size_make_the_errors_that_the_sum_says():
    """Least squares on orthonormal bases of growing size, coefficient by coefficient."""
    rng = np.random.default_rng(2)
    basis = np.linalg.qr(rng.standard_normal((40, 6)))[0]
    target, mistake = rng.standard_normal(6), rng.standard_normal(6)
    found = []
    for size in range(7):
        part = basis[:, :size]
        student = part @ (part.T @ (basis @ (target + mistake)))
        found.append(np.sum((student - basis @ target) ** 2))
    assert student_errors(target, mistake) == pytest.approx(found)


def test_a_student_that_can_express_its_teacher_recovers_nothing():
    """The gain rises while the target comes within reach and is nought at the end."""
    found = recovered_by_capacity([1.0, 0.5, 0.0, 0.0], [0.4, 0.4, 0.4, 0.4])
    assert found[-1] == 0
    assert found.argmax() == 2
    assert found[2] == pytest.approx(0.5)
    assert (np.diff(found[2:]) < 0).all()


@pytest.mark.parametrize(
    "call",
    [
        lambda: Student(aligned=-0.1),
        lambda: Student(aligned=0.0, misaligned=0.0),
        lambda: Student(error=0.5),
        lambda: Student(a=0.0),
        lambda: learned(NARROW, 1.5, 10),
        lambda: learned(NARROW, math.nan, 10),
        lambda: learned(NARROW, 0.1, -1),
        lambda: learned(NARROW, 0.1, 10**7),
        lambda: drift(0.1, 0.7),
        lambda: crossover(WIDE, -0.1),
        lambda: simulate(Student(error=0.0), 0.1, 10, runs=10, seed=0),
        lambda: simulate(NARROW, 0.1, 10, runs=1, seed=0),
        lambda: simulate(NARROW, 0.1, 10, runs=10**10, seed=0),
        lambda: kl_gain([[0.5, 0.4]], [[0.5, 0.5]], [[0.5, 0.5]]),
        lambda: student_errors([1.0], [1.0, 2.0]),
        lambda: recovered_by_capacity([1.0], [0.0]),
        lambda: predict(aligned=1.1),
        lambda: predict(mixture=0.0),
        lambda: predict(accuracies=(0.1, 0.2, 0.3)),
        lambda: predict(items=10),
        lambda: predict(level=1.0),
    ],
)
def test_parameters_out_of_their_domain_are_refused(call):
    """With what the domain is."""
    with pytest.raises(DataError):
        call()


def test_the_prediction_holds_together():
    """Values agree with the functions, simulation with the sum, figures draw, and everything is JSON."""
    found = predict(accuracies=(0.6, 0.75, 0.8), items=1000, runs=500, seed=1)
    assert found == predict(accuracies=(0.6, 0.75, 0.8), items=1000, runs=500, seed=1)
    assert found.value("performance gap recovered").value == pytest.approx(0.75)
    exact = found.value("misbehaviour learnt with the mixture").value
    simulated = found.value("the same with the mixture, simulated")
    assert simulated.low <= exact <= simulated.high
    assert json.loads(json.dumps(found.plain(), allow_nan=False))["seed"] == 1
    for figure in found.figures:
        assert figure.name.startswith("weak-to-strong-")
        assert to_svg(figure)


def test_a_prediction_without_error_says_what_is_infinite():
    """No infinity reaches JSON: the value is none and the method says why."""
    found = predict(error=0.0, samples=1000, runs=10)
    assert found.value("drift towards aligned").value is None
    assert "infinite" in found.value("drift towards aligned").method
    assert found.value("evidence against aligned").value is None
    assert "refuted" in found.headline
    json.dumps(found.plain(), allow_nan=False)
    assert predict(aligned=1.0, runs=10, samples=0).value("misbehaviour learnt without the mixture").value == 0.5
