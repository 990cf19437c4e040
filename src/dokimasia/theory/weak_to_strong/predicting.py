"""What theory says of a strong student and a weak teacher, and of the user's own gap if accuracies are given."""

from __future__ import annotations

import numpy as np

from dokimasia.core import DataError, FigureData, Series, Table
from dokimasia.core.rounding import percent
from dokimasia.theory.prediction import Prediction, Value
from dokimasia.theory.weak_to_strong.bayes import Student, crossover, drift, kl_bernoulli, learned, simulate
from dokimasia.theory.weak_to_strong.capacity import example, recovered_by_capacity
from dokimasia.theory.weak_to_strong.gap import Recovered, recovered
from dokimasia.theory.weak_to_strong.losses import weight_as_coded, weight_as_published
from dokimasia.theory.weak_to_strong.misfit import cone_student, linear_student, mixture_students

GRID = (1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 300, 500, 1000)
FOUR_ERRORS = 4.0
MOST_SIMULATED = 10_000


def predict(
    *,
    aligned: float = 0.9,
    error: float = 0.01,
    mixture: float = 0.1,
    samples: int = 100,
    accuracies: tuple[float, float, float] | None = None,
    items: int | None = None,
    level: float = 0.95,
    runs: int = 4000,
    seed: int = 0,
) -> Prediction:
    """When does a student outgrow a weak or partly misaligned teacher?

    The teacher is aligned in a share `aligned` of samples. `error` is how often an aligned hypothesis misbehaves, `mixture`
    the prior of a hypothesis that holds the teacher's true mixture. `accuracies` are those of teacher, student and
    ceiling, on `items` test items each.
    """
    if not 0 <= aligned <= 1:
        raise DataError("The teacher is aligned in a share in [0, 1].", f"Found {aligned}.", "Pass for example 0.9.")
    if not 0 < mixture < 1:
        raise DataError(
            "The prior of the mixture lies strictly between 0 and 1.",
            f"Found {mixture}.",
            "The class without it is shown beside it; with it alone the student copies the teacher.",
        )
    if (accuracies is None) != (items is None):
        raise DataError(
            "Three accuracies and the number of items are expected together.",
            "Found one without the other.",
            "Give both.",
        )
    if not 0 < level < 1:
        raise DataError("The level lies strictly between 0 and 1.", f"Found {level}.", "Pass for example 0.95.")
    q = 1 - aligned
    narrow = Student(error=error)
    wide = Student(aligned=(1 - mixture) / 2, misaligned=(1 - mixture) / 2, mixture=mixture, error=error)
    without, with_it = learned(narrow, q, samples), learned(wide, q, samples)
    overtakes = crossover(wide, q)
    gap = None if accuracies is None or items is None else recovered(*accuracies, n=items, level=level)
    told = "" if gap is None else f" {_gap_sentence(gap)}"
    return Prediction(
        model="weak-to-strong",
        question="When does a student outgrow a weak or partly misaligned teacher?",
        headline=(
            f"Of a teacher that is aligned in {percent(aligned)} of samples, a student that knows only aligned and misaligned "
            f"learns after {samples:,} samples to misbehave with probability {_shown(without.misbehaves)}; one that knows "
            f"the mixture, too, with {_shown(with_it.misbehaves)}.{told}"
        ),
        parameters={
            "aligned": aligned,
            "error": error,
            "mixture": mixture,
            "samples": samples,
            "weak": None if accuracies is None else accuracies[0],
            "student": None if accuracies is None else accuracies[1],
            "ceiling": None if accuracies is None else accuracies[2],
            "items": items,
            "level": level,
            "runs": runs,
        },
        values=(
            *(() if gap is None else (_gap_value(gap),)),
            *_bayes_values(q, error, without.misbehaves, with_it.misbehaves, overtakes),
            *_simulated(narrow, wide, q, samples, runs, seed),
            *_misfit_values(seed),
        ),
        assumptions=(
            "Bayes: samples are independent, and the student's hypotheses are the ones named.",
            "Misfit: the student minimises the stated divergence to the teacher over its class, which holds the target.",
            "Gap recovered: test items are independent; the three accuracies were taken on separate items.",
        ),
        misleads=(
            "Misleads where a student is taken to be aligned because it is strong: the gain comes from what it cannot "
            "express, and is gone once it can express its teacher's mistakes. Measure it against the student's capacity and "
            "against epochs of training."
        ),
        source=(
            "Burns and others (2023), arXiv 2312.09390; Charikar and others (2024), arXiv 2405.15116; Mulgund and Pabbaraju "
            "(2025), arXiv 2501.19105; Demski (2025), on students of partly aligned teachers, in words; Fieller (1954)."
        ),
        tables=(_student_table(narrow, wide, q), _mixture_table(seed)),
        figures=(_student_figure(narrow, wide, q), _capacity_figure(), _schedule_figure()),
        caveats=(
            "The confidence loss as its authors published it in code warms up otherwise than their paper says: its weight "
            "jumps at the end of the warm-up. See the figure, and say which one you used.",
        ),
        seed=seed,
    )


def _shown(value: float | None) -> str:
    return "none (all that it knows is refuted)" if value is None else f"{value:.2g}"


def _gap_sentence(gap: Recovered) -> str:
    if gap.value is None or gap.low is None or gap.high is None:
        return f"The share of the gap recovered is undefined: {gap.reason}."
    return f"The student recovered {gap.value:.2f} of the gap, [{gap.low:.2f}, {gap.high:.2f}] at {gap.level:.0%}."


def _gap_value(gap: Recovered) -> Value:
    return Value(
        name="performance gap recovered",
        value=gap.value,
        unit="",
        method=f"undefined: {gap.reason}" if gap.reason else "ratio of differences, Fieller's interval",
        low=gap.low,
        high=gap.high,
        level=gap.level,
        n=gap.n,
    )


def _bayes_values(
    q: float, error: float, without: float | None, with_it: float | None, overtakes: int | None
) -> tuple[Value, ...]:
    moved = drift(q, error)
    endless = abs(moved) == float("inf")
    kl = kl_bernoulli(q, error)
    return (
        Value(
            name="drift towards aligned",
            value=None if endless else moved,
            unit="nats a sample",
            method="infinite, because one sample refutes a hypothesis without error"
            if endless
            else "closed form: (1 - 2q) ln((1 - error) / error)",
        ),
        Value(
            name="misbehaviour learnt without the mixture",
            value=without,
            unit="",
            method="exact sum over counts"
            if without is not None
            else "none, because every hypothesis is refuted, more likely than not",
        ),
        Value(
            name="misbehaviour learnt with the mixture",
            value=with_it,
            unit="",
            method="exact sum over counts"
            if with_it is not None
            else "none, because every hypothesis is refuted, more likely than not",
        ),
        Value(
            name="samples until the mixture overtakes aligned",
            value=None if overtakes is None else float(overtakes),
            unit="",
            method="first n with expected log odds of 0 or more; exact sum"
            if overtakes is not None
            else "none within 1,000,000 samples",
        ),
        Value(
            name="evidence against aligned",
            value=None if kl == float("inf") else kl,
            unit="nats a sample",
            method="KL(q || error)"
            if kl != float("inf")
            else "infinite, because a hypothesis without error is refuted by the first misbehaviour",
        ),
    )


def _simulated(narrow: Student, wide: Student, q: float, samples: int, runs: int, seed: int) -> tuple[Value, ...]:
    if narrow.error == 0 or not 0 < samples <= MOST_SIMULATED:
        return ()
    found = []
    for name, student in (("without", narrow), ("with", wide)):
        mean, error = simulate(student, q, samples, runs=runs, seed=seed)
        found.append(
            Value(
                name=f"the same {name} the mixture, simulated",
                value=mean,
                unit="",
                method=f"simulation lesson by lesson, mean over runs, {FOUR_ERRORS:g} standard errors",
                low=max(0.0, mean - FOUR_ERRORS * error),
                high=min(1.0, mean + FOUR_ERRORS * error),
                n=runs,
            )
        )
    return tuple(found)


def _misfit_values(seed: int) -> tuple[Value, ...]:
    linear, cone = linear_student(seed), cone_student(seed)
    return (
        Value(
            name="linear student's error, as a share of the teacher's",
            value=linear.student / linear.teacher,
            unit="",
            method=f"simulation; teacher {linear.teacher:.4g} - misfit {linear.misfit:.4g} = student {linear.student:.4g}",
        ),
        Value(
            name="student in a cone: the same share",
            value=cone.student / cone.teacher,
            unit="",
            method=f"simulation; teacher {cone.teacher:.4g} - misfit {cone.misfit:.4g} >= student {cone.student:.4g}",
        ),
    )


def _student_table(narrow: Student, wide: Student, q: float) -> Table:
    classes = (
        ("aligned or misaligned", narrow),
        ("these and the mixture", wide),
        ("mixture alone", Student(aligned=0.0, misaligned=0.0, mixture=1.0)),
        ("aligned or misaligned, without error", Student(error=0.0)),
    )
    return Table(
        name="weak-to-strong-classes",
        title="Which class of hypotheses makes the student aligned: its probability of misbehaviour after n samples",
        columns=("the student's class", *(f"n = {n:,}" for n in GRID[::2])),
        rows=tuple(
            (
                name,
                *(
                    "refuted" if item.misbehaves is None else round(item.misbehaves, 4)
                    for item in (learned(student, q, n) for n in GRID[::2])
                ),
            )
            for name, student in classes
        ),
        note="Refuted: no hypothesis of the class allows what was seen, with a probability above one half.",
    )


def _mixture_table(seed: int) -> Table:
    return Table(
        name="weak-to-strong-mixtures",
        title="A class of six classifiers that is not convex: the best mixture of k of them, in nats",
        columns=("k", "teacher's error", "student's error", "misfit", "error(teacher) - misfit - error(student)"),
        rows=tuple(
            (k, round(gain.teacher, 4), round(gain.student, 4), round(gain.misfit, 4), round(gain.slack, 4) + 0.0)
            for k, gain in enumerate(mixture_students(seed), 1)
        ),
        note="Below 0 the inequality fails; with mixtures of all members the class is convex and it holds.",
    )


def _student_figure(narrow: Student, wide: Student, q: float) -> FigureData:
    x = tuple(float(n) for n in GRID)

    def series(name: str, student: Student) -> Series:
        found = [(float(n), learned(student, q, n).misbehaves) for n in GRID]
        kept = [(n, value) for n, value in found if value is not None]
        return Series(name=name, x=tuple(n for n, _ in kept), y=tuple(value for _, value in kept))

    return FigureData(
        name="weak-to-strong-students",
        title="What a student learns of a partly misaligned teacher",
        kind="curves",
        x_label="samples",
        y_label="probability of misbehaviour",
        series=(
            series("knows aligned and misaligned only", narrow),
            series("knows the mixture, too", wide),
            Series(name="the teacher", x=x, y=tuple(q for _ in x), style="dashed"),
        ),
        x_log=True,
        free=True,
        caption="The first becomes aligned since it cannot express its teacher; the second copies it.",
    )


def _capacity_figure() -> FigureData:
    found = recovered_by_capacity(*example())
    x = tuple(np.arange(len(found), dtype=float).tolist())
    return FigureData(
        name="weak-to-strong-capacity",
        title="The gain goes as the student grows",
        kind="curves",
        x_label="basis functions of the student",
        y_label="share of the gap recovered",
        series=(Series(name="student fitted to the teacher", x=x, y=tuple(found.tolist())),),
        free=True,
        caption="Target within the first 12 of 60 directions, mistakes alike in all. The last student can express the teacher.",
    )


def _schedule_figure() -> FigureData:
    done = tuple(np.linspace(0, 0.3, 301).tolist())
    return FigureData(
        name="weak-to-strong-schedule",
        title="Weight of the student's own labels in the confidence loss",
        kind="curves",
        x_label="share of training done",
        y_label="weight",
        series=(
            Series(name="as the paper says", x=done, y=tuple(weight_as_published(each) for each in done)),
            Series(name="as the published code has it", x=done, y=tuple(weight_as_coded(each) for each in done)),
        ),
        caption="Greatest weight 0.5, warm-up over the first tenth.",
    )
